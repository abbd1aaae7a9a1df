"""Folders of files that are either whole or refused.

``write_folder`` puts a few files and a ``manifest.json`` (size and SHA-256 of each) in place in one rename, so that a
kill at any moment leaves the old folder or the new one. ``read_folder`` gives the bytes back only when every one of
them is what was written. Neither knows what the files mean, and the manifest is no signature: whoever can write the
folder can write the manifest.
"""

import ctypes
import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redraft.errors import CheckpointError
from redraft.reading import parse_json, read_file

__all__ = ["MANIFEST_NAME", "manifest_json", "read_folder", "staged_folder", "write_durably", "write_folder"]

MANIFEST_NAME = "manifest.json"

_FORMAT = "redraft-manifest"
_VERSION = 1
_MAX_MANIFEST_BYTES = 65_536
"""A manifest of a dozen files takes two thousand bytes."""

_RENAME_EXCHANGE = 2
"""Flag of Linux's renameat2(2): swap the two names in one step."""

_AT_FDCWD = -100
"""Linux's "relative to the working directory" for the *at system calls."""


def write_folder(folder: Path, files: Mapping[str, bytes]) -> str:
    """Write the files and their manifest as one folder, at once or not at all.

    A folder that is already there is replaced if it has a manifest of its own; anything else is left alone.

    Args:
        folder: Where it shall stand; its parents are made.
        files: Content by plain file name.

    Returns:
        SHA-256 of the manifest, which pins every byte of the folder.

    Raises:
        CheckpointError: ``folder`` holds something that no manifest describes, or can't be written.
    """
    for name in files:
        is_plain = Path(name).name == name and name != MANIFEST_NAME
        assert is_plain, f"{name!r} can't be the name of a file in the folder"
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / MANIFEST_NAME).is_file())):
        raise CheckpointError(f"{folder} exists and is no checkpoint folder; choose another path or remove it first")
    manifest = manifest_json(
        {name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in files.items()}
    )
    with staged_folder(folder) as staging:
        for name, content in files.items():
            _write_file(staging / name, content)
        _write_file(staging / MANIFEST_NAME, manifest)
    return hashlib.sha256(manifest).hexdigest()


@contextmanager
def staged_folder(folder: Path) -> Iterator[Path]:
    """Give a hidden folder to write into, which takes the place of ``folder`` when the block ends without an error.

    Args:
        folder: Where the files shall stand; its parents are made. What is there is replaced: the caller has looked.

    Yields:
        The hidden folder; gone after an error.

    Raises:
        CheckpointError: The disk refuses something.
    """
    parent = folder.absolute().parent
    staging: Path | None = None
    try:
        parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=parent))
        staging.chmod(0o755)  # mkdtemp makes it private; a checkpoint is as readable as its neighbours
        yield staging
        _sync_folder(staging)
        _put_in_place(staging, folder)
        _sync_folder(parent)
    except OSError as error:
        raise CheckpointError(f"can't write the checkpoint {folder}: {error.strerror or error}") from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)


def write_durably(path: Path, pieces: Iterable[bytes | memoryview]) -> tuple[int, str]:
    """Write a new file piece by piece, and wait until it is on the disk.

    Args:
        path: The file, which must not exist.
        pieces: Its content.

    Returns:
        Its size, and the SHA-256 of its content.
    """
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        for piece in pieces:
            file.write(piece)
            digest.update(piece)
            size += len(piece)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def read_folder(folder: Path, max_bytes: Mapping[str, int]) -> tuple[dict[str, bytes], str]:
    """Read the named files and check each against the manifest.

    Sizes are compared before anything large is read. Links are followed, because installers make them; what a link
    leads to has to match the manifest like everything else. Other files in the folder are never opened.

    Args:
        folder: What ``write_folder`` wrote.
        max_bytes: The files that must be there, and how large each may be.

    Returns:
        The content of each file, and the SHA-256 of the manifest.

    Raises:
        CheckpointError: A file is missing, too large, of another size or content than the manifest says.
    """
    if not folder.is_dir():
        raise CheckpointError(f"there is no checkpoint folder {folder}")
    raw = read_file(folder / MANIFEST_NAME, _MAX_MANIFEST_BYTES)
    entries = _entries_of(parse_json(raw, folder / MANIFEST_NAME), folder / MANIFEST_NAME)
    if set(entries) != set(max_bytes):
        raise CheckpointError(
            f"{folder / MANIFEST_NAME} lists {', '.join(sorted(map(repr, entries))) or 'nothing'}; "
            f"a checkpoint has exactly {', '.join(sorted(max_bytes))}"
        )
    contents: dict[str, bytes] = {}
    for name, limit in max_bytes.items():
        size, digest = entries[name]
        content = read_file(folder / name, limit, expected_size=size)
        if hashlib.sha256(content).hexdigest() != digest:
            raise CheckpointError(f"{folder / name} is not what the manifest describes: its SHA-256 differs (altered?)")
        contents[name] = content
    return contents, hashlib.sha256(raw).hexdigest()


def manifest_json(entries: Mapping[str, tuple[int, str]]) -> bytes:
    """Return the manifest's bytes: the same files give the same bytes.

    Args:
        entries: Size and SHA-256 by file name.

    Returns:
        The content of manifest.json.
    """
    files = {name: {"bytes": size, "sha256": digest} for name, (size, digest) in sorted(entries.items())}
    return (json.dumps({"format": _FORMAT, "version": _VERSION, "files": files}, indent=2) + "\n").encode()


def _entries_of(manifest: dict[str, Any], path: Path) -> dict[str, tuple[int, str]]:
    """Return size and SHA-256 by file name, checked in form."""
    if manifest.get("format") != _FORMAT or manifest.get("version") != _VERSION:
        raise CheckpointError(f"{path} is no {_FORMAT} of version {_VERSION}; was it written by another program?")
    files = manifest.get("files")
    if not isinstance(files, dict):
        raise CheckpointError(f"{path} has no object 'files'")
    entries: dict[str, tuple[int, str]] = {}
    for name, entry in files.items():
        size, digest = (entry.get("bytes"), entry.get("sha256")) if isinstance(entry, dict) else (None, None)
        if type(size) is not int or size < 0 or type(digest) is not str or not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise CheckpointError(f"{path}: the entry of {name!r} needs 'bytes' and a lower-case 'sha256'")
        entries[name] = (size, digest)
    return entries


def _write_file(path: Path, content: bytes) -> None:
    write_durably(path, [content])


def _sync_folder(folder: Path) -> None:
    """Make the folder's list of names durable, where the system allows opening a folder."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put_in_place(staging: Path, folder: Path) -> None:
    """Give ``staging`` the name ``folder``; what stood there before ends up at ``staging``, to be removed."""
    if not folder.exists():
        staging.rename(folder)
    elif not _exchange(staging, folder):
        # No atomic swap on this system: for a moment neither stands there, but both are whole under some name.
        retired = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=staging.parent))
        folder.rename(retired)  # onto an empty folder, which rename(2) allows
        staging.rename(folder)
        shutil.rmtree(retired, ignore_errors=True)


def _exchange(first: Path, second: Path) -> bool:
    """Swap two names in one step; False where the system or the file system can't."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if os.name == "posix" else None
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(second))
