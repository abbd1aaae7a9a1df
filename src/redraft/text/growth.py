"""Lays a revised text onto the canvas of its draft, and says where the canvas has to grow for it.

What fits where it belongs is written in place, the slots beside it included. What does not, such as a line put in,
would shift everything up to the next free slots; the canvas grows there instead.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from redraft.text.align import align

__all__ = ["FEW_BETWEEN", "Growth", "lay_revision"]

FEW_BETWEEN = 2
"""Tokens that stay between two changes, one of which needs room: so few become part of one change."""


@dataclass(frozen=True, slots=True)
class Growth:
    """A stretch of the canvas whose revised text is longer than it."""

    start: int
    """Its first position."""
    end: int
    """The position behind its last; there is at least one."""
    text: tuple[int, ...]
    """What stands there in the end."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A stretch of the canvas, and the part of the revised text that belongs there."""

    start: int
    end: int
    text_start: int
    text_end: int

    @property
    def is_growth(self) -> bool:
        return self.text_end - self.text_start > self.end - self.start


def lay_revision(
    canvas: Sequence[int], target: Sequence[int], null: int, continues: Collection[int] = ()
) -> tuple[list[int], list[Growth]]:
    """Lay a text onto a canvas, change by change.

    >>> lay_revision([0, 5, 6, 7, 0], [5, 8, 6, 7], 0)  # no slot beside the place of 8
    ([0, 5, 6, 7, 0], [Growth(start=2, end=3, text=(8, 6))])
    >>> lay_revision([0, 5, 6, 0, 7, 0], [5, 6, 8, 7], 0)
    ([0, 5, 6, 8, 7, 0], [])

    Args:
        canvas: What stands there: tokens of the draft, and slots; at least one of them.
        target: The revised text; slots in it are left out.
        null: Id of [NULL].
        continues: Ids that go on with a character: no change begins or ends before one of them.

    Returns:
        The canvas with all that fits in place, and the stretches, in order and apart, where it has to grow; they stand
        on it as they stood before. With their texts in their place it is the target, slots left out.
    """
    text = [token for token in target if token != null]
    laid = list(canvas)
    growths: list[Growth] = []
    for change in _changes(canvas, text, null, continues):
        new = text[change.text_start : change.text_end]
        if change.is_growth:
            growths.append(Growth(change.start, change.end, tuple(new)))
        else:
            in_place = align(canvas[change.start : change.end], new, null)
            assert in_place is not None, "it has been seen to fit"
            laid[change.start : change.end] = in_place
    return laid, growths


def _changes(canvas: Sequence[int], text: Sequence[int], null: int, continues: Collection[int]) -> list[_Change]:
    """Where draft and text differ, each with the slots beside it."""
    places = [place for place, token in enumerate(canvas) if token != null]
    draft = [canvas[place] for place in places]
    bounds = [-1, *places, len(canvas)]
    changes: list[_Change] = []
    codes = SequenceMatcher(None, draft, text, autojunk=False).get_opcodes()
    for number, (kind, first, last, text_first, text_last) in enumerate(codes):
        if kind == "equal":
            continue
        # What stays on both sides; of it the change may take tokens, the same of the draft and of the text.
        left = first - codes[number - 1][1] if number else 0
        right = codes[number + 1][2] - last if number + 1 < len(codes) else 0
        before = behind = 0
        if bounds[last + 1] - bounds[first] == 1:  # put in where no slot is: what stands behind makes room, or before
            before, behind = (0, 1) if right else (1, 0)
        while behind < right and draft[last + behind] in continues:
            behind += 1
        while before < left and _goes_on(draft, text, first - before, text_first - before, continues):
            before += 1
        change = _Change(bounds[first - before] + 1, bounds[last + behind + 1], text_first - before, text_last + behind)
        while changes and _belong_together(changes[-1], change):
            earlier = changes.pop()
            change = _Change(earlier.start, change.end, earlier.text_start, change.text_end)
        changes.append(change)
    return changes


def _goes_on(
    draft: Sequence[int], text: Sequence[int], first: int, text_first: int, continues: Collection[int]
) -> bool:
    """Whether the draft or the text of a change begins in the midst of a character."""
    return (first < len(draft) and draft[first] in continues) or (
        text_first < len(text) and text[text_first] in continues
    )


def _belong_together(one: _Change, other: _Change) -> bool:
    between = other.text_start - one.text_end
    return between <= 0 or ((one.is_growth or other.is_growth) and between <= FEW_BETWEEN)
