"""Where each tensor of a published checkpoint lies: safetensors headers and the index over several files.

Only names, types, shapes and byte ranges are read here, never a weight. All of it comes from somebody else, so each
number is held against the size of the file before anything is made of it.
"""

import math
import os
import re
import stat
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from redraft.errors import CheckpointError
from redraft.reading import find_inside, parse_json, read_file

__all__ = ["INDEX_NAME", "SINGLE_NAME", "StoredTensor", "find_tensors", "read_header"]

SINGLE_NAME = "model.safetensors"
INDEX_NAME = "model.safetensors.index.json"

_MAX_JSON_BYTES = 8 << 20
"""Of one header or one index. LLaDA2.0-flash, with 256 experts in each of 32 layers, needs 4 million bytes."""

_MAX_SHARDS = 1000
_MAX_DIMENSIONS = 8
_MAX_TENSOR_NAME_CHARS = 300
_SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")

_DTYPES = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}
"""What weights may be stored as. Others can stand in a file, as buffers that nobody reads."""

_OTHER_ITEM_BYTES = {
    "F64": 8,
    "I64": 8,
    "U64": 8,
    "I32": 4,
    "U32": 4,
    "I16": 2,
    "U16": 2,
    "I8": 1,
    "U8": 1,
    "BOOL": 1,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
}

_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredTensor:
    """One tensor in a file; nothing of it is loaded."""

    path: Path
    """The file, resolved."""
    dtype_name: str
    """As the format writes it: F32, BF16, F16, I64 and so on."""
    shape: tuple[int, ...]
    """Its sizes."""
    begin: int
    """Its first byte, from the start of the file."""
    num_bytes: int
    """Its length."""

    @property
    def numel(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> torch.dtype | None:
        """The type as torch has it; None if it is none that weights may have."""
        return _DTYPES.get(self.dtype_name)


def find_tensors(folder: Path) -> dict[str, StoredTensor]:
    """Return every tensor of a published folder by name, from one file or from those that an index lists.

    Args:
        folder: The checkpoint.

    Returns:
        The tensors; not a byte of a weight is read.

    Raises:
        CheckpointError: A file is missing, odd, or not what the index says; or the weights are pickled.
    """
    has_single, has_index = ((folder / name).exists() for name in (SINGLE_NAME, INDEX_NAME))
    if has_single and has_index:
        raise CheckpointError(f"{folder} holds both {SINGLE_NAME} and {INDEX_NAME}; remove the one that is not meant")
    if has_single:
        return read_header(find_inside(folder, SINGLE_NAME))
    if not has_index:
        raise CheckpointError(_what_is_there_instead(folder))
    weight_map = _read_index(folder)
    shards = {name: find_inside(folder, name) for name in sorted(set(weight_map.values()))}
    missing = [name for name, path in shards.items() if not path.exists()]
    if missing:
        raise CheckpointError(
            f"{folder} lacks {len(missing)} of the {len(shards)} files that {INDEX_NAME} lists, the first is "
            f"{missing[0]}; fetch the whole checkpoint"
        )
    unlisted = sorted(name for name in os.listdir(folder) if _SHARD.fullmatch(name) and name not in shards)
    if unlisted:
        raise CheckpointError(
            f"{folder} holds {unlisted[0]}, which {INDEX_NAME} does not list; do they belong together?"
        )
    tensors: dict[str, StoredTensor] = {}
    for name, path in shards.items():
        found = read_header(path)
        _compare(found, (tensor for tensor, file in weight_map.items() if file == name), folder / name)
        tensors |= found
    return tensors


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
            if length is None or length > min(_MAX_JSON_BYTES, status.st_size - 8):
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
    dtype = _DTYPES.get(kind) if isinstance(kind, str) else None
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


def _read_index(folder: Path) -> dict[str, str]:
    """Return which file holds each tensor; the names of the files are checked later, by ``find_inside``."""
    path = folder / INDEX_NAME
    index = parse_json(read_file(find_inside(folder, INDEX_NAME), _MAX_JSON_BYTES), path)
    weight_map = index.get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CheckpointError(f"{path} has no 'weight_map' that says which file holds each tensor")
    odd = next((name for name in weight_map.values() if not isinstance(name, str)), None)
    if odd is not None or None in weight_map.values():
        raise CheckpointError(f"{path} has the entry {str(odd)[:80]} where a file name belongs")
    files = set(weight_map.values())
    if len(files) > _MAX_SHARDS:
        raise CheckpointError(f"{path} lists {len(files)} files; at most {_MAX_SHARDS} are allowed")
    foreign = next((name for name in sorted(files) if not name.endswith(".safetensors")), None)
    if foreign is not None:
        raise CheckpointError(f"{path} lists {foreign[:80]!r}; weights are read from .safetensors files only")
    return weight_map


def _compare(found: Mapping[str, StoredTensor], listed: Iterable[str], path: Path) -> None:
    """Hold what a file has against what the index says of it."""
    wanted = set(listed)
    missing, extra = sorted(wanted - found.keys()), sorted(found.keys() - wanted)
    if missing or extra:
        what = f"lacks {missing[0][:80]!r}, which" if missing else f"holds {extra[0][:80]!r}, which"
        verb = "puts there" if missing else "does not put there"
        raise CheckpointError(f"{path} {what} {INDEX_NAME} {verb}; do they belong together?")


def _what_is_there_instead(folder: Path) -> str:
    """Say why a folder has no weights."""
    if not folder.is_dir():
        return f"there is no checkpoint folder {folder}"
    names = sorted(os.listdir(folder))
    shard = next((name for name in names if name.endswith(".safetensors")), None)
    pickled = next((name for name in names if name.endswith(_PICKLES)), None)
    if shard is not None:
        return f"{folder} holds {shard[:80]} but no {INDEX_NAME}, which says what belongs to the model"
    if pickled is not None:
        return (
            f"{folder} holds its weights as {pickled[:80]}, a pickle, which can run code and is never opened; "
            "get the checkpoint as safetensors"
        )
    return f"{folder} holds no weights: neither {SINGLE_NAME} nor {INDEX_NAME}"
