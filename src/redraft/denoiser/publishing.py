"""Writes a published folder: weights in one safetensors file or in shards, small files beside them, and a manifest.

Weights go to the disk one at a time, so that a model larger than the memory can be written. The folder appears in one
rename when everything in it is on the disk. ``redraft.denoiser.published`` reads what is written here.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from redraft.denoiser.manifest import MANIFEST_NAME, manifest_json, staged_folder, write_durably
from redraft.denoiser.planned import PlannedTensor
from redraft.denoiser.shards import INDEX_NAME, SINGLE_NAME
from redraft.errors import ConfigError

__all__ = ["DEFAULT_SHARD_BYTES", "refuse_occupied", "write_published"]

DEFAULT_SHARD_BYTES = 5_000_000_000
"""Most bytes of weights in one file; what transformers wrote for years, and most hubs still like."""

_MAX_SHARDS = 1000
_ALIGNMENT = 64
"""The weights begin at a multiple of this: the format asks for 8, a processor's cache lines have 64 bytes."""


def refuse_occupied(folder: Path) -> None:
    """Refuse a place where something stands already.

    Args:
        folder: Where a checkpoint shall be written.

    Raises:
        ConfigError: It is no folder, or one that is not empty.
    """
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise ConfigError(f"{folder} exists and is not an empty folder; nothing is overwritten, choose another path")


def write_published(
    folder: Path,
    tensors: Sequence[PlannedTensor],
    files: Mapping[str, bytes],
    *,
    shard_bytes: int = DEFAULT_SHARD_BYTES,
    is_replacing: bool = False,
) -> str:
    """Write the folder, at once or not at all.

    Args:
        folder: Where it shall stand.
        tensors: The weights, in the order in which they are to lie in the files.
        files: The small files by name, config.json among them.
        shard_bytes: Most bytes of weights in one file; a larger weight gets a file of its own.
        is_replacing: Whether a folder that was written here before is replaced.

    Returns:
        SHA-256 of the manifest, which pins every byte of the folder.

    Raises:
        ConfigError: Something else stands there, or the shards would be too many.
        CheckpointError: A weight is not finite, or the disk refuses.
    """
    if not (is_replacing and (folder / MANIFEST_NAME).is_file()):
        refuse_occupied(folder)
    shards = _cut(tensors, shard_bytes)
    names = [f"model-{index + 1:05d}-of-{len(shards):05d}.safetensors" for index in range(len(shards))]
    names = names if len(shards) > 1 else [SINGLE_NAME]
    small = dict(files)
    if len(shards) > 1:
        where = {tensor.name: name for name, shard in zip(names, shards, strict=True) for tensor in shard}
        total = sum(tensor.num_bytes for tensor in tensors)
        index = {"metadata": {"total_size": total}, "weight_map": where}
        small[INDEX_NAME] = (json.dumps(index, indent=2) + "\n").encode()
    odd = [name for name in small if Path(name).name != name or name in (*names, MANIFEST_NAME)]
    assert not odd, f"these can't be names of small files: {odd}"
    entries: dict[str, tuple[int, str]] = {}
    with staged_folder(folder) as staging:
        for name, shard in zip(names, shards, strict=True):
            entries[name] = write_durably(staging / name, _file_of(shard))
        for name, content in small.items():
            entries[name] = write_durably(staging / name, [content])
        manifest = manifest_json(entries)
        write_durably(staging / MANIFEST_NAME, [manifest])
    return hashlib.sha256(manifest).hexdigest()


def _cut(tensors: Sequence[PlannedTensor], shard_bytes: int) -> list[list[PlannedTensor]]:
    """Fill one file after the other."""
    assert tensors, "a checkpoint without weights"
    shards: list[list[PlannedTensor]] = [[]]
    filled = 0
    for tensor in tensors:
        if shards[-1] and filled + tensor.num_bytes > shard_bytes:
            shards.append([])
            filled = 0
        shards[-1].append(tensor)
        filled += tensor.num_bytes
    if len(shards) > _MAX_SHARDS:
        raise ConfigError(f"the weights would make {len(shards)} files; at most {_MAX_SHARDS}, use larger shards")
    return shards


def _file_of(shard: Sequence[PlannedTensor]) -> Iterator[bytes | memoryview]:
    """Give the bytes of one safetensors file: the header's length, the header, and the weights without gaps."""
    # Wide types first, so that every weight begins at a multiple of its own width.
    shard = sorted(shard, key=lambda tensor: -tensor.item_bytes)
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    place = 0
    for tensor in shard:
        end = place + tensor.num_bytes
        header[tensor.name] = {"dtype": tensor.dtype_name, "shape": list(tensor.shape), "data_offsets": [place, end]}
        place = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    yield len(text).to_bytes(8, "little")
    yield text
    for tensor in shard:
        written = 0
        for piece in tensor.pieces():
            written += len(piece)
            yield piece
        assert written == tensor.num_bytes, f"{tensor.name} gave {written} bytes, {tensor.num_bytes} were planned"
