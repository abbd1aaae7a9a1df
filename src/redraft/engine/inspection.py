"""What a model is and what it would take, told from its small files and headers: no weight is read."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch

from redraft.denoiser.checkpoint import CONFIG_NAME, WEIGHTS_NAME
from redraft.denoiser.families import (
    FamilySpec,
    detect_family,
    parameter_shapes,
    published_names,
    read_config,
    read_diffusion_gemma_rules,
)
from redraft.denoiser.memory import available_memory
from redraft.denoiser.published import Published, open_published, read_settings
from redraft.denoiser.shards import INDEX_NAME, read_header
from redraft.engine.catalog import resolve
from redraft.engine.description import Inspection
from redraft.engine.hub import fetch_settings, is_hub_name
from redraft.engine.presets import family_preset, gemma_preset
from redraft.errors import CheckpointError
from redraft.reading import find_inside, parse_json, read_file
from redraft.sampler import SamplerSettings

__all__ = ["inspect_model"]

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "int8": torch.int8}
_NATIVE = "redraft-transformer"
_MAX_CONFIG_BYTES = 1 << 20
_CONTEXT_KEYS = ("max_position_embeddings", "max_sequence_length", "context_length")
_TEMPLATES = ("chat_template.jinja", "chat_template.json")
_WORKING_SHARE = 10
"""Activations, keys and values, and scores of a canvas take about a tenth of the weights, in models of some size."""


def inspect_model(model: str) -> Inspection:
    """Describe a model; of one on the hub only the small files are fetched.

    Args:
        model: The name of a shipped checkpoint, a path with a separator in it, or ``owner/name`` on the hub.

    Returns:
        Its description.

    Raises:
        ConfigError: There is no such model, or its architecture is unknown.
        CheckpointError: It is damaged.
        DependencyError: It is on the hub, and ``huggingface_hub`` is not installed.
    """
    folder, told_bytes = fetch_settings(model) if is_hub_name(model) else (resolve(model), None)
    path = find_inside(folder, CONFIG_NAME)
    config = parse_json(read_file(path, _MAX_CONFIG_BYTES), folder / CONFIG_NAME)
    if config.get("format") == _NATIVE:
        return _native(model, folder, config)
    settings = read_settings(folder)
    spec = detect_family(
        settings["config"],
        tokenizer_config=settings["tokenizer_config"],
        generation_config=settings["generation_config"],
    )
    published = None if is_hub_name(model) and not _has_all_weights(folder) else open_published(folder)
    _check_shape(spec, settings["config"], published)
    return _described(
        model,
        folder,
        family=spec.name,
        config=settings["config"],
        attention=spec.attention,
        noise=spec.noise,
        is_shifted=spec.is_shifted,
        block_length=spec.block_length,
        ids=(spec.mask_token_id, list(spec.end_token_ids)),
        has_chat_template=_has_template(folder, settings["tokenizer_config"]),
        published=published,
        memory=_memory(published, told_bytes),
        rules=_rules(spec, folder),
        size_bytes=published.size_bytes if published else told_bytes,
    )


def _described(
    model: str,
    folder: Path,
    *,
    config: Mapping[str, Any],
    ids: tuple[int | None, list[int]],
    published: Published | None,
    memory: dict[str, int],
    **known: Any,
) -> Inspection:
    """Put a description together."""
    available = available_memory()
    return Inspection(
        model=model,
        folder=str(folder),
        architecture=_architecture(config),
        mask_token_id=ids[0],
        end_token_ids=ids[1],
        context_length=_context_length(config),
        num_parameters=published.num_parameters if published else None,
        num_files=published.num_files if published else None,
        stored_as=list(published.dtype_names) if published else [],
        is_fetched=published is not None,
        memory_bytes=memory,
        available_bytes=available,
        fits={} if available is None else {name: taken <= available for name, taken in memory.items()},
        **known,
    )


def _native(model: str, folder: Path, config: dict[str, Any]) -> Inspection:
    """Describe a checkpoint of this program's own; the loader checks it more closely."""
    tensors = read_header(find_inside(folder, WEIGHTS_NAME))
    shape, extra = config.get("transformer"), config.get("extra")
    if not isinstance(shape, dict) or not isinstance(extra, dict):
        raise CheckpointError(f"{folder / CONFIG_NAME} needs the objects 'transformer' and 'extra'")
    sampler = cast(dict[str, Any], extra).get("sampler")
    own = cast(dict[str, Any], sampler) if isinstance(sampler, dict) else {}
    published = Published(folder=folder, config=config, generation_config={}, tokenizer_config={}, tensors=tensors)
    return _described(
        model,
        folder,
        family="redraft",
        config=cast(dict[str, Any], shape),
        attention="segment",
        noise=str(own.get("family", "masked")),
        is_shifted=False,
        block_length=cast(dict[str, Any], shape).get("canvas_length"),
        ids=(None, []),
        has_chat_template=True,
        published=published,
        memory=_memory(published, None),
        rules=_told(SamplerSettings.for_effort("medium", str(own.get("family", "masked")))) | own,
        size_bytes=published.size_bytes,
    )


def _rules(spec: FamilySpec, folder: Path) -> dict[str, Any]:
    """What the engine would sample with, if nobody asks for anything else."""
    if spec.name == "diffusion_gemma":
        return _told(gemma_preset(read_diffusion_gemma_rules(folder))("medium", {}))
    return _told(family_preset(spec, "medium", {}))


def _told(settings: SamplerSettings) -> dict[str, Any]:
    return {name: value for name, value in asdict(settings).items() if value is not None}


def _memory(published: Published | None, told_bytes: int | None) -> dict[str, int]:
    """What the model would take, by type of the weights; from its size alone, it is taken to be stored in 16 bits."""
    if published is not None:
        needed = {name: published.memory_needed(dtype) for name, dtype in _DTYPES.items()}
    elif told_bytes is not None:
        needed = {"float32": 2 * told_bytes, "bfloat16": told_bytes, "int8": told_bytes // 2}
    else:
        needed: dict[str, int] = {}
    return {name: size + size // _WORKING_SHARE for name, size in needed.items()}


def _check_shape(spec: FamilySpec, config: Mapping[str, Any], published: Published | None) -> None:
    """Refuse a shape that the family can't have, and weights that are not of this shape."""
    if spec.layout == "transformers":
        return  # its adapter asks transformers
    shape = read_config(spec, config)
    if published is not None:
        names, shapes = published_names(spec, shape), parameter_shapes(shape)
        published.weights().require({names[name]: shapes[name] for name in shapes})


def _has_all_weights(folder: Path) -> bool:
    """Whether a folder that was fetched in parts holds its weights; what it holds is checked when it is opened."""
    if (folder / WEIGHTS_NAME).exists():
        return True
    if not (folder / INDEX_NAME).exists():
        return False
    try:
        open_published(folder)
    except CheckpointError:
        return False
    return True


def _has_template(folder: Path, tokenizer_config: Mapping[str, Any]) -> bool:
    beside = any(find_inside(folder, name).exists() for name in _TEMPLATES)
    return beside or tokenizer_config.get("chat_template") is not None


def _architecture(config: Mapping[str, Any]) -> str | None:
    listed = config.get("architectures")
    first: Any = cast(list[Any], listed)[0] if isinstance(listed, list) and listed else None
    return first if isinstance(first, str) else None


def _context_length(config: Mapping[str, Any]) -> int | None:
    inner = config.get("text_config")
    holder = cast(Mapping[str, Any], inner) if isinstance(inner, Mapping) else config
    found = next((holder[key] for key in _CONTEXT_KEYS if key in holder), None)
    return found if type(found) is int else None
