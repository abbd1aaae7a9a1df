"""Makes room on a canvas where a revised text is longer than its draft.

The old text of such a place stays, between [DEL] and [INS], so that it can be read; behind it stands a gap for the new
one. When the gap is filled, the new text takes the place of the old.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from redraft.editing.pins import Span
from redraft.editing.sheet import Sheet, close_sheet
from redraft.text import Tokenizer, without_slack
from redraft.text.growth import FEW_BETWEEN

__all__ = ["GROWTH", "Opening", "grown", "open_places", "places_of"]

GROWTH = 24
"""Positions of a gap beyond twice the length of its place, where the canvas is long enough: a long line of code."""

_EDGE = 0.4
"""Share of the threshold that is enough at the edge of a place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """A canvas with gaps beside the places that need room."""

    sheet: Sheet
    """What is drawn; only the gaps may change, and its units are the gaps."""
    places: tuple[Span, ...]
    """The places on the canvas before."""


def places_of(sheet: Sheet, growth: Sequence[float], threshold: float) -> list[Span]:
    """Where the canvas is to grow: places of whole units, apart from each other, all of which may change.

    A place is what is more probable than a part of the threshold, and at one position more than the threshold itself:
    of where it begins and ends one is less sure than of the middle.

    Args:
        sheet: Says which units there are and what may change.
        growth: How probable it is at each position.
        threshold: Least probability of a place.

    Returns:
        First positions and the positions behind the last, in order.
    """
    places: list[Span] = []
    for start, end in sheet.units:
        if not sheet.is_editable[start] or max(growth[start:end], default=0.0) <= _EDGE * threshold:
            continue
        if places and start <= places[-1][1] + FEW_BETWEEN and all(sheet.is_editable[places[-1][1] : start]):
            start = places.pop()[0]
        places.append((start, end))
    return [(start, end) for start, end in places if max(growth[start:end]) > threshold]


def open_places(
    tokenizer: Tokenizer, sheet: Sheet, tokens: Sequence[int], places: Sequence[Span], canvas_length: int
) -> Opening | None:
    """Lay gaps beside places.

    Args:
        tokenizer: The model's.
        sheet: The draft on its positions.
        tokens: What stands there by now.
        places: What ``places_of`` returned.
        canvas_length: The model's longest canvas.

    Returns:
        The canvas to draw; None if there is no place, or the canvas has no room to grow at one of them.
    """
    content, special = sheet.units[-1][1], tokenizer.special
    room = (canvas_length - 1 - content) // len(places) - 2 if places else 0
    if not places or any(room <= end - start for start, end in places):
        return None
    wide, gaps, begin = list[int](), list[Span](), 0
    for start, end in places:
        wide += [*tokens[begin:start], special.delete, *tokens[start:end], special.insert]
        length = min(2 * (end - start) + GROWTH, room)
        gaps.append((len(wide), len(wide) + length))
        wide += [special.mask] * length
        begin = end
    wide += tokens[begin:content]
    is_editable = [token == special.mask for token in wide]
    opened = Sheet(tokens=tuple(wide), is_editable=tuple(is_editable), units=tuple(gaps))
    return Opening(sheet=close_sheet(tokenizer, opened, canvas_length), places=tuple(places))


def grown(
    tokenizer: Tokenizer, sheet: Sheet, tokens: Sequence[int], opening: Opening, drawn: Sequence[int], length: int
) -> tuple[Sheet, list[int]]:
    """Put what the gaps were filled with in the place of the old text.

    Args:
        tokenizer: The model's.
        sheet: The draft on the positions of the canvas before.
        tokens: What stood there.
        opening: What ``open_places`` returned.
        drawn: What stands on its canvas in the end.
        length: The model's longest canvas.

    Returns:
        The draft on the positions of the new canvas, each place one unit of it, and what stands there.
    """
    content, null = sheet.units[-1][1], tokenizer.special.null
    before, is_editable, units, now = list[int](), list[bool](), list[Span](), list[int]()
    begin = 0
    gaps = [without_slack(drawn[start:end], null) for start, end in opening.sheet.units]
    for (start, end), new in zip([*opening.places, (content, content)], [*gaps, []], strict=True):
        shift = len(before) - begin
        units += [(first + shift, last + shift) for first, last in sheet.units if begin <= first and last <= start]
        before += sheet.tokens[begin:start]
        is_editable += sheet.is_editable[begin:start]
        now += tokens[begin:start]
        if start < end:
            more = max(len(new) + 1 - (end - start), 0)  # a slot behind it, as there are others
            units.append((len(now), len(now) + end - start + more))
            before += [*sheet.tokens[start:end], *([null] * more)]
            is_editable += [True] * (end - start + more)
            now += [*new, *([null] * (end - start + more - len(new)))]
        begin = end
    draft = Sheet(tokens=tuple(before), is_editable=tuple(is_editable), units=tuple(units))
    closed = close_sheet(tokenizer, draft, length)
    return closed, now + list(closed.tokens[len(now) :])
