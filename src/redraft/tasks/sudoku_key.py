"""The canonical form of a sudoku: the same for all puzzles that are one puzzle in another dress.

Relabelling the digits, permuting the rows of a band, the bands, the columns of a stack and the stacks, and (4×4)
transposing the grid turn a puzzle into one with the same difficulty and the same solution, dressed alike. Transposing a
6×6 grid would turn its boxes on their side, which is no puzzle of ours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import permutations, product

from redraft.tasks.sudoku_grid import SHAPES, Grid, Shape

__all__ = ["canonical_grid", "line_orders"]

Order = tuple[int, ...]
"""Which line comes to stand in each place."""


def line_orders(size: int, group: int) -> tuple[Order, ...]:
    """All orders of lines that keep groups of neighbours together.

    >>> line_orders(4, 2)[:3]
    ((0, 1, 2, 3), (0, 1, 3, 2), (1, 0, 2, 3))

    Args:
        size: Number of rows, or of columns.
        group: How many of them share boxes.

    Returns:
        The orders.
    """
    groups = [range(first, first + group) for first in range(0, size, group)]
    orders: list[Order] = []
    for chosen in permutations(groups):
        orders += [sum(inner, ()) for inner in product(*(tuple(permutations(lines)) for lines in chosen))]
    return tuple(orders)


@dataclass(frozen=True, slots=True)
class _Symmetries:
    """The orders of a shape, and how each order of columns changes the pattern of a row's clues."""

    rows: tuple[Order, ...]
    columns: tuple[Order, ...]
    patterns: tuple[tuple[int, ...], ...]
    """By order of columns, then by pattern."""


@cache
def _symmetries(shape: Shape) -> _Symmetries:
    columns = line_orders(shape.size, shape.box_columns)
    patterns = [
        tuple(
            sum(1 << place for place, column in enumerate(order) if pattern >> column & 1)
            for pattern in range(1 << shape.size)
        )
        for order in columns
    ]
    return _Symmetries(line_orders(shape.size, shape.box_rows), columns, tuple(patterns))


def canonical_grid(grid: Grid) -> str:
    """The least of all dresses: by the places of the clues, then by the digits in order of first appearance.

    Args:
        grid: A puzzle of a known size.

    Returns:
        Its cells as one word of digits, 0 for an empty one.
    """
    shape = SHAPES[round(len(grid) ** 0.5)]
    symmetries = _symmetries(shape)
    grids = [grid]
    if shape.box_rows == shape.box_columns:
        grids.append(
            tuple(grid[column * shape.size + row] for row in range(shape.size) for column in range(shape.size))
        )
    # 1. The least pattern of clues. Rows can be sorted, so only the orders of columns need to be tried.
    least: list[list[int]] = []
    tied: list[tuple[Grid, Order, list[int]]] = []
    for dress in grids:
        rows = [dress[first : first + shape.size] for first in range(0, len(dress), shape.size)]
        clues = [sum(1 << place for place, digit in enumerate(row) if digit) for row in rows]
        for columns, patterns in zip(symmetries.columns, symmetries.patterns, strict=True):
            moved = [patterns[pattern] for pattern in clues]
            bands = sorted(
                sorted(moved[first : first + shape.box_rows]) for first in range(0, shape.size, shape.box_rows)
            )
            if not tied or bands < least:
                least, tied = bands, []
            if bands == least:
                tied.append((dress, columns, moved))
    # 2. Of all dresses with this pattern, the one whose digits come first.
    wanted = [pattern for band in least for pattern in band]
    return min(
        _relabelled(dress, order, columns)
        for dress, columns, moved in tied
        for order in _orders_with(symmetries.rows, moved, wanted)
    )


def _orders_with(rows: tuple[Order, ...], moved: list[int], wanted: list[int]) -> Iterator[Order]:
    return (order for order in rows if [moved[row] for row in order] == wanted)


def _relabelled(grid: Grid, rows: Order, columns: Order) -> str:
    names = {0: "0"}
    cells: list[str] = []
    for row in rows:
        for column in columns:
            digit = grid[row * len(rows) + column]
            if digit not in names:
                names[digit] = str(len(names))
            cells.append(names[digit])
    return "".join(cells)
