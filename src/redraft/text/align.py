"""Lays a revised text onto the canvas of its draft, so that as few positions as possible change.

Every position of the canvas either holds the next token of the revised text or nothing ([NULL]): an insertion uses up a
slot, a deletion leaves one behind. Which of these keeps most is found exactly, by dynamic programming.
"""

from collections.abc import Sequence
from itertools import accumulate

__all__ = ["align"]

_FAR = 1 << 30


def align(canvas: Sequence[int], target: Sequence[int], null: int) -> list[int] | None:
    """Lay a text onto a canvas with the fewest changed positions.

    Among the layouts that change equally few, it is the one whose text stands furthest to the left: at the first
    position where two of them differ, a token goes before an empty slot.

    >>> align([0, 5, 6, 0, 7, 0], [5, 8, 6, 7], 0)
    [5, 8, 6, 0, 7, 0]
    >>> align([5, 6], [5, 6, 7], 0) is None
    True

    Args:
        canvas: What stands there: tokens of the draft, and slots.
        target: The revised text; slots in it are left out.
        null: Id of [NULL].

    Returns:
        As many ids as the canvas has, which without slots are the target; None if the target is longer.
    """
    text = [token for token in target if token != null]
    num_empty = len(canvas) - len(text)
    if num_empty < 0:
        return None
    empty_before = list(accumulate((token == null for token in canvas), initial=0))
    # An alignment of cost c never strays by more than c slots from the canvas's own, so few changes need few cells.
    # The bound holds for the whole of it, and where it fails to prove an optimum it is doubled.
    bound = abs(empty_before[-1] - num_empty) + 4
    while True:
        costs = _costs_to_go(canvas, text, null, empty_before, bound)
        if costs[0][0] <= bound:
            return _follow(canvas, text, null, costs)
        bound *= 2


def _costs_to_go(
    canvas: Sequence[int], text: Sequence[int], null: int, empty_before: Sequence[int], bound: int
) -> list[dict[int, int]]:
    """Least number of changes from each position on, by how many of the positions before it were left empty."""
    length, num_empty = len(canvas), len(canvas) - len(text)
    costs: list[dict[int, int]] = [{} for _ in range(length)] + [{num_empty: 0}]
    for place in range(length - 1, -1, -1):
        low = max(0, place - len(text), empty_before[place] - bound)
        high = min(num_empty, place, empty_before[place] + bound)
        token, later, here = canvas[place], costs[place + 1], costs[place]
        change = token != null
        for empty in range(low, high + 1):
            best = later.get(empty + 1, _FAR) + change
            index = place - empty
            if index < len(text):
                best = min(best, later.get(empty, _FAR) + (text[index] != token))
            here[empty] = best
    return costs


def _follow(canvas: Sequence[int], text: Sequence[int], null: int, costs: Sequence[dict[int, int]]) -> list[int]:
    """Read the leftmost of the best layouts off the table."""
    laid: list[int] = []
    empty = 0
    for place, token in enumerate(canvas):
        index = place - empty
        left = costs[place][empty]
        if index < len(text) and costs[place + 1].get(empty, _FAR) + (text[index] != token) == left:
            laid.append(text[index])
        else:
            laid.append(null)
            empty += 1
    return laid
