"""A text that can be written in more than one way: plain words, and slots whose form is open.

A slot belongs to an *axis* (dates, clock times, tone, tense) and every axis has *forms* (ISO, with the month's name).
A revision that asks for a form writes the same pieces in another form, so there is exactly one right result.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Axis", "Piece", "Slot", "axes_of", "listed", "render"]


@dataclass(frozen=True, slots=True)
class Slot:
    """A place of a text that has several forms."""

    axis: str
    """Name of its axis."""
    value: tuple[int | str, ...]
    """What stands there, whatever its form."""


Piece = str | Slot
"""Plain text, or a slot."""

Axis = dict[str, Callable[[tuple], str]]
"""How a value is written, by the name of the form."""

_ARTICLE = re.compile(r"\b([Aa]) (?=[aeiouAEIOU])")
_START = re.compile(r"(?:^|(?<=[.?!] ))[a-z]")


def render(pieces: Sequence[Piece], axes: Mapping[str, Axis], forms: Sequence[str], *, is_prose: bool = True) -> str:
    """Write the pieces down.

    >>> axes = {"clock": {"24h": lambda value: f"{value[0]}:00"}}
    >>> render(["a onion at ", Slot("clock", (15,)), "."], axes, ["", "24h", ""])
    'An onion at 15:00.'

    Args:
        pieces: The text.
        axes: All axes that occur.
        forms: Form of each piece; not read where the piece is plain.
        is_prose: Whether sentences begin with a capital, and "a" before a vowel becomes "an".

    Returns:
        The text.
    """
    written = [
        piece if isinstance(piece, str) else axes[piece.axis][form](piece.value)
        for piece, form in zip(pieces, forms, strict=True)
    ]
    text = "".join(written)
    if not is_prose:
        return text
    text = _ARTICLE.sub(r"\1n ", text)
    return _START.sub(lambda match: match[0].upper(), text)


def axes_of(pieces: Sequence[Piece]) -> set[str]:
    """The axes that occur in a text."""
    return {piece.axis for piece in pieces if isinstance(piece, Slot)}


def listed(text: str, separator: str | None = None) -> tuple[str, ...]:
    """The entries of a list that is written as one text.

    >>> listed("lamp chair"), listed("at home|in the park", "|")
    (('lamp', 'chair'), ('at home', 'in the park'))
    """
    return tuple(text.split(separator))
