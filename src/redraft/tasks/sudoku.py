"""`sudoku`: fill in a grid of 4×4 or 6×6 with one solution; the grid alone, or each placement and then the grid."""

import random
import re
from dataclasses import dataclass

from redraft.tasks.dials import check_range, read_dials
from redraft.tasks.holdout import draw_from_split, split_of
from redraft.tasks.phrasing import phrased
from redraft.tasks.problem import MAX_LENGTH, Dials, Language, Order, Problem, Split, Verdict
from redraft.tasks.puzzle_phrasing import SUDOKU
from redraft.tasks.sudoku_grid import LARGE, SMALL, Grid, Shape, dig, filling_order, random_solution
from redraft.tasks.sudoku_key import canonical_grid
from redraft.text.slots import Field

__all__ = ["Sudoku", "SudokuDials"]

MAX_SMALL_BLANKS = 10
"""Every 4×4 puzzle can be dug as far: six clues are always enough if they are chosen well."""

MAX_LARGE_BLANKS = 20
"""Their placements, the grid of 6×6 and the end fit a canvas of 104."""

MAX_ATTEMPTS = 1000
"""Puzzles before a split is reported as unreachable."""

NUM_NEIGHBOURS = 30
"""Puzzles that are tried by moving one clue before a new grid is drawn: much cheaper than a grid each."""

_STYLES = (("0", ""), ("0", " "), (".", " "), ("?", " "))
"""Signs of an empty cell, and what stands between cells; each cell takes equally many tokens."""

_ROWS = "ABCDEF"
_PLACEMENT = re.compile(r"([A-F])([1-6])[=:]?([1-6])")


@dataclass(frozen=True, kw_only=True, slots=True)
class SudokuDials:
    """Which sizes, and how empty; the number of empty cells is uniform between its bounds."""

    small_percent: int = 50
    """Share of 4×4 puzzles; the others are 6×6."""
    min_small_blanks: int = 4
    """Fewest empty cells of 4×4."""
    max_small_blanks: int = 10
    """Most empty cells of 4×4."""
    min_large_blanks: int = 8
    """Fewest empty cells of 6×6."""
    max_large_blanks: int = 20
    """Most empty cells of 6×6."""

    def __post_init__(self) -> None:
        check_range("sudoku small_percent", 0, self.small_percent, least=0, most=100)
        small = (self.min_small_blanks, self.max_small_blanks)
        check_range("sudoku small_blanks", *small, least=1, most=MAX_SMALL_BLANKS)
        large = (self.min_large_blanks, self.max_large_blanks)
        check_range("sudoku large_blanks", *large, least=1, most=MAX_LARGE_BLANKS)


class Sudoku:
    """Generator and verifier; see ``docs/tasks.md`` for the distribution."""

    name = "sudoku"

    def make_dials(self, **table: object) -> SudokuDials:
        """The generator's settings from a recipe's table."""
        return read_dials(SudokuDials, table, self.name)

    def generate(
        self,
        rng: random.Random,
        *,
        split: Split | None = "train",
        order: Order = "answer_first",
        language: Language | None = None,
        dials: Dials | None = None,
    ) -> Problem:
        """A random problem of one split (None: of any)."""
        dials = dials or SudokuDials()
        assert isinstance(dials, SudokuDials), f"sudoku takes SudokuDials, not {type(dials).__name__}"
        is_small = rng.random() * 100 < dials.small_percent
        shape = SMALL if is_small else LARGE

        def draw() -> tuple[Grid, Grid, str] | None:
            """A puzzle of the split, near a random one; its solution and its key."""
            solution = random_solution(shape, rng)
            if is_small:
                num_blanks = rng.randint(dials.min_small_blanks, dials.max_small_blanks)
            else:
                num_blanks = rng.randint(dials.min_large_blanks, dials.max_large_blanks)
            puzzle = dig(shape, solution, num_blanks, rng)
            for _ in range(NUM_NEIGHBOURS):
                key = f"{self.name}:{canonical_grid(puzzle)}"
                if puzzle.count(0) == num_blanks and (split is None or split_of(key) == split):
                    return puzzle, solution, key
                puzzle = _neighbour(shape, puzzle, solution, num_blanks, rng)
            return None

        puzzle, solution, key = draw_from_split(draw, lambda drawn: drawn[2], split, attempts=MAX_ATTEMPTS)
        return self._problem(shape, puzzle, solution, key, rng, order, language)

    def _problem(
        self,
        shape: Shape,
        puzzle: Grid,
        solution: Grid,
        key: str,
        rng: random.Random,
        order: Order,
        language: Language | None,
    ) -> Problem:
        empty, between = rng.choice(_STYLES)
        signs = [str(digit) if digit else empty for digit in puzzle]
        size = shape.size
        cells = filling_order(shape, puzzle, solution)
        placements = [
            field
            for cell in cells
            for field in (Field(_ROWS[cell // size], 1), Field(str(cell % size + 1), 1), Field(str(solution[cell]), 1))
        ]
        grid = [
            field
            for row in range(size)
            for field in (*(Field(str(digit), 1) for digit in solution[row * size : row * size + size]), Field("\n", 1))
        ]
        return phrased(
            SUDOKU,
            {
                "grid": "\n".join(between.join(signs[row * size : row * size + size]) for row in range(size)),
                "boxes": f"{shape.box_rows}×{shape.box_columns}",
            },
            task=self.name,
            key=key,
            answer=tuple(grid[:-1]),
            derivation=tuple(placements) if order == "derivation_first" else (),
            num_steps=len(cells),
            order=order,
            language=language,
            rng=rng,
        )

    def verify(self, problem: Problem, text: str) -> Verdict:
        """Judges any text whatever: the grid must be the one solution, and placements its empty cells, each once.

        The key forgets the dress of the puzzle, so the solution is taken from the problem's own answer; there is
        no other, as the generator has proven.
        """
        lines = text[:MAX_LENGTH].strip("\n").split("\n")
        wanted = problem.answer_text.split("\n")
        if problem.order == "answer_first":
            rows, wanted_rows = lines, wanted
        else:
            rows, wanted_rows = lines[1:], wanted[1:]
        read = ["".join(row.split()) for row in rows]
        answer_is_correct = read == wanted_rows
        reason = "" if answer_is_correct else _first_fault(read, wanted_rows)
        if problem.order == "answer_first":
            num_true = sum(row == wanted_row for row, wanted_row in zip(read, wanted_rows, strict=False))
            is_derivation_valid, num_lines = answer_is_correct, len(rows)
        else:
            found, asked = _PLACEMENT.findall(lines[0]), _PLACEMENT.findall(wanted[0])
            num_true, num_lines = sum(placement in asked for placement in found), len(found)
            is_derivation_valid = sorted(found) == sorted(asked) and not _PLACEMENT.sub("", lines[0]).strip(" ,;")
            if not is_derivation_valid:
                reason = reason or "the placements are not those of the empty cells, each once"
        return Verdict(
            answer_is_correct=answer_is_correct,
            is_derivation_valid=is_derivation_valid,
            num_lines=num_lines,
            num_true_lines=num_true,
            reason=reason,
        )


def _neighbour(shape: Shape, puzzle: Grid, solution: Grid, num_blanks: int, rng: random.Random) -> Grid:
    """A puzzle of the same grid with one clue given back and another taken away."""
    cell = rng.choice([cell for cell, digit in enumerate(puzzle) if not digit])
    return dig(shape, (*puzzle[:cell], solution[cell], *puzzle[cell + 1 :]), num_blanks, rng)


def _first_fault(rows: list[str], wanted: list[str]) -> str:
    for number, (row, wanted_row) in enumerate(zip(rows, wanted, strict=False), start=1):
        if row != wanted_row:
            return f"row {number} is {row[:12]!r}, not {wanted_row}"
    return f"there are {len(rows)} rows, not {len(wanted)}"
