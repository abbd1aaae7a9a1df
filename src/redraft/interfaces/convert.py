"""``redraft convert``: writes a checkpoint in another layout, type or cut, or makes a block-diffusion start of one."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redraft.errors import ConfigError
from redraft.interfaces.output import to_json, write_text
from redraft.interfaces.start import import_torch

__all__ = ["BLOCK_DIFFUSION", "ConvertOptions", "convert", "parse_size"]

BLOCK_DIFFUSION = "block-diffusion"
"""The one ``--to`` that makes another model of a model."""

_DEFAULT_BLOCK_LENGTH = 32
"""Fast-dLLM v2's and LLaDA2's."""

_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_LEAST_SHARD_BYTES = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class ConvertOptions:
    """What the command line says."""

    source: str
    """Name or path of the checkpoint."""
    target: Path
    """Where to write."""
    layout: str | None
    """``--to``; None keeps the layout."""
    dtype: str | None
    """Type of the weights; None keeps it."""
    shard_size: str | None
    """Most bytes of one weight file, with a unit; None is five gigabytes."""
    block_length: int | None
    """Positions of a block, with ``--to block-diffusion`` only."""
    is_json: bool
    """JSON instead of lines."""


def convert(options: ConvertOptions) -> None:
    """Write the checkpoint and say what was written.

    Args:
        options: What to write and how.

    Raises:
        ConfigError: The options don't go together, or this model can't be written so.
    """
    shard_bytes = None if options.shard_size is None else parse_size(options.shard_size)
    if options.block_length is not None and options.layout != BLOCK_DIFFUSION:
        raise ConfigError(f"--block-length goes with --to {BLOCK_DIFFUSION}; other layouts keep the model's own")
    import_torch()
    import torch

    from redraft.denoiser.conversion import convert_checkpoint
    from redraft.engine.hub import resolve_model
    from redraft.training.block_start import make_block_start

    dtypes = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16, None: None}
    source = resolve_model(options.source)
    settings: dict[str, Any] = {"dtype": dtypes[options.dtype], "shard_bytes": shard_bytes}
    if options.layout == BLOCK_DIFFUSION:
        block_length = _DEFAULT_BLOCK_LENGTH if options.block_length is None else options.block_length
        made = make_block_start(source, options.target, block_length=block_length, **settings)
        lines = {
            "family": f"{made.family}, blocks of {made.block_length}, {'shifted' if made.is_shifted else 'unshifted'}",
            "mask": f"{made.mask_text}, id {made.mask_token_id} ({made.mask_origin}; its row: {made.mask_row})",
            "next": "redraft train recipes/adapt.toml: until it is trained this is no diffusion model yet",
        }
    else:
        made = convert_checkpoint(source, options.target, layout=options.layout, **settings)
        lines = {
            "layout": made.layout if made.layout == made.source_layout else f"{made.source_layout} to {made.layout}",
            "weights": f"{made.num_tensors} tensors, {', '.join(made.dtypes)}",
            "carried": ", ".join(made.carried) or "-",
        }
    if options.is_json:
        sys.stdout.write(to_json(made.to_dict()) + "\n")
        return
    lines = {
        "folder": made.folder,
        **lines,
        "size": f"{made.size_bytes / 1e6:.1f} MB",
        "manifest": made.manifest_sha256,
    }
    for name, text in lines.items():
        write_text(f"{name:<9} {text}")


def parse_size(text: str) -> int:
    """Read a size such as 5GB.

    >>> parse_size("5GB"), parse_size("1.5 MB"), parse_size("4096")
    (5000000000, 1500000, 4096)

    Args:
        text: A number, with KB, MB or GB (thousands) behind it, or alone for bytes.

    Returns:
        The bytes.

    Raises:
        ConfigError: It is no size, or too small to be one.
    """
    match = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?) ?(|KB|MB|GB)", text.strip().upper(), re.ASCII)
    size = int(float(match[1]) * _UNITS[match[2]]) if match else 0
    if size < _LEAST_SHARD_BYTES:
        raise ConfigError(f"the size {text[:40]!r} is none; use a number of at least 1 KB, such as 5GB or 500MB")
    return size
