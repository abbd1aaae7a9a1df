"""Many prompts: ``{"id": …, "prompt": …}`` per line in, one JSON line per prompt out, in order.

A line that can't be answered gives an error in its place, and the others are answered all the same.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from redraft.errors import PromptError, RedraftError

__all__ = ["PromptLine", "error_record", "open_lines", "read_prompts"]

_KEYS = ("id", "prompt", "seed")


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptLine:
    """One line, read or refused."""

    id: str | int | None
    """As it came; the number of the line where none came; None where the line could not be read that far."""

    prompt: str = ""
    """What to answer."""

    seed: int | None = None
    """The line's own seed; None means that of the command."""

    error: RedraftError | None = None
    """Why the line can't be used."""


def open_lines(path: str) -> Iterator[bytes]:
    """Open a file of prompts, ``-`` for standard input, and return its lines as they come.

    Args:
        path: Where it is.

    Returns:
        The lines, ends included.

    Raises:
        PromptError: The file can't be opened.
    """
    if path == "-":
        return iter(sys.stdin.buffer)
    try:
        file = Path(path).open("rb")  # noqa: SIM115  # closed by _lines_of, when the last line is read
        file.peek(1)  # a folder can be opened, but not read
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PromptError(f"can't read the prompts file {path!r}: {reason}") from error
    return _lines_of(file)


def read_prompts(lines: Iterable[bytes]) -> Iterator[PromptLine]:
    """Parse lines one by one; blank ones are passed over.

    Args:
        lines: JSON objects in UTF-8.

    Yields:
        What each line says, or why it can't be used.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _parse(line, number)


def error_record(id: str | int | None, error: Exception) -> dict[str, Any]:
    """Return what stands in place of a result."""
    return {"id": id, "error": {"type": type(error).__name__, "message": str(error)}}


def _lines_of(file: BinaryIO) -> Iterator[bytes]:
    with closing(file):
        yield from file


def _parse(line: bytes, number: int) -> PromptLine:
    try:
        record = json.loads(line.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        return _refused(None, f"line {number} is not JSON: {reason}")
    if not isinstance(record, dict):
        return _refused(None, f'line {number} is no JSON object; write {{"id": …, "prompt": …}}')
    id = record.get("id", number)
    if isinstance(id, bool) or not isinstance(id, str | int):
        return _refused(None, f"line {number} has an id that is neither text nor a whole number")
    unknown = sorted(record.keys() - set(_KEYS))
    if unknown:
        return _refused(id, f"line {number} has the unknown key {unknown[0]!r}; known are {', '.join(_KEYS)}")
    prompt, seed = record.get("prompt"), record.get("seed")
    if not isinstance(prompt, str):
        return _refused(id, f"line {number} has no text under 'prompt'")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        return _refused(id, f"line {number} has a seed that is no whole number")
    return PromptLine(id=id, prompt=prompt, seed=seed)


def _refused(id: str | int | None, reason: str) -> PromptLine:
    return PromptLine(id=id, error=PromptError(reason))


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
