"""Makes room on a canvas where a revised text is longer than its draft: the places open, and slots follow them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from redraft.editing.pins import Span
from redraft.editing.sheet import Sheet, close_sheet
from redraft.text import Tokenizer

__all__ = ["GROWTH", "grow", "spans_of"]

GROWTH = 24
"""Positions that a place gets beyond those it has, where the canvas is long enough: a long line of code. A place that
comes out full may grow again."""

_FEW = 2
"""Positions between two places that become one, as in training."""


def spans_of(sheet: Sheet, places: Iterable[int]) -> list[Span]:
    """Join single positions to stretches of whole units, apart from each other, all of which may change.

    Args:
        sheet: Says which units there are and what may change.
        places: Positions in order.

    Returns:
        First positions and the positions behind the last, in order.
    """
    unit_of = {place: unit for unit in sheet.units for place in range(*unit)}
    spans: list[Span] = []
    for place in places:
        if place not in unit_of or not sheet.is_editable[place]:
            continue
        start, end = unit_of[place]
        if spans and start <= spans[-1][1] + _FEW and all(sheet.is_editable[spans[-1][1] : start]):
            start = spans.pop()[0]
        spans.append((start, end))
    return spans


def grow(
    tokenizer: Tokenizer, sheet: Sheet, tokens: Sequence[int], spans: Sequence[Span], canvas_length: int
) -> tuple[Sheet, list[int]] | None:
    """Open stretches of a canvas and lengthen each.

    Args:
        tokenizer: The model's.
        sheet: The draft on its positions.
        tokens: What stands there by now.
        spans: What ``spans_of`` returned.
        canvas_length: The model's longest canvas.

    Returns:
        The draft with more slots in it, and what stands on the canvas now; None if there is nothing to open, or no
        position left for it.
    """
    content = sheet.units[-1][1]
    each = min(GROWTH, (canvas_length - 1 - content) // len(spans)) if spans else 0
    if each < 1:
        return None
    null, mask = tokenizer.special.null, tokenizer.special.mask
    before, is_editable, units, now = list[int](), list[bool](), list[Span](), list[int]()
    begin = 0
    for start, end in [*spans, (content, content)]:
        shift = len(before) - begin
        units += [(first + shift, last + shift) for first, last in sheet.units if begin <= first and last <= end]
        before += sheet.tokens[begin:end]
        is_editable += sheet.is_editable[begin:end]
        now += [*tokens[begin:start], *([mask] * (end - start))]
        if start < end:
            units += [(place, place + 1) for place in range(len(before), len(before) + each)]
            before += [null] * each
            is_editable += [True] * each
            now += [mask] * each
        begin = end
    draft = replace(sheet, tokens=tuple(before), is_editable=tuple(is_editable), units=tuple(units))
    closed = close_sheet(tokenizer, draft, canvas_length)
    return closed, now + list(closed.tokens[len(now) :])
