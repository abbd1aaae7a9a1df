"""Small files and JSON from somebody else, read with every size checked before it costs anything.

Nothing here knows what a file means. A fault is a ``CheckpointError``: these are the files of checkpoint folders.
"""

import json
import os
import stat
from pathlib import Path
from typing import Any

from redraft.errors import CheckpointError

__all__ = ["find_inside", "parse_json", "read_file"]

_MAX_NAME_CHARS = 200
"""Linux allows 255 bytes; names of published shards have about 40."""

_MAX_VALUES = 1_000_000
"""Values of one JSON text, at up to a hundred bytes of memory each; the header of a huge model has 300,000."""

_MAX_DEPTH = 64
"""Levels of one JSON text; configurations have five."""


def read_file(path: Path, limit: int, expected_size: int | None = None) -> bytes:
    """Return a regular file's content; size checks come before the read, so nothing absurd is ever held.

    Args:
        path: The file.
        limit: Most bytes allowed.
        expected_size: What a manifest says, if there is one.

    Returns:
        The bytes.

    Raises:
        CheckpointError: The file is missing, can't be read, is no regular file or of another size.
    """
    try:
        # O_NONBLOCK: opening a FIFO that nobody writes to must not hang.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise CheckpointError(f"{path} is no regular file")
            if expected_size is not None and status.st_size != expected_size:
                raise CheckpointError(
                    f"{path} has {status.st_size} bytes, the manifest says {expected_size} (truncated or altered?)"
                )
            if status.st_size > limit:
                raise CheckpointError(f"{path} has {status.st_size} bytes; at most {limit} are allowed")
            return file.read(status.st_size)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} is missing; a checkpoint folder needs it") from error
    except OSError as error:
        raise CheckpointError(f"can't read {path}: {error.strerror or error}") from error


def parse_json(raw: bytes, path: Path, *, max_values: int = _MAX_VALUES) -> dict[str, Any]:
    """Parse one JSON object strictly: UTF-8, no NaN, no key twice, no depth or count that exhausts the memory.

    Args:
        raw: The text.
        path: Where it came from, for the message.
        max_values: Most values in it, keys included.

    Returns:
        The object.

    Raises:
        CheckpointError: It is anything else.
    """
    # Every value follows a comma, a colon or a bracket; those inside strings count too, which errs to the safe side.
    if sum(raw.count(mark) for mark in (b",", b":", b"[", b"{")) > max_values:
        raise CheckpointError(f"{path} is not valid JSON: it has more than {max_values} values")
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise CheckpointError(f"{path} is not valid JSON: {reason}") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} holds a JSON {type(value).__name__}; it must be an object")
    if _is_deeper(value, _MAX_DEPTH):
        raise CheckpointError(f"{path} is not valid JSON: it is nested more than {_MAX_DEPTH} levels deep")
    return value


def find_inside(folder: Path, name: str) -> Path:
    """Return where a file of a checkpoint folder really lies; it can't lie elsewhere.

    A plain name is taken, no path. A link may lead to a file of the same folder, or to where the download cache of the
    Hugging Face hub keeps the files of this very repository (``snapshots/REVISION/x`` to ``blobs/HASH``).

    Args:
        folder: The checkpoint.
        name: What the file is called there; it may come from another file.

    Returns:
        The resolved path; the file may be missing.

    Raises:
        CheckpointError: The name is a path or odd, or a link leads out.
    """
    is_plain = name.isprintable() and not name.startswith((".", "~")) and not set(name) & set('/\\:"*?<>|')
    if not is_plain or not 0 < len(name) <= _MAX_NAME_CHARS or name != name.strip():
        raise CheckpointError(
            f"{folder} names the file {name[:_MAX_NAME_CHARS]!r}; a plain file name is allowed, no path"
        )
    try:
        root = folder.resolve()
        target = (root / name).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: a circle of links, before Python 3.13
        raise CheckpointError(f"can't follow {folder / name}: {error}") from error
    homes = [root, root.parent.parent / "blobs"] if root.parent.name == "snapshots" else [root]
    if not any(target.is_relative_to(home) for home in homes):
        raise CheckpointError(f"{folder / name} is a link that leads out of the folder; copy the file itself there")
    return target


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs as a dict; a repeated key would let two readers see two different files."""
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key appears twice in one object")
    return result


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _is_deeper(value: Any, levels: int) -> bool:
    """Say whether containers are nested deeper than this; whoever walks the value later may then recurse."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return False
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in value)
