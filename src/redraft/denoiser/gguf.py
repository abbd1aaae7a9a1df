"""Writes GGUF, the file format of llama.cpp: settings, then tensors, in float32 or Q8_0.

Only what ``redraft bench`` needs, so that a file can be made, and looked at, without llama.cpp.
"""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

__all__ = ["BLOCK", "F32", "Q8_0", "Setting", "Stored", "quantise_blocks", "write_gguf"]

BLOCK = 32
"""Q8_0 has one scale for so many neighbours in a row."""

F32, Q8_0 = 0, 8
"""Types of the format's tensors, as ggml numbers them."""

_ALIGNMENT = 32
"""Bytes; the format's default."""

_UINT32, _FLOAT32, _STRING = 4, 6, 8
"""Types of the format's settings."""

Setting = int | float | str
"""What a setting may hold here."""

Stored = tuple[tuple[int, ...], int, bytes]
"""A tensor: its sizes, that of a row first, its type and its bytes."""


def quantise_blocks(weight: np.ndarray) -> bytes:
    """Return a matrix as Q8_0: for 32 neighbours each, a float16 scale and 32 whole numbers.

    >>> len(quantise_blocks(np.ones((2, 64), np.float32)))
    136

    Args:
        weight: ``[out, in]``, with a number of inputs that is a multiple of 32.

    Returns:
        The bytes, row by row.
    """
    blocks = weight.astype(np.float32).reshape(-1, BLOCK)
    scale = np.abs(blocks).max(axis=1, keepdims=True) / 127
    whole = np.rint(blocks / np.where(scale > 0, scale, 1)).astype(np.int8)
    return np.concatenate([scale.astype("<f2").view(np.uint8), whole.view(np.uint8)], axis=1).tobytes()


def write_gguf(path: Path, settings: Mapping[str, Setting], tensors: Mapping[str, Stored]) -> None:
    """Write a file of version 3.

    Args:
        path: The file.
        settings: By name; whole numbers go in as uint32, others as float32.
        tensors: By name.
    """
    head = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(settings))]
    for name, value in settings.items():
        head += [_text(name), _setting(value)]
    offset = 0
    for name, (sizes, kind, data) in tensors.items():
        head += [_text(name), struct.pack(f"<I{len(sizes)}QIQ", len(sizes), *sizes, kind, offset)]
        offset += len(data) + -len(data) % _ALIGNMENT
    with path.open("wb") as file:
        file.write(b"".join(head))
        for data in (b"", *(data for _, _, data in tensors.values())):
            file.write(data)
            file.write(b"\0" * (-file.tell() % _ALIGNMENT))


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _setting(value: Setting) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", _STRING) + _text(value)
    if isinstance(value, float):
        return struct.pack("<If", _FLOAT32, value)
    return struct.pack("<II", _UINT32, value)
