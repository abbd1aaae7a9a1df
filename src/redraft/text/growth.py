"""Lays a revised text onto the canvas of its draft, and says where the canvas has to grow for it.

What fits where it belongs is written in place, the slots beside it included. What does not, such as a line put in,
would shift everything up to the next free slots; the canvas grows there instead.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from redraft.text.align import align
from redraft.text.differing import differing

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
    is_new: bool
    """Whether other words come there, which have no letter's place in common with those that go."""

    @property
    def is_growth(self) -> bool:
        return self.text_end - self.text_start > self.end - self.start


def lay_revision(
    canvas: Sequence[int],
    target: Sequence[int],
    null: int,
    continues: Collection[int] = (),
    letters: Mapping[int, int] | None = None,
) -> tuple[list[int], list[Growth]]:
    """Lay a text onto a canvas, change by change.

    >>> lay_revision([0, 5, 6, 7, 0], [5, 8, 6, 7], 0)  # no slot beside the place of 8
    ([0, 5, 6, 7, 0], [Growth(start=2, end=3, text=(8, 6))])
    >>> lay_revision([0, 5, 6, 0, 7, 0], [5, 6, 8, 7], 0)
    ([0, 5, 6, 8, 7, 0], [])

    With ``letters``, draft and text are compared word by word. A word that gives way to another is written without
    slots between its letters, wherever the two have one in common, so that each letter's place follows from the word.

    >>> lay_revision([5, 0, 6, 0, 7, 0, 4], [7, 8, 8, 4], 0, letters={5: 5, 6: 6, 7: 7, 8: 8})
    ([7, 8, 8, 0, 0, 0, 4], [])

    Args:
        canvas: What stands there: tokens of the draft, and slots; at least one of them.
        target: The revised text; slots in it are left out.
        null: Id of [NULL].
        continues: Ids that go on with a character: no change begins or ends before one of them.
        letters: Of texts cut into characters, the ids that words are made of, each with the id of its lower case; None
            compares token by token.

    Returns:
        The canvas with all that fits in place, and the stretches, in order and apart, where it has to grow; they stand
        on it as they stood before. With their texts in their place it is the target, slots left out.
    """
    text = [token for token in target if token != null]
    laid = list(canvas)
    growths: list[Growth] = []
    for change in _changes(canvas, text, null, continues, letters):
        new = text[change.text_start : change.text_end]
        if change.is_growth:
            growths.append(Growth(change.start, change.end, tuple(new)))
        elif change.is_new:
            laid[change.start : change.end] = [*new, *([null] * (change.end - change.start - len(new)))]
        else:
            in_place = align(canvas[change.start : change.end], new, null)
            assert in_place is not None, "it has been seen to fit"
            laid[change.start : change.end] = in_place
    return laid, growths


def _changes(
    canvas: Sequence[int],
    text: Sequence[int],
    null: int,
    continues: Collection[int],
    letters: Mapping[int, int] | None,
) -> list[_Change]:
    """Where draft and text differ, each with the slots beside it."""
    filled = [place for place, token in enumerate(canvas) if token != null]
    draft = [canvas[place] for place in filled]
    bounds = [-1, *filled, len(canvas)]
    changes: list[_Change] = []
    found = differing(draft, text, letters)
    for number, (first, last, text_first, text_last, is_new) in enumerate(found):
        # What stays on both sides; of it the change may take tokens, the same of the draft and of the text.
        left = first - (found[number - 1].end if number else 0)
        right = (found[number + 1].start if number + 1 < len(found) else len(draft)) - last
        before = behind = 0
        if bounds[last + 1] - bounds[first] == 1:  # put in where no slot is: what stands behind makes room, or before
            splits_word = right > 0 and letters is not None and draft[last] in letters
            before, behind = (0, 1) if right and not (splits_word and left) else (1, 0)
        while behind < right and draft[last + behind] in continues:
            behind += 1
        while before < left and _goes_on(draft, text, first - before, text_first - before, continues):
            before += 1
        places = (bounds[first - before] + 1, bounds[last + behind + 1])
        change = _Change(*places, text_first - before, text_last + behind, is_new)
        while changes and _belong_together(changes[-1], change):
            earlier = changes.pop()
            is_new = earlier.is_new or change.is_new
            change = _Change(earlier.start, change.end, earlier.text_start, change.text_end, is_new)
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
