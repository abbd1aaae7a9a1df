"""Writes a checkpoint once more: in another layout, in another type, in other shards; never as another model.

Which layout can hold which model is ``layouts``; what can't be is refused with the reason. To make a diffusion model of
an autoregressive one is ``redraft.training.block_start``.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from redraft.denoiser.carried import carried_files
from redraft.denoiser.checkpoint import CARD_NAME, CONFIG_NAME, TOKENIZER_NAME, WEIGHTS_NAME, load_checkpoint
from redraft.denoiser.checkpoint import save_checkpoint as save_native
from redraft.denoiser.families import (
    detect_family,
    parameter_shapes,
    published_names,
    read_config,
    redundant_names,
)
from redraft.denoiser.layouts import LAYOUTS, config_in, layout_of, spec_in
from redraft.denoiser.planned import PlannedTensor, planned_copy, planned_weight
from redraft.denoiser.published import Published, open_published
from redraft.denoiser.publishing import DEFAULT_SHARD_BYTES, refuse_occupied, write_published
from redraft.denoiser.shards import StoredTensor, read_header
from redraft.errors import CheckpointError, ConfigError
from redraft.reading import find_inside, parse_json, read_file

__all__ = ["NATIVE", "Converted", "convert_checkpoint", "refuse_foreign_weights"]

NATIVE = "redraft"
"""Name of the layout of this program's own transformer."""

_NATIVE_FORMAT = "redraft-transformer"
_MAX_CONFIG_BYTES = 1 << 20
_MAX_CARD_BYTES = 1 << 20
_KEPT_WIDE = "expert_bias"
"""Decides between near ties of a router; published in float32 whatever the rest is."""

_WHY_NOT_NATIVE = (
    "the redraft layout belongs to this program's own transformer: RMSNorm without weights, one squared ReLU where the "
    "public families have a gated MLP, a table of canvas positions, segments instead of blocks. No public family "
    "computes that, so neither can hold the other's weights; --to redraft rewrites a redraft checkpoint only"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Converted:
    """What was written."""

    folder: str
    """Where it stands."""
    source_layout: str
    """Layout of what was read."""
    layout: str
    """Layout of what was written."""
    dtypes: list[str]
    """Types of the weights now."""
    num_tensors: int
    """Weights and buffers."""
    size_bytes: int
    """Their bytes."""
    carried: list[str]
    """Files that were copied byte for byte."""
    manifest_sha256: str
    """Pins every byte of the folder."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def convert_checkpoint(
    source: Path,
    target: Path,
    *,
    layout: str | None = None,
    dtype: torch.dtype | None = None,
    shard_bytes: int | None = None,
) -> Converted:
    """Write a checkpoint once more.

    Args:
        source: A published folder, or one of this program's own.
        target: Where the copy shall stand: a new path or an empty folder.
        layout: A name in ``LAYOUTS``, or "redraft"; None keeps the layout.
        dtype: Type of the weights; None keeps each as it is stored.
        shard_bytes: Most bytes of weights in one file; None is five gigabytes.

    Returns:
        What was written.

    Raises:
        ConfigError: The target is not free, or its layout can't hold this model.
        CheckpointError: The source is damaged, a weight does not fit the type, or the disk refuses.
    """
    if layout is not None and layout not in LAYOUTS and layout != NATIVE:
        raise ConfigError(f"the layout {layout!r} is unknown; use one of {', '.join((*LAYOUTS, NATIVE))}")
    refuse_occupied(target)
    config = parse_json(read_file(find_inside(source, CONFIG_NAME), _MAX_CONFIG_BYTES), source / CONFIG_NAME)
    if config.get("format") == _NATIVE_FORMAT:
        if layout not in (None, NATIVE):
            raise ConfigError(f"a redraft checkpoint can't be written as {layout}: {_WHY_NOT_NATIVE}")
        if shard_bytes is not None:
            raise ConfigError("a redraft checkpoint is one file; leave out the shard size")
        return _convert_native(source, target, dtype)
    if layout == NATIVE:
        raise ConfigError(f"{source} can't be written as a redraft checkpoint: {_WHY_NOT_NATIVE}")
    return _convert_published(open_published(source), target, layout, dtype, shard_bytes or DEFAULT_SHARD_BYTES)


def refuse_foreign_weights(
    found: Published, names: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]], redundant: frozenset[str]
) -> None:
    """Hold the stored tensors against those of a backbone, before any is read.

    Args:
        found: The checkpoint.
        names: Published name of each weight.
        shapes: Shape of each weight, by the same keys.
        redundant: Published names that may be there besides.

    Raises:
        CheckpointError: One is missing, left over, of another shape or of a type that weights can't have.
    """
    found.weights().require({names[name]: shape for name, shape in shapes.items()})
    left_over = sorted(set(found.tensors) - set(names.values()) - redundant)
    if left_over:
        raise CheckpointError(
            f"{len(left_over)} weights have no place in this model, {left_over[0][:200]} for one; "
            "the weights and config.json are of different models"
        )


def _convert_native(source: Path, target: Path, dtype: torch.dtype | None) -> Converted:
    stored = {tensor.dtype for tensor in read_header(find_inside(source, WEIGHTS_NAME)).values()}
    if dtype is None and len(stored) == 1:
        dtype = next(iter(stored))
    dtype = dtype or torch.float32
    loaded = load_checkpoint(source, dtype=dtype)
    card = read_file(source / CARD_NAME, _MAX_CARD_BYTES)
    digest = save_native(
        target,
        model=loaded.model,
        tokenizer_json=loaded.tokenizer_json,
        card=card.decode(errors="replace"),
        extra_config=loaded.extra,
        dtype=dtype,
    )
    weights = loaded.model.state_dict().values()
    return Converted(
        folder=str(target),
        source_layout=NATIVE,
        layout=NATIVE,
        dtypes=[str(dtype).removeprefix("torch.")],
        num_tensors=len(weights),
        size_bytes=sum(weight.nbytes for weight in weights),
        carried=[CARD_NAME, TOKENIZER_NAME],
        manifest_sha256=digest,
    )


def _convert_published(
    found: Published, target: Path, layout: str | None, dtype: torch.dtype | None, shard_bytes: int
) -> Converted:
    settings = {"tokenizer_config": found.tokenizer_config, "generation_config": found.generation_config}
    spec = detect_family(found.config, **settings)
    old = layout_of(found.config, spec)
    layout = layout or old
    renamed = {name: name for name in found.tensors}
    config = dict(found.config)
    if spec.layout != "transformers":
        shape = read_config(spec, found.config)
        names, redundant = published_names(spec, shape), redundant_names(spec, shape)
        refuse_foreign_weights(found, names, parameter_shapes(shape), redundant)
        if layout != old:
            wanted = spec_in(layout, spec)
            config = config_in(layout, wanted, found)
            theirs = published_names(wanted, shape)
            # What is redundant has no name of ours, so that it stays behind.
            renamed = {names[name]: theirs[name] for name in names}
    elif layout != old:
        raise ConfigError(f"{old} can't be written as {layout}: no other family computes what it does")
    carried = carried_files(found.folder)
    tensors = list(_planned(found, renamed, dtype))
    _name_dtype(config, dtype)
    config_bytes = (json.dumps(config, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
    digest = write_published(target, tensors, {**carried, CONFIG_NAME: config_bytes}, shard_bytes=shard_bytes)
    return Converted(
        folder=str(target),
        source_layout=old,
        layout=layout,
        dtypes=sorted({tensor.dtype_name for tensor in tensors}),
        num_tensors=len(tensors),
        size_bytes=sum(tensor.num_bytes for tensor in tensors),
        carried=sorted(carried),
        manifest_sha256=digest,
    )


def _planned(found: Published, renamed: Mapping[str, str], dtype: torch.dtype | None) -> Iterator[PlannedTensor]:
    for name, new_name in renamed.items():
        stored = found.tensors[name]
        if stored.dtype is None:
            yield planned_copy(new_name, stored)
            continue
        kept = torch.float32 if name.endswith(_KEPT_WIDE) and stored.dtype == torch.float32 else dtype
        yield _planned_weight(found, name, new_name, stored, kept or stored.dtype)


def _planned_weight(
    found: Published, name: str, new_name: str, stored: StoredTensor, dtype: torch.dtype
) -> PlannedTensor:
    # A mapping of its own for each weight: the file's pages are let go as soon as the weight is written.
    return planned_weight(new_name, stored.shape, dtype, lambda: found.weights(dtype)[name], is_stored=True)


def _name_dtype(config: dict[str, Any], dtype: torch.dtype | None) -> None:
    """Say the new type under the keys that name the old one."""
    if dtype is None:
        return
    holders = [config, *(value for value in config.values() if isinstance(value, dict))]
    for holder in holders:
        for key in ("torch_dtype", "dtype"):
            if isinstance(holder.get(key), str):
                holder[key] = str(dtype).removeprefix("torch.")
