"""Puts a revised text in the place of a file: all of it or nothing of it, and only if nobody else wrote meanwhile."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from redraft.errors import PromptError

__all__ = ["replace_file"]


def replace_file(path: str | Path, text: str, *, expected: bytes) -> None:
    """Write a text to a new file beside the old one, and let it take the old one's name and mode.

    A reader sees the old bytes or the new ones, never a part. A link stays one: what it leads to is replaced.

    Args:
        path: The file.
        text: What it shall hold.
        expected: What it must still hold.

    Raises:
        PromptError: It has changed since it was read, or may not be written.
    """
    target = Path(path).resolve()
    temporary = None
    try:
        status = target.stat()
        if not stat.S_ISREG(status.st_mode) or target.read_bytes() != expected:
            raise PromptError(f"{path} has changed since it was read; nothing was written, so try again")
        if not os.access(target, os.W_OK):
            raise PromptError(f"{path} may not be written; nothing was")
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:80]}.", suffix=".new")
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        _take_over(temporary, status)
        temporary.replace(target)
        temporary = None
    except OSError as error:
        raise PromptError(f"can't write {path}: {error.strerror or error}; it is as it was") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()


def _take_over(new: Path, old: os.stat_result) -> None:
    """Give a file the owner, if that is allowed, and the mode of another."""
    if hasattr(os, "chown"):
        with contextlib.suppress(PermissionError):
            os.chown(new, old.st_uid, old.st_gid)
    new.chmod(stat.S_IMODE(old.st_mode))
