"""How much two texts differ, counted in tokens: what had to change, what did, and what should have stayed."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

__all__ = ["ChangeCount", "count_changes", "edit_distance"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeCount:
    """Tokens of one edit."""

    needed: int
    """Fewest insertions, deletions and replacements from the draft to the right text."""
    changed: int
    """Fewest of them from the draft to what came."""
    shared: int
    """Tokens of the draft that the right text keeps."""
    damaged: int
    """Of these, those that what came does not keep."""


def count_changes(draft: Sequence[int], target: Sequence[int], result: Sequence[int]) -> ChangeCount:
    """Count one edit.

    >>> count_changes([1, 2, 3, 4], [1, 2, 9, 4], [1, 7, 9, 4])
    ChangeCount(needed=1, changed=2, shared=3, damaged=1)

    Args:
        draft: Tokens of the text before.
        target: Tokens of the right text.
        result: Tokens of what came.

    Returns:
        The counts.
    """
    shared = _kept(draft, target)
    return ChangeCount(
        needed=edit_distance(draft, target),
        changed=edit_distance(draft, result),
        shared=len(shared),
        damaged=len(shared - _kept(draft, result)),
    )


def edit_distance(one: Sequence[int], other: Sequence[int]) -> int:
    """Fewest insertions, deletions and replacements that lead from one list to another (Levenshtein).

    >>> edit_distance([1, 2, 3], [2, 3, 4])
    2
    """
    row = list(range(len(other) + 1))
    for index, left in enumerate(one, start=1):
        corner, row[0] = row[0], index
        for place, right in enumerate(other, start=1):
            corner, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, corner + (left != right))
    return row[-1]


def _kept(draft: Sequence[int], text: Sequence[int]) -> set[int]:
    """Places of a draft whose tokens stand in a text too, in order."""
    blocks = SequenceMatcher(None, draft, text, autojunk=False).get_matching_blocks()
    return {place for block in blocks for place in range(block.a, block.a + block.size)}
