"""A model on disk: weights, shape, tokenizer and model card, pinned by a manifest.

::

    models/nano/
      model.safetensors   every weight, float32, float16 or bfloat16
      config.json         {"format", "version", "num_parameters", "transformer": the TransformerConfig, "extra": ...}
      tokenizer.json      text for ``redraft.text``; opaque here
      README.md           the model card
      manifest.json       size and SHA-256 of each of the four

A checkpoint is data from somewhere else. It is compared with its manifest before it is parsed, and the weights' names,
shapes and sizes with the configuration before a model is made, so a hostile folder costs no more memory than its own
size. No file can run code.
"""

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from redraft.denoiser.config import TransformerConfig
from redraft.denoiser.manifest import read_folder, write_folder
from redraft.denoiser.transformer import Transformer
from redraft.errors import CheckpointError, ConfigError
from redraft.reading import parse_json

__all__ = [
    "CARD_NAME",
    "CONFIG_NAME",
    "FORMAT",
    "TOKENIZER_NAME",
    "WEIGHTS_NAME",
    "Loaded",
    "load_checkpoint",
    "parameter_shapes",
    "save_checkpoint",
]

WEIGHTS_NAME = "model.safetensors"
CONFIG_NAME = "config.json"
TOKENIZER_NAME = "tokenizer.json"
CARD_NAME = "README.md"

FORMAT = "redraft-transformer"
"""What config.json has under ``format``, by which our own checkpoints are told from published ones."""

_VERSION = 1
_MAX_BYTES = {CONFIG_NAME: 1 << 20, CARD_NAME: 1 << 20, TOKENIZER_NAME: 16 << 20, WEIGHTS_NAME: 16 << 30}
"""Far above anything that this project writes, far below what hurts."""

_MAX_HEADER_BYTES = 1 << 22
"""A thousand layers take half a million bytes of safetensors header."""

_DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}

_MAX_SETTINGS = {
    "vocab_size": 1 << 20,
    "width": 1 << 16,
    "num_prelude_layers": 1000,
    "num_loop_layers": 1000,
    "num_loops": 1000,
    "num_coda_layers": 1000,
    "mlp_multiple": 64,
    "context_length": 1 << 24,
    "canvas_length": 1 << 20,
    "num_place_values": 64,
    "rope_base": 1 << 40,
}
"""Bounds for settings from a file: some (``num_loops``) shape no weight that could be checked instead."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """What a checkpoint folder held."""

    model: Transformer
    """Ready to denoise: in evaluation mode, without gradients."""

    tokenizer_json: str
    """Content of tokenizer.json."""

    config: dict[str, Any]
    """Content of config.json."""

    digest: str
    """SHA-256 of the manifest: two checkpoints with the same digest are the same bytes."""

    @property
    def extra(self) -> dict[str, Any]:
        """What the writer passed as ``extra_config``."""
        return self.config["extra"]


def save_checkpoint(
    folder: Path,
    *,
    model: Transformer,
    tokenizer_json: str,
    card: str,
    extra_config: Mapping[str, Any] | None = None,
    dtype: torch.dtype | None = None,
) -> str:
    """Write a checkpoint folder, at once or not at all; an older checkpoint in its place is replaced.

    Args:
        folder: Where it shall stand.
        model: The weights and their configuration.
        tokenizer_json: Serialised tokenizer.
        card: Model card, in Markdown.
        extra_config: JSON-ready values that travel with the model, such as its default sampler settings.
        dtype: How the weights are stored: float32, float16 or bfloat16; None keeps each as it is.

    Returns:
        The checkpoint's digest.

    Raises:
        CheckpointError: A weight is not finite (also when ``dtype`` can't hold it), or the folder can't be written.
    """
    from safetensors.torch import save  # here, because a loader never needs it

    weights: dict[str, Tensor] = {}
    for name, weight in model.state_dict().items():
        weights[name] = weight.detach().to(device="cpu", dtype=dtype, copy=True).contiguous()
        if not bool(torch.isfinite(weights[name]).all()):
            raise CheckpointError(f"the weight {name} is not finite as {weights[name].dtype}; nothing was written")
    config = {
        "format": FORMAT,
        "version": _VERSION,
        "num_parameters": sum(math.prod(shape) for shape in parameter_shapes(model.config).values()),
        "transformer": model.config.to_dict(),
        "extra": dict(extra_config or {}),
    }
    files = {
        WEIGHTS_NAME: save(weights),
        CONFIG_NAME: (json.dumps(config, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode(),
        TOKENIZER_NAME: tokenizer_json.encode(),
        CARD_NAME: card.encode(),
    }
    return write_folder(folder, files)


def load_checkpoint(folder: Path, *, device: str = "cpu", dtype: torch.dtype | None = None) -> Loaded:
    """Read a checkpoint folder and build its model.

    Args:
        folder: What ``save_checkpoint`` wrote.
        device: Where the model shall live.
        dtype: Type of the weights in memory; None is float32, however they are stored.

    Returns:
        The model and what belongs to it.

    Raises:
        CheckpointError: Anything is missing, damaged or not ours.
    """
    contents, digest = read_folder(folder, _MAX_BYTES)
    config, settings = _parse_config(contents[CONFIG_NAME], folder / CONFIG_NAME)
    try:
        tokenizer_json = contents[TOKENIZER_NAME].decode()
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{folder / TOKENIZER_NAME} is not UTF-8 text") from error
    shapes = parameter_shapes(settings)
    if config.get("num_parameters") != sum(math.prod(shape) for shape in shapes.values()):
        raise CheckpointError(f"{folder / CONFIG_NAME}: num_parameters does not follow from 'transformer'")
    weights = _parse_weights(contents[WEIGHTS_NAME], shapes, folder / WEIGHTS_NAME)
    model = Transformer.without_weights(settings)
    model.load_state_dict(weights, assign=True)
    model = model.to(device=device, dtype=dtype or torch.float32).eval().requires_grad_(False)
    return Loaded(model=model, tokenizer_json=tokenizer_json, config=config, digest=digest)


def parameter_shapes(config: TransformerConfig) -> dict[str, tuple[int, ...]]:
    """Shape of every weight that ``Transformer(config)`` holds, without making one.

    >>> config = TransformerConfig(vocab_size=32, width=16, num_heads=2, num_prelude_layers=1)
    >>> parameter_shapes(config)["head.weight"]
    (32, 16)
    """
    width, hidden = config.width, config.mlp_multiple * config.width
    shapes: dict[str, tuple[int, ...]] = {
        "embedding.weight": (config.vocab_size, width),
        "canvas_position.weight": (config.canvas_length, width),
        "place_value.weight": (config.num_place_values + 1, width),
        "head.weight": (config.vocab_size, width),
    }
    parts = {"prelude": config.num_prelude_layers, "loop": config.num_loop_layers, "coda": config.num_coda_layers}
    for part, num_layers in parts.items():
        for index in range(num_layers):
            layer = f"{part}.{index}"
            shapes[f"{layer}.attention.qkv.weight"] = (3 * width, width)
            shapes[f"{layer}.attention.out.weight"] = (width, width)
            shapes[f"{layer}.mlp_in.weight"] = (hidden, width)
            shapes[f"{layer}.mlp_out.weight"] = (width, hidden)
    if config.num_loop_layers:
        shapes["loop_injection"] = ()
    if config.uses_self_conditioning:
        shapes |= {f"self_conditioning.{name}.weight": (width, width) for name in ("gate", "up", "out")}
    return shapes


def _parse_config(raw: bytes, path: Path) -> tuple[dict[str, Any], TransformerConfig]:
    """Return config.json and the transformer's shape in it, checked."""
    config = parse_json(raw, path)
    if config.get("format") != FORMAT or config.get("version") != _VERSION:
        raise CheckpointError(f"{path} describes no {FORMAT} of version {_VERSION}; is it another program's model?")
    if not isinstance(config.get("transformer"), dict) or not isinstance(config.get("extra"), dict):
        raise CheckpointError(f"{path} needs the objects 'transformer' and 'extra'")
    for name, limit in _MAX_SETTINGS.items():
        value = config["transformer"].get(name)
        if isinstance(value, int | float) and value > limit:
            raise CheckpointError(f"{path}: {name}={value} is absurd; at most {limit} is allowed")
    try:
        settings = TransformerConfig.from_dict(config["transformer"])
    except ConfigError as error:
        raise CheckpointError(f"{path}: {error}") from error
    if settings.rope_base <= 0:
        raise CheckpointError(f"{path}: rope_base={settings.rope_base} must be above 0")
    return config, settings


def _parse_weights(raw: bytes, expected: dict[str, tuple[int, ...]], path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file; they must be exactly the expected ones.

    Written out rather than left to the library, so that everything is checked before anything is allocated and each
    fault has one sentence.
    """
    if len(raw) < 8:
        raise CheckpointError(f"{path} is too short for a safetensors file")
    (header_length,) = struct.unpack_from("<Q", raw)
    if header_length > min(_MAX_HEADER_BYTES, len(raw) - 8):
        raise CheckpointError(f"{path} claims a header of {header_length} bytes; it is no safetensors file of ours")
    header = parse_json(raw[8 : 8 + header_length], path)
    header.pop("__metadata__", None)
    if header.keys() != expected.keys():
        missing, unknown = sorted(expected.keys() - header.keys()), sorted(header.keys() - expected.keys())
        what = f"lacks {missing[0]!r}" if missing else f"has an unknown tensor {unknown[0]!r}"
        raise CheckpointError(f"{path} {what}; its tensors do not belong to its {CONFIG_NAME}")
    start = 8 + header_length
    spans: list[tuple[int, int]] = []
    weights: dict[str, Tensor] = {}
    for name, shape in expected.items():
        dtype, begin, end = _checked_entry(name, header[name], shape, len(raw) - start, path)
        spans.append((begin, end))
        # bytearray: torch warns about a read-only buffer, and a copy is aligned whatever the offset.
        flat = torch.frombuffer(bytearray(memoryview(raw)[start + begin : start + end]), dtype=dtype)
        weights[name] = flat.view(shape)
        if not bool(torch.isfinite(flat).all()):
            raise CheckpointError(f"{path}: the weight {name} holds NaN or infinity")
    spans.sort()
    if [begin for begin, _ in spans] != [0, *(end for _, end in spans[:-1])] or spans[-1][1] != len(raw) - start:
        raise CheckpointError(f"{path}: its tensors overlap or leave gaps")
    return weights


def _checked_entry(
    name: str, entry: Any, shape: tuple[int, ...], num_bytes: int, path: Path
) -> tuple[torch.dtype, int, int]:
    """Return type and byte range of one tensor, checked against its expected shape and the file's size."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise CheckpointError(f"{path}: the header entry of {name} is malformed")
    dtype = _DTYPES.get(entry["dtype"]) if isinstance(entry["dtype"], str) else None
    if dtype is None:
        raise CheckpointError(f"{path}: {name} has type {entry['dtype']!r}; allowed are {', '.join(_DTYPES)}")
    if entry["shape"] != list(shape):
        raise CheckpointError(f"{path}: {name} has shape {entry['shape']}; {CONFIG_NAME} makes it {list(shape)}")
    offsets = entry["data_offsets"]
    if not isinstance(offsets, list) or len(offsets) != 2 or any(type(offset) is not int for offset in offsets):
        raise CheckpointError(f"{path}: the offsets of {name} are malformed")
    begin, end = offsets
    if not 0 <= begin <= end <= num_bytes or end - begin != math.prod(shape) * dtype.itemsize:
        raise CheckpointError(f"{path}: the offsets of {name} do not fit its shape or the file")
    return dtype, begin, end
