"""Finds the reference solution of a countdown: fewest operations, then first in a fixed order, so the key decides it.

Only whole numbers from 1 to 999 occur on the way: every line must fit its slots. The judge is freer, see
``countdown_judge``.
"""

import random
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from redraft.tasks.expression import LARGEST_NUMBER, Expression, Operation, Operator, Whole

__all__ = ["MAX_NUMBERS", "random_target", "solution"]

MAX_NUMBERS = 4
"""Most numbers: the search looks at a few hundred states, and the expression fits its slots."""


class _Item(NamedTuple):
    """A value at hand and where it comes from; cheaper than a tree, which is made of the solution alone."""

    value: int
    operator: Operator | None = None
    operands: "tuple[_Item, ...]" = ()


def solution(numbers: Sequence[int], target: int) -> Expression | None:
    """The reference solution, or None where there is none within the bounds.

    >>> from redraft.tasks.expression import canonical
    >>> canonical(solution([3, 7, 25], 28))
    '(25+3)'

    Args:
        numbers: At most ``MAX_NUMBERS`` numbers, 1 or more; their order is of no account.
        target: The value to reach; none of the numbers.

    Returns:
        A tree in which the larger operand of each operation stands first.
    """
    items = [_Item(number) for number in sorted(numbers, reverse=True)]
    for num_operations in range(1, len(items)):
        found = _reach(items, target, num_operations)
        if found is not None:
            return _tree(found)
    return None


def random_target(numbers: Sequence[int], rng: random.Random) -> int:
    """The value of a random chain of operations that uses every number once.

    Args:
        numbers: What to start from.
        rng: Chooses the pairs and the operations.

    Returns:
        A number from 1 to 999.
    """
    values = list(numbers)
    while len(values) > 1:
        rng.shuffle(values)
        first, second = values.pop(), values.pop()
        results = [result for _, result in _results(max(first, second), min(first, second))]
        # Two ones, or numbers whose sum is too large and whose difference is 0, leave only the first as it is.
        values.append(rng.choice(results) if results else first)
    return values[0]


def _results(larger: int, smaller: int) -> Iterator[tuple[Operator, int]]:
    """What two numbers make; an operation that gives back one of them, or nothing, is never needed."""
    if larger + smaller <= LARGEST_NUMBER:
        yield "+", larger + smaller
    if larger - smaller not in (0, smaller):
        yield "−", larger - smaller
    if smaller > 1:
        if larger * smaller <= LARGEST_NUMBER:
            yield "×", larger * smaller
        if larger % smaller == 0 and larger != smaller * smaller:
            yield "÷", larger // smaller


def _reach(items: list[_Item], target: int, num_operations: int) -> _Item | None:
    for first, second in combinations(items, 2):
        larger, smaller = (first, second) if first.value >= second.value else (second, first)
        for operator, result in _results(larger.value, smaller.value):
            if num_operations == 1:
                if result == target:
                    return _Item(result, operator, (larger, smaller))
                continue
            rest = [item for item in items if item is not first and item is not second]
            found = _reach([_Item(result, operator, (larger, smaller)), *rest], target, num_operations - 1)
            if found is not None:
                return found
    return None


def _tree(item: _Item) -> Expression:
    if item.operator is None:
        return Whole(item.value)
    return Operation(item.operator, tuple(_tree(operand) for operand in item.operands))
