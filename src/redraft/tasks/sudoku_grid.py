"""Sudoku grids of 4×4 and 6×6: complete ones at random, puzzles with one solution, and an order to fill them in.

A grid is a tuple of cells, row by row, with 0 for an empty one. Whether a puzzle has one solution is proven by search:
a clue is only taken away if no other digit in its place leads to any solution.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["LARGE", "SHAPES", "SMALL", "Grid", "Shape", "complete", "dig", "filling_order", "random_solution"]

Grid = tuple[int, ...]
"""Cells row by row; 0 is empty."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Size of a grid and of its boxes."""

    size: int
    """Rows, columns and digits."""
    box_rows: int
    """Rows of a box."""
    box_columns: int
    """Columns of a box."""
    units: tuple[tuple[int, int, int], ...]
    """Of each cell, the places of its row, column and box in the list of marks."""

    @classmethod
    def of(cls, size: int, box_rows: int) -> "Shape":
        """The shape of a size."""
        box_columns = size // box_rows
        units = [
            (row, size + column, 2 * size + row // box_rows * box_rows + column // box_columns)
            for row in range(size)
            for column in range(size)
        ]
        return cls(size, box_rows, box_columns, tuple(units))


SMALL = Shape.of(4, 2)
"""4×4 with 2×2 boxes."""

LARGE = Shape.of(6, 2)
"""6×6 with boxes of two rows and three columns."""

SHAPES = {shape.size: shape for shape in (SMALL, LARGE)}
"""By size."""


class _Marks:
    """The digits that each row, column and box still lacks, as bits: what is left for a cell is what all three lack."""

    def __init__(self, shape: Shape, cells: Sequence[int]) -> None:
        self.units = shape.units
        self.lacking = [(1 << shape.size) - 1] * (3 * shape.size)
        for cell, digit in enumerate(cells):
            if digit:
                self.flip(cell, 1 << (digit - 1))

    def flip(self, cell: int, bit: int) -> None:
        """Place a digit, or take it away again."""
        for unit in self.units[cell]:
            self.lacking[unit] ^= bit

    def left(self, cell: int) -> int:
        """The digits that could stand in an empty cell."""
        row, column, box = self.units[cell]
        return self.lacking[row] & self.lacking[column] & self.lacking[box]


def _bits(mask: int) -> Iterator[int]:
    while mask:
        bit = mask & -mask
        yield bit
        mask ^= bit


def _search(marks: _Marks, cells: list[int], empty: list[int], rng: random.Random | None) -> bool:
    """Fill the empty cells with the first solution that is found, the cell with the least choice first."""
    if not empty:
        return True
    best, best_left, least = -1, 0, 99
    for cell in empty:
        left = marks.left(cell)
        choices = left.bit_count()
        if choices < least:
            best, best_left, least = cell, left, choices
            if choices < 2:
                break
    bits = list(_bits(best_left))
    if rng is not None:
        rng.shuffle(bits)
    rest = [cell for cell in empty if cell != best]
    for bit in bits:
        marks.flip(best, bit)
        cells[best] = bit.bit_length()
        if _search(marks, cells, rest, rng):
            return True
        marks.flip(best, bit)
    cells[best] = 0
    return False


def complete(shape: Shape, grid: Grid, rng: random.Random | None = None) -> Grid | None:
    """A solution of a puzzle without contradictions among its clues, or None where there is none.

    Args:
        shape: Size of the grid.
        grid: The puzzle.
        rng: Makes the choice of the solution random; None: always the same one.

    Returns:
        The complete grid.
    """
    cells = list(grid)
    empty = [cell for cell, digit in enumerate(cells) if not digit]
    return tuple(cells) if _search(_Marks(shape, cells), cells, empty, rng) else None


def random_solution(shape: Shape, rng: random.Random) -> Grid:
    """A random complete grid; every grid can come out, though not all are equally likely."""
    grid = complete(shape, (0,) * len(shape.units), rng)
    assert grid is not None, "an empty grid has solutions"
    return grid


def dig(shape: Shape, puzzle: Grid, num_blanks: int, rng: random.Random) -> Grid:
    """Take clues away from a puzzle with one solution, in random order, so that it keeps having one.

    Args:
        shape: Size of the grid.
        puzzle: A puzzle with one solution, or a complete grid.
        num_blanks: Empty cells that are wanted.
        rng: Chooses the clues.

    Returns:
        A puzzle with so many empty cells, or with fewer where every clue that is left is needed.
    """
    cells = list(puzzle)
    clues = [cell for cell, digit in enumerate(cells) if digit]
    rng.shuffle(clues)
    for cell in clues:
        if cells.count(0) >= num_blanks:
            break
        digit, cells[cell] = cells[cell], 0
        if not _is_forced(shape, cells, cell, digit):
            cells[cell] = digit
    return tuple(cells)


def _is_forced(shape: Shape, cells: list[int], cell: int, digit: int) -> bool:
    """No digit but this one in this cell leads to a solution."""
    marks = _Marks(shape, cells)
    rest = [other for other, value in enumerate(cells) if not value and other != cell]
    for bit in _bits(marks.left(cell) & ~(1 << (digit - 1))):
        marks.flip(cell, bit)
        if _search(marks, cells.copy(), rest, None):
            return False
        marks.flip(cell, bit)
    return True


def filling_order(shape: Shape, puzzle: Grid, solution: Grid) -> list[int]:
    """The empty cells in an order a person could fill them: always the first cell, row by row, that is most certain.

    A cell is certain if only one digit is left for it, or if its digit is left nowhere else in its row, column or box;
    where there is none, the cell with the fewest digits left is filled.

    Args:
        shape: Size of the grid.
        puzzle: The puzzle.
        solution: Its solution.

    Returns:
        Places of cells.
    """
    marks = _Marks(shape, puzzle)
    empty = [cell for cell, digit in enumerate(puzzle) if not digit]
    order: list[int] = []
    while empty:
        left = {cell: marks.left(cell) for cell in empty}
        chosen = min(empty, key=lambda cell: _doubt(shape, left, cell, 1 << (solution[cell] - 1)))
        marks.flip(chosen, 1 << (solution[chosen] - 1))
        empty.remove(chosen)
        order.append(chosen)
    return order


def _doubt(shape: Shape, left: dict[int, int], cell: int, bit: int) -> int:
    if left[cell] == bit:
        return 1
    for place, unit in enumerate(shape.units[cell]):
        if not any(other != cell and shape.units[other][place] == unit and left[other] & bit for other in left):
            return 1
    return left[cell].bit_count()
