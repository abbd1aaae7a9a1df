"""`sudoku`: one solution, proven; one key for all dresses of a puzzle; the grid judged exactly."""

import random
import re

import pytest

from redraft.errors import ConfigError
from redraft.tasks import Sudoku, split_of
from redraft.tasks.problem import Problem
from redraft.tasks.sudoku_grid import LARGE, SHAPES, SMALL, Grid, Shape, complete, dig, filling_order, random_solution
from redraft.tasks.sudoku_key import canonical_grid, line_orders
from redraft.text import Tokenizer

TASK = Sudoku()


def count_solutions(size: int, box_rows: int, cells: list[int]) -> int:
    """By trying every digit in the first empty cell, with the rules spelled out: slow, and nothing like the solver."""
    if 0 not in cells:
        return 1
    place = cells.index(0)
    row, column = divmod(place, size)
    box_columns = size // box_rows
    total = 0
    for digit in range(1, size + 1):
        clash = any(
            value == digit
            and (
                other // size == row
                or other % size == column
                or (other // size // box_rows, other % size // box_columns) == (row // box_rows, column // box_columns)
            )
            for other, value in enumerate(cells)
        )
        if not clash:
            total += count_solutions(size, box_rows, [*cells[:place], digit, *cells[place + 1 :]])
    return total


def asked(problem: Problem) -> tuple[Shape, Grid]:
    """The grid, read back out of a prompt."""
    lines = ["".join(line.split()) for line in problem.prompt.split("\n")]
    rows = [line for line in lines if re.fullmatch("[0-6.?]{4}|[0-6.?]{6}", line)]
    return SHAPES[len(rows)], tuple(int(sign) if sign.isdigit() else 0 for row in rows for sign in row)


def dressed(shape: Shape, grid: Grid, rng: random.Random) -> Grid:
    """The same puzzle in a random other dress."""
    size = shape.size
    if size == 4 and rng.random() < 0.5:
        grid = tuple(grid[column * size + row] for row in range(size) for column in range(size))
    rows = rng.choice(line_orders(size, shape.box_rows))
    columns = rng.choice(line_orders(size, shape.box_columns))
    names = [0, *rng.sample(range(1, size + 1), size)]
    return tuple(names[grid[row * size + column]] for row in rows for column in columns)


@pytest.mark.parametrize("size", [4, 6])
@pytest.mark.parametrize("num_blanks", [4, 10])
def test_a_puzzle_has_one_solution_and_the_answer_is_it(size: int, num_blanks: int) -> None:
    rng = random.Random(size)
    shape = SHAPES[size]
    for _ in range(8):
        solution = random_solution(shape, rng)
        assert count_solutions(size, shape.box_rows, list(solution)) == 1
        puzzle = dig(shape, solution, num_blanks, rng)
        assert puzzle.count(0) == num_blanks
        assert count_solutions(size, shape.box_rows, list(puzzle)) == 1
        assert complete(shape, puzzle) == solution
        assert sorted(filling_order(shape, puzzle, solution)) == [cell for cell in range(size**2) if not puzzle[cell]]


def test_the_deepest_puzzles_still_have_one_solution() -> None:
    rng = random.Random(9)
    for shape in (SMALL, LARGE):
        puzzle = dig(shape, random_solution(shape, rng), 99, rng)
        assert count_solutions(shape.size, shape.box_rows, list(puzzle)) == 1
        for cell in [cell for cell, digit in enumerate(puzzle) if digit]:
            less = [*puzzle[:cell], 0, *puzzle[cell + 1 :]]
            assert count_solutions(shape.size, shape.box_rows, less) > 1, "digging stops where every clue is needed"


def test_a_puzzle_without_solution_is_told() -> None:
    assert complete(SMALL, (1, 2, 3, 0, 0, 0, 0, 4, *(0,) * 8)) is None


@pytest.mark.parametrize("size", [4, 6])
def test_the_key_is_the_same_in_every_dress(size: int) -> None:
    rng = random.Random(size)
    shape = SHAPES[size]
    for num_blanks in (1, 4, 7, 10, 10):
        puzzle = dig(shape, random_solution(shape, rng), num_blanks, rng)
        key = canonical_grid(puzzle)
        assert {canonical_grid(dressed(shape, puzzle, rng)) for _ in range(12)} == {key}
        assert canonical_grid(tuple(int(digit) for digit in key)) == key, "the key is a dress of the puzzle itself"
        assert sorted(key.count(digit) for digit in "123456") == sorted(puzzle.count(digit) for digit in range(1, 7))


def test_puzzles_that_are_no_dress_of_each_other_have_different_keys() -> None:
    """By trying all dresses of 4×4 one after another."""
    rng = random.Random(3)
    puzzles = [dig(SMALL, random_solution(SMALL, rng), 9, rng) for _ in range(5)]
    orders = line_orders(4, 2)
    for first in puzzles:
        transposed = tuple(first[column * 4 + row] for row in range(4) for column in range(4))
        dresses = {
            pattern(tuple(grid[row * 4 + column] for row in rows for column in columns))
            for grid in (first, transposed)
            for rows in orders
            for columns in orders
        }
        for second in puzzles:
            assert (canonical_grid(first) == canonical_grid(second)) == (pattern(second) in dresses)


def pattern(grid: Grid) -> tuple[int, ...]:
    """Digits by first appearance."""
    seen = [0, *dict.fromkeys(digit for digit in grid if digit)]
    return tuple(seen.index(digit) for digit in grid)


def test_orders_of_lines_keep_groups_together() -> None:
    assert len(set(line_orders(6, 3))) == 72
    assert len(set(line_orders(6, 2))) == 48
    assert all({order[0] // 2, order[2] // 2, order[4] // 2} == {0, 1, 2} for order in line_orders(6, 2))


@pytest.mark.slow
@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_the_prompt_asks_for_what_the_key_holds_out(split) -> None:
    rng = random.Random(8)
    for order in ("answer_first", "derivation_first"):
        for _ in range(8):
            problem = TASK.generate(rng, split=split, order=order)
            shape, puzzle = asked(problem)
            assert problem.key == f"sudoku:{canonical_grid(puzzle)}"
            assert split_of(problem.key) == split
            assert puzzle.count(0) == problem.num_steps
            grid = problem.answer_text.split("\n")[-shape.size :]
            assert "".join(grid) == "".join(str(digit) for digit in complete(shape, puzzle) or ())


def test_each_cell_of_a_prompt_takes_equally_many_tokens() -> None:
    tokenizer = Tokenizer.builtin()
    rng = random.Random(9)
    for _ in range(60):
        problem = TASK.generate(rng)
        rows = [line for line in problem.prompt.split("\n") if re.fullmatch("([0-6.?] ?)+", line)]
        assert len({len(tokenizer.encode(row)) for row in rows}) == 1, rows


def small(order: str = "answer_first") -> Problem:
    dials = TASK.make_dials(small_percent=100, min_small_blanks=5, max_small_blanks=5)
    return TASK.generate(random.Random(4), order=order, dials=dials)  # type: ignore[arg-type]


def test_the_judge_of_the_grid() -> None:
    problem = small()
    rows = problem.answer_text.split("\n")
    assert TASK.verify(problem, "\n".join(" ".join(row) for row in rows)).is_correct
    wrong = TASK.verify(problem, "\n".join([rows[0], rows[2], rows[1], rows[3]]))
    assert (wrong.is_correct, wrong.num_lines, wrong.num_true_lines) == (False, 4, 2)
    assert "row 2" in wrong.reason
    for text in ("", "\n", "1" * 9000, problem.answer_text + "\n" + rows[0], problem.answer_text * 2, "".join(rows)):
        verdict = TASK.verify(problem, text)
        assert not verdict.is_correct
        assert verdict.reason


def test_the_judge_of_placements() -> None:
    problem = small("derivation_first")
    first, *rows = problem.answer_text.split("\n")
    placements = re.findall("...", first)
    assert len(placements) == 5
    for line in (first, ", ".join(placements[::-1]), " ".join(f"{each[:2]}={each[2]}" for each in placements)):
        assert TASK.verify(problem, "\n".join([line, *rows])).is_correct, line
    again = placements[0]
    for line in (" ", first + again, first[3:], first + "?", first[:3] + first, first + "F66", first[:-1]):
        verdict = TASK.verify(problem, "\n".join([line, *rows]))
        assert (verdict.answer_is_correct, verdict.is_derivation_valid) == (True, False), line
        assert verdict.num_true_lines <= verdict.num_lines
    assert TASK.verify(problem, "\n".join([first, *rows[::-1]])).is_derivation_valid
    assert not TASK.verify(problem, "\n".join([first, *rows[::-1]])).answer_is_correct


def test_dials_choose_size_and_blanks() -> None:
    rng = random.Random(6)
    dials = TASK.make_dials(small_percent=0, min_large_blanks=12, max_large_blanks=13)
    for _ in range(10):
        problem = TASK.generate(rng, dials=dials)
        assert asked(problem)[0] is LARGE
        assert problem.num_steps in (12, 13)
    assert asked(small())[0] is SMALL
    for table in ({"small_percent": 101}, {"max_small_blanks": 11}, {"max_large_blanks": 21}, {"min_small_blanks": 0}):
        with pytest.raises(ConfigError):
            TASK.make_dials(**table)


def test_a_split_without_such_puzzles_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are two complete grids of 4×4 but for their dress: with one blank they make a handful of puzzles."""
    monkeypatch.setattr("redraft.tasks.sudoku.MAX_ATTEMPTS", 3)
    dials = TASK.make_dials(small_percent=100, min_small_blanks=1, max_small_blanks=1)
    with pytest.raises(ConfigError, match="no problem of the split dev"):
        TASK.generate(random.Random(0), split="dev", dials=dials)
