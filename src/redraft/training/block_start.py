"""Turns an autoregressive Qwen2, Qwen3 or Llama checkpoint into a block-diffusion one, ready to be adapted.

Every weight stays as it is. What changes: the configuration names a family whose attention is bidirectional inside a
block and causal from block to block, and one row of the embedding becomes the mask. Until it is trained
(``recipes/adapt.toml``) the result is no diffusion model yet, though its weights are in the right place.

===========  ==============  ================================================================================
from         becomes         because
===========  ==============  ================================================================================
Qwen2        fast_dllm_v2    the same weights; outputs stay shifted by one (Fast-dLLM v2, arXiv 2509.26328)
Qwen3        sdar            the same weights; outputs score their own position (SDAR)
Llama        fast_dllm_v2    Qwen2 is Llama with biases on queries, keys and values: these are added as zeros
===========  ==============  ================================================================================
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from redraft.denoiser.carried import carried_files
from redraft.denoiser.conversion import refuse_foreign_weights
from redraft.denoiser.families import (
    KNOWN_ARCHITECTURES,
    BackboneConfig,
    FamilySpec,
    detect_family,
    parameter_shapes,
    published_names,
    read_config,
    redundant_names,
    write_config,
)
from redraft.denoiser.planned import PlannedTensor, planned_weight
from redraft.denoiser.published import Published, open_published
from redraft.denoiser.publishing import DEFAULT_SHARD_BYTES, refuse_occupied, write_published
from redraft.errors import ConfigError
from redraft.text.mask_token import MaskToken, choose_mask_token, files_with_mask_token

__all__ = ["BlockStart", "make_block_start"]

_FAST_DLLM_V2 = "Fast_dLLM_QwenForCausalLM"
_SDAR = "SDARForCausalLM"

_BECOMES = {
    "Qwen2ForCausalLM": ("qwen2", _FAST_DLLM_V2, "|<MASK>|"),
    "Qwen3ForCausalLM": ("qwen3", _SDAR, "<|MASK|>"),
    "LlamaForCausalLM": ("llama", _FAST_DLLM_V2, "|<MASK>|"),
}
"""Layout of the weights, class name of the result, and what its family's mask looks like, by the source's class."""

_MODEL_TYPES = {"qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM", "llama": "LlamaForCausalLM"}
_BLOCK_KEYS = {_FAST_DLLM_V2: "bd_size", _SDAR: "block_size"}
_LEFT_OUT = ("attention_bias", "mlp_bias", "auto_map", "pretraining_tp")
"""Keys that belong to the source's class."""

_ROWS_AT_ONCE = 8192


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockStart:
    """What was made."""

    folder: str
    """Where it stands."""
    source_architecture: str
    """The class of what was read."""
    family: str
    """The family of what was written."""
    is_shifted: bool
    """Whether the output at one position scores the next."""
    block_length: int
    """Positions of a block."""
    mask_token_id: int
    """Id of the mask."""
    mask_text: str
    """What the mask looks like."""
    mask_origin: str
    """present, unused, reserved or new; see ``redraft.text.mask_token``."""
    mask_row: str
    """kept, or mean: the mean of all other rows."""
    vocab_size: int
    """Rows of the embedding now."""
    size_bytes: int
    """Bytes of the weights."""
    manifest_sha256: str
    """Pins every byte of the folder."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def make_block_start(
    source: Path,
    target: Path,
    *,
    block_length: int = 32,
    dtype: torch.dtype | None = None,
    shard_bytes: int | None = None,
) -> BlockStart:
    """Write a block-diffusion start.

    Args:
        source: A published Qwen2, Qwen3 or Llama folder.
        target: A new path or an empty folder.
        block_length: Positions of a block.
        dtype: Type of the weights; None keeps each as it is stored.
        shard_bytes: Most bytes of weights in one file; None is five gigabytes.

    Returns:
        What was made.

    Raises:
        ConfigError: The source is of another kind, or has settings that the family lacks; the target is not free.
        CheckpointError: The source is damaged, or the disk refuses.
    """
    refuse_occupied(target)
    found = open_published(source)
    architecture = _architecture(found)
    layout, becomes, mask_text = _BECOMES[architecture]
    reading = replace(KNOWN_ARCHITECTURES[becomes], layout=layout, block_length=block_length)
    shape = read_config(reading, found.config)
    if layout == "llama" and shape.has_qkv_bias:
        raise ConfigError("this Llama has biases (attention_bias), of which no block-diffusion family has all")
    names = published_names(reading, shape)
    refuse_foreign_weights(found, names, parameter_shapes(shape), redundant_names(reading, shape))
    mask = choose_mask_token(source, num_rows=shape.vocab_size, text=mask_text)
    num_rows = max(shape.vocab_size, mask.id + 1)
    wanted_shape = replace(shape, vocab_size=num_rows, has_qkv_bias=shape.has_qkv_bias or becomes == _FAST_DLLM_V2)
    config = _config(found, becomes, wanted_shape, mask, block_length)
    spec = detect_family(config, tokenizer_config=found.tokenizer_config, generation_config=found.generation_config)
    assert read_config(spec, config) == wanted_shape, "the configuration does not say what was meant"
    tensors = list(_planned(found, names, spec, wanted_shape, mask, dtype))
    files = {**carried_files(source), **files_with_mask_token(source, mask)}
    files["config.json"] = (json.dumps(config, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
    digest = write_published(target, tensors, files, shard_bytes=shard_bytes or DEFAULT_SHARD_BYTES)
    return BlockStart(
        folder=str(target),
        source_architecture=architecture,
        family=spec.name,
        is_shifted=spec.is_shifted,
        block_length=block_length,
        mask_token_id=mask.id,
        mask_text=mask.text,
        mask_origin=mask.origin,
        mask_row="kept" if mask.origin == "present" else "mean",
        vocab_size=num_rows,
        size_bytes=sum(tensor.num_bytes for tensor in tensors),
        manifest_sha256=digest,
    )


def _architecture(found: Published) -> str:
    """The source's class, one of those that have a block-diffusion family."""
    listed = found.config.get("architectures")
    model_type = str(found.config.get("model_type"))
    name = listed[0] if isinstance(listed, list) and listed else _MODEL_TYPES.get(model_type)
    if name not in _BECOMES:
        raise ConfigError(
            f"architecture {str(name)[:80]!r} (model_type {model_type[:80]!r}) has no block-diffusion start; "
            f"known are {', '.join(_BECOMES)}"
        )
    return name


def _config(
    found: Published, becomes: str, shape: BackboneConfig, mask: MaskToken, block_length: int
) -> dict[str, Any]:
    """The source's configuration with the attention switched and the mask in it; its ends of text stay."""
    spec = replace(KNOWN_ARCHITECTURES[becomes], block_length=block_length, mask_token_id=mask.id, end_token_ids=())
    kept = {key: value for key, value in found.config.items() if key not in _LEFT_OUT}
    return {**kept, **write_config(spec, shape), _BLOCK_KEYS[becomes]: block_length}


def _planned(
    found: Published,
    old_names: dict[str, str],
    spec: FamilySpec,
    shape: BackboneConfig,
    mask: MaskToken,
    dtype: torch.dtype | None,
) -> Iterator[PlannedTensor]:
    """Every weight of the result: as it was, with a row for the mask, or zeros where the source has no bias."""
    shapes = parameter_shapes(shape)
    for name, new_name in published_names(spec, shape).items():
        # A bias that the source lacks is of the type of its matrix.
        stored = found.tensors[old_names[name if name in old_names else name.replace(".bias", ".weight")]]
        kind = dtype or stored.dtype
        assert kind is not None, "looked at before"
        read: Callable[[], Tensor]
        if name not in old_names:
            read = _zeros(shapes[name])
        elif name in ("embedding.weight", "head.weight") and mask.origin != "present":
            read = _with_mask_row(found, old_names[name], mask.id)
        else:
            read = _as_it_was(found, old_names[name])
        yield planned_weight(new_name, shapes[name], kind, read)


def _zeros(shape: tuple[int, ...]) -> Callable[[], Tensor]:
    return lambda: torch.zeros(shape)


def _as_it_was(found: Published, name: str) -> Callable[[], Tensor]:
    return lambda: found.weights()[name]


def _with_mask_row(found: Published, name: str, row: int) -> Callable[[], Tensor]:
    """The matrix with the mean of all its other rows at ``row``, which may be one behind the last.

    The mean is where a new token disturbs the others least (Hewitt 2021, "Initializing New Word Embeddings for
    Pretrained Language Models"); an unused row holds whatever its initialisation left there.
    """

    def read() -> Tensor:
        old = found.weights()[name]
        others = torch.ones(len(old), dtype=torch.float32)
        others[row : row + 1] = 0.0
        total = torch.zeros(old.shape[1], dtype=torch.float64)
        for first in range(0, len(old), _ROWS_AT_ONCE):
            part = old[first : first + _ROWS_AT_ONCE].float()
            total += (others[first : first + _ROWS_AT_ONCE, None] * part).sum(dim=0).double()
        new = old.new_empty(max(len(old), row + 1), old.shape[1])
        new[: len(old)] = old
        new[row] = (total / float(others.sum())).to(old.dtype)
        return new

    return read
