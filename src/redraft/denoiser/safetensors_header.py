"""What a safetensors file says it holds: names, types, shapes and byte ranges, never a weight.

All of it comes from somebody else, so each number is held against the size of the file before anything is made of it.
"""

import math
import os
import stat
import struct
from pathlib import Path
from typing import Any

from redraft.denoiser.stored_tensor import WEIGHT_DTYPES, StoredTensor
from redraft.errors import CheckpointError
from redraft.reading import parse_json

__all__ = ["MAX_JSON_BYTES", "read_header"]

MAX_JSON_BYTES = 8 << 20
"""Of one header or one index. LLaDA2.0-flash, with 256 experts in each of 32 layers, needs 4 million bytes."""

_MAX_DIMENSIONS = 8
_MAX_TENSOR_NAME_CHARS = 300

_OTHER_ITEM_BYTES = {
    **dict.fromkeys(("F64", "I64", "U64"), 8),
    **dict.fromkeys(("I32", "U32"), 4),
    **dict.fromkeys(("I16", "U16"), 2),
    **dict.fromkeys(("I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2"), 1),
}


def read_header(path: Path) -> dict[str, StoredTensor]:
    """Return the tensors of one safetensors file, which must fill it without gap or overlap.

    Args:
        path: The file.

    Returns:
        The tensors by name.

    Raises:
        CheckpointError: The file is missing, damaged or no safetensors file.
    """
    raw, size = _read_header_bytes(path)
    header = parse_json(raw, path)
    header.pop("__metadata__", None)
    if not header:
        raise CheckpointError(f"{path} holds no tensors")
    start = 8 + len(raw)
    tensors = {name: _checked_entry(name, entry, start, path) for name, entry in header.items()}
    spans = sorted((tensor.begin, tensor.begin + tensor.num_bytes) for tensor in tensors.values())
    if [begin for begin, _ in spans] != [start, *(end for _, end in spans[:-1])]:
        raise CheckpointError(f"{path}: its tensors overlap or leave gaps")
    if spans[-1][1] != size:
        raise CheckpointError(
            f"{path} has {size} bytes, its header describes {spans[-1][1]} (not wholly fetched, or damaged?)"
        )
    return tensors


def _read_header_bytes(path: Path) -> tuple[bytes, int]:
    """Return a file's header and the file's size."""
    try:
        # O_NONBLOCK: opening a FIFO that nobody writes to must not hang.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise CheckpointError(f"{path} is no regular file")
            length = struct.unpack("<Q", prefix)[0] if len(prefix := file.read(8)) == 8 else None
            if length is None or length > min(MAX_JSON_BYTES, status.st_size - 8):
                claim = "is too short" if length is None else f"claims a header of {length} bytes"
                raise CheckpointError(f"{path} {claim}; it is no safetensors file, or was not wholly fetched")
            return file.read(length), status.st_size
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} is missing; fetch the whole checkpoint") from error
    except OSError as error:
        raise CheckpointError(f"can't read {path}: {error.strerror or error}") from error


def _checked_entry(name: str, entry: Any, start: int, path: Path) -> StoredTensor:
    """Return one entry of a header; that its byte range lies in the file follows from there being no gaps."""
    shown = repr(name[:80])
    if not 0 < len(name) <= _MAX_TENSOR_NAME_CHARS or not name.isprintable():
        raise CheckpointError(f"{path}: the tensor name {shown} is not one")
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise CheckpointError(f"{path}: the header entry of {shown} is malformed")
    kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    dtype = WEIGHT_DTYPES.get(kind) if isinstance(kind, str) else None
    item_bytes = dtype.itemsize if dtype else _OTHER_ITEM_BYTES.get(kind) if isinstance(kind, str) else None
    if item_bytes is None:
        raise CheckpointError(f"{path}: {shown} has the unknown type {str(kind)[:40]!r}")
    if not _are_wholes(shape) or len(shape) > _MAX_DIMENSIONS or any(size < 1 for size in shape):
        raise CheckpointError(
            f"{path}: {shown} has the shape {str(shape)[:80]}; at most 8 sizes of at least 1 are allowed"
        )
    if not _are_wholes(offsets) or len(offsets) != 2:
        raise CheckpointError(f"{path}: the offsets of {shown} are malformed")
    begin, end = offsets
    if not 0 <= begin <= end or end - begin != math.prod(shape) * item_bytes:
        raise CheckpointError(f"{path}: the offsets of {shown}, {str(offsets)[:80]}, do not fit its shape and type")
    return StoredTensor(path=path, dtype_name=kind, shape=tuple(shape), begin=start + begin, num_bytes=end - begin)


def _are_wholes(value: Any) -> bool:
    """Say whether this is a list of whole numbers that 64 bits can hold."""
    return isinstance(value, list) and all(type(item) is int and abs(item) < 1 << 63 for item in value)
