"""Where each tensor of a published checkpoint lies: safetensors headers and the index over several files.

Only names, types, shapes and byte ranges are read here, never a weight.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from redraft.denoiser.safetensors_header import MAX_JSON_BYTES, read_header
from redraft.denoiser.stored_tensor import StoredTensor
from redraft.errors import CheckpointError
from redraft.reading import find_inside, parse_json, read_file

__all__ = ["INDEX_NAME", "SINGLE_NAME", "StoredTensor", "find_tensors", "read_header"]

SINGLE_NAME = "model.safetensors"
INDEX_NAME = "model.safetensors.index.json"

_MAX_SHARDS = 1000
_SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")

_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


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


def _read_index(folder: Path) -> dict[str, str]:
    """Return which file holds each tensor; the names of the files are checked later, by ``find_inside``."""
    path = folder / INDEX_NAME
    index = parse_json(read_file(find_inside(folder, INDEX_NAME), MAX_JSON_BYTES), path)
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
