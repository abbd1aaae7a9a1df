r"""A text as it lies in a file, and what has to come back byte for byte: its line endings and its byte order mark.

The model sees lines that end with a line feed. Where every line of a text ends with CR LF, those are taken out before
and put back after; where endings are mixed, they stay in the text, and each kept line keeps its own.
"""

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from redraft.errors import PromptError

__all__ = ["MAX_BYTES", "Source", "check_text", "read_source", "source_of"]

MAX_BYTES = 1 << 20
"""Longest text. A model that edits a hundred tokens at a time would take minutes for more."""

_MARK = "\ufeff"


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    r"""A text without its packaging.

    >>> source = source_of("one\r\ntwo")
    >>> source.text, source.restore("one\n2")
    ('one\ntwo', 'one\r\n2')
    """

    text: str
    """What the model may see and what pins count in."""
    is_crlf: bool
    """Whether every line feed of the original stands behind a carriage return."""
    has_mark: bool
    """Whether the original begins with a byte order mark."""

    def restore(self, text: str) -> str:
        """Put line endings and mark back.

        Args:
            text: A revision of ``text``, or a part of it.

        Returns:
            The revision as the original was written; the mark only where it is the whole text that came back.
        """
        return text.replace("\n", "\r\n") if self.is_crlf else text

    @property
    def mark(self) -> str:
        """What stands before the text."""
        return _MARK if self.has_mark else ""


def source_of(text: str) -> Source:
    """Take a text out of its packaging; one that can't be edited is refused.

    Args:
        text: Any text.

    Returns:
        The text and how it was written.
    """
    has_mark = text.startswith(_MARK)
    body = text[len(_MARK) :] if has_mark else text
    check_text(body, "the text")
    num_feeds = body.count("\n")
    is_crlf = num_feeds > 0 and body.count("\r\n") == num_feeds and "\r\r\n" not in body
    return Source(text=body.replace("\r\n", "\n") if is_crlf else body, is_crlf=is_crlf, has_mark=has_mark)


def check_text(text: str, name: str) -> None:
    """Refuse what can't be edited.

    Args:
        text: What came.
        name: What to call it.

    Raises:
        PromptError: There is nothing in it, too much, or half a character.
    """
    if not text:
        raise PromptError(f"{name} is empty; there is nothing to edit")
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise PromptError(
            f"{name} has a lone surrogate (U+{ord(text[error.start]):04X}) at character {error.start}, which is not "
            "valid Unicode"
        ) from error
    if size > MAX_BYTES:
        raise _too_long(name, f"{size}")


def read_source(path: str | None) -> tuple[bytes, str]:
    """Read a file, or standard input, that has to hold text.

    Args:
        path: Where it is; ``-`` or None for standard input.

    Returns:
        Its bytes, and the text that they spell, packaging included.

    Raises:
        PromptError: It can't be read, or is no text in UTF-8, or too long, or empty.
    """
    name = "standard input" if path in (None, "-") else str(path)
    raw = sys.stdin.buffer.read(MAX_BYTES + 1) if path in (None, "-") else _read(str(path))
    if len(raw) > MAX_BYTES:
        raise _too_long(name, f"more than {MAX_BYTES}")
    if b"\0" in raw:
        raise PromptError(f"{name} is a binary file: byte {raw.index(0)} is zero; only text can be edited")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = raw[error.start]
        raise PromptError(f"{name} is not UTF-8 text: byte {error.start} is {byte:#04x}; convert it first") from error
    check_text(text.removeprefix(_MARK), name)
    return raw, text


def _read(path: str) -> bytes:
    """At most one byte more than is allowed; a pipe or a device must not hang it."""
    try:
        descriptor = os.open(Path(path), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise PromptError(f"{path} is no regular file; give a file, or - for standard input")
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, PromptError):
            raise
        raise PromptError(f"can't read {path}: {getattr(error, 'strerror', None) or error}") from error


def _too_long(name: str, size: str) -> PromptError:
    return PromptError(f"{name} has {size} bytes; at most {MAX_BYTES} can be edited at once, so cut it into parts")
