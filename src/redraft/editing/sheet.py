"""How text is laid on a canvas whose every position can be told back to a part of that text.

A draft gets [NULL] slots spread through it, so that it may grow; a gap is a row of [MASK] between what stands around
it. Behind the text stands its end, which nothing moves: a text gets shorter by empty slots.
"""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from redraft.editing.pins import Span, is_covered
from redraft.text import Tokenizer, with_slack

__all__ = ["Sheet", "close_sheet", "lay_draft", "lay_gaps", "most_tokens"]

_END_UNIT = 8
"""Canvases end at a multiple of this, as in training, where the text leaves room."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A canvas as it stands before the first pass."""

    tokens: tuple[int, ...]
    """What stands at each position."""
    is_editable: tuple[bool, ...]
    """Where it may change."""
    units: tuple[Span, ...]
    """Runs of positions that hold whole characters, in order; a character may be spread over several tokens. They
    cover all positions but the end."""

    @property
    def has_work(self) -> bool:
        """Whether anything may change."""
        return any(self.is_editable)


@cache
def most_tokens(canvas_length: int, slack_every: int) -> int:
    """Most tokens of a draft that fit on a canvas beside their slots and an end.

    >>> most_tokens(24, 8)
    19
    """
    numbers = range(canvas_length, 0, -1)
    return next((n for n in numbers if len(with_slack([1] * n, 0, every=slack_every)) < canvas_length), 0)


def lay_draft(tokenizer: Tokenizer, text: str, pins: Sequence[Span], canvas_length: int) -> Sheet | None:
    """Lay a draft with its slots.

    A unit that touches a pinned character is pinned as a whole, and so is a slot between two pinned units: pinned text
    may be over-protected by a token at its borders, and nothing can be put inside it.

    Args:
        tokenizer: The model's.
        text: The draft.
        pins: Merged spans of it that stay.
        canvas_length: The model's longest canvas.

    Returns:
        The sheet; None if the canvas is too short.
    """
    tokens = with_slack(tokenizer.encode(text), tokenizer.special.null, every=tokenizer.slack_every)
    if len(tokens) >= canvas_length:
        return None
    units, is_free = _units_of(tokenizer, tokens, pins)
    for index, free in enumerate(is_free):
        if free is None:  # a slot: free where one of its neighbours is
            around = [one for one in (_next(is_free, index, -1), _next(is_free, index, 1)) if one is not None]
            is_free[index] = any(around)
    is_editable = [bool(free) for (start, end), free in zip(units, is_free, strict=True) for _ in range(start, end)]
    sheet = Sheet(tokens=tuple(tokens), is_editable=tuple(is_editable), units=tuple(units))
    return close_sheet(tokenizer, sheet, canvas_length)


def lay_gaps(
    tokenizer: Tokenizer, pieces: Sequence[Sequence[int]], lengths: Sequence[int], canvas_length: int
) -> Sheet:
    """Lay open gaps between pieces of text that stay.

    Args:
        tokenizer: The model's.
        pieces: Token ids of the text around the gaps, one piece more than there are gaps.
        lengths: Positions of each gap.
        canvas_length: The model's longest canvas; all this fits on it.

    Returns:
        The sheet; its units are the gaps.
    """
    assert len(pieces) == len(lengths) + 1, f"{len(lengths)} gaps between {len(pieces)} pieces"
    tokens, is_editable, units = list(pieces[0]), [False] * len(pieces[0]), []
    for piece, length in zip(pieces[1:], lengths, strict=True):
        units.append((len(tokens), len(tokens) + length))
        tokens += [tokenizer.special.mask] * length + list(piece)
        is_editable += [True] * length + [False] * len(piece)
    assert len(tokens) < canvas_length, f"{len(tokens)} positions and an end on a canvas of {canvas_length}"
    sheet = Sheet(tokens=tuple(tokens), is_editable=tuple(is_editable), units=tuple(units))
    return close_sheet(tokenizer, sheet, canvas_length)


def _units_of(
    tokenizer: Tokenizer, tokens: Sequence[int], pins: Sequence[Span]
) -> tuple[list[Span], list[bool | None]]:
    """Runs of positions that hold whole characters, and whether each may change; None for empty slots."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    units: list[Span] = []
    is_free: list[bool | None] = []
    start = char = num_chars = 0
    for place, token in enumerate(tokens):
        num_chars += len(decoder.decode(tokenizer.token_bytes(token)))
        if decoder.getstate()[0]:
            continue
        units.append((start, place + 1))
        is_free.append(None if not num_chars else not _touches(pins, char, char + num_chars))
        start, char, num_chars = place + 1, char + num_chars, 0
    assert start == len(tokens), "a text ends with a whole character"
    return units, is_free


def _touches(pins: Sequence[Span], start: int, end: int) -> bool:
    return any(is_covered(pins, place, place + 1) for place in range(start, end))


def _next(is_free: Sequence[bool | None], index: int, way: int) -> bool | None:
    """The nearest unit with text in one direction."""
    index += way
    while 0 <= index < len(is_free):
        if is_free[index] is not None:
            return is_free[index]
        index += way
    return None


def close_sheet(tokenizer: Tokenizer, sheet: Sheet, canvas_length: int) -> Sheet:
    """Close a canvas with the end of the text.

    Args:
        tokenizer: The model's.
        sheet: One without an end.
        canvas_length: The model's longest canvas; an end still fits on it.

    Returns:
        The sheet with its pinned end.
    """
    length = min(-(-(len(sheet.tokens) + 1) // _END_UNIT) * _END_UNIT, canvas_length)
    num_ends = length - len(sheet.tokens)
    return Sheet(
        tokens=(*sheet.tokens, *([tokenizer.special.end_of_text] * num_ends)),
        is_editable=(*sheet.is_editable, *([False] * num_ends)),
        units=sheet.units,
    )
