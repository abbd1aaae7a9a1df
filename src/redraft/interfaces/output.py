"""What leaves the program: JSON on one line, text for humans and for pipes, one line per error.

A model may write anything, and a terminal obeys what it reads; so whatever goes to a terminal is made harmless here.
"""

import json
import re
import sys
from typing import Any

__all__ = ["complain", "harmless", "prepare_streams", "to_json", "write_text"]

_DANGEROUS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but tab and line feed, marks that turn the reading direction, and halves of surrogate pairs."""

_MAX_ERROR_CHARS = 600
"""An error quotes what came; this keeps it to a line that can be read."""


def harmless(text: str) -> str:
    r"""Write out every character that a terminal would obey instead of showing it.

    >>> print(harmless("\x1b[2Jboo"))
    \x1b[2Jboo
    """
    return _DANGEROUS.sub(_escape, text)


def to_json(value: Any) -> str:
    r"""Return one line of JSON that is valid UTF-8 and safe on a terminal.

    >>> print(to_json({"text": "质数\x9b\n"}))
    {"text": "质数\u009b\n"}
    """
    # These characters can stand in JSON strings only, where the escape means the same.
    return _DANGEROUS.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False))


def write_text(text: str) -> None:
    """Print an answer: harmless on a terminal, unchanged in a pipe."""
    sys.stdout.write(f"{harmless(text) if sys.stdout.isatty() else text}\n")
    sys.stdout.flush()


def complain(message: str) -> None:
    """Print one line on standard error."""
    line = harmless(" ".join(message.split()))
    if len(line) > _MAX_ERROR_CHARS:
        line = line[: _MAX_ERROR_CHARS - 1] + "…"
    sys.stderr.write(f"redraft: {line}\n")


def prepare_streams() -> None:
    """Make the streams take any text: UTF-8 in pipes whatever the locale says, never an encoding error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # absent where a test has put something in its place
        if reconfigure is not None:
            encoding = None if stream.isatty() else "utf-8"
            reconfigure(encoding=encoding, errors="backslashreplace")


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
