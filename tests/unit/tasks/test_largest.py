"""`largest`: the answer is the maximum of all lines, lines may come in any order, and the order of asking is no key."""

import random

import pytest

from redraft.errors import ConfigError
from redraft.tasks import get_task, split_of
from redraft.tasks.largest import Largest, LargestDials
from redraft.tasks.problem import Problem

TASK = Largest()


def problem_with(num_items: int, seed: int = 3) -> Problem:
    dials = LargestDials(min_items=num_items, max_items=num_items)
    return TASK.generate(random.Random(seed), dials=dials, language="en")


def test_the_answer_is_the_largest_result() -> None:
    for seed in range(50):
        lines = problem_with(5, seed).answer_text.split("\n")
        assert len(lines) == 6
        assert int(lines[0]) == max(int(line.rpartition("=")[2]) for line in lines[1:])


def test_lines_may_stand_in_any_order_but_each_once() -> None:
    problem = problem_with(4)
    answer, *lines = problem.answer_text.split("\n")
    assert len(set(lines)) == 4
    assert TASK.verify(problem, "\n".join([answer, *lines[::-1]])).is_correct
    twice = TASK.verify(problem, "\n".join([answer, *lines[:3], lines[0]]))
    assert not twice.is_derivation_valid
    assert twice.num_true_lines == 4, "it holds, although it was not asked for again"
    assert "was not asked for" in twice.reason


def test_a_true_line_that_nobody_asked_for_is_a_fault() -> None:
    problem = problem_with(2)
    verdict = TASK.verify(problem, problem.answer_text + "\n1 + 1 = 2")
    assert verdict.answer_is_correct
    assert not verdict.is_derivation_valid


def test_a_wrong_answer_above_right_lines_is_half_right() -> None:
    problem = problem_with(3)
    _, *lines = problem.answer_text.split("\n")
    verdict = TASK.verify(problem, "\n".join(["0", *lines]))
    assert not verdict.answer_is_correct
    assert verdict.is_derivation_valid
    assert verdict.num_true_lines == verdict.num_lines == 3


def test_the_derivation_first_order_ends_with_the_answer() -> None:
    problem = TASK.generate(random.Random(1), order="derivation_first")
    assert problem.answer_text.split("\n")[-1].isdigit()
    assert TASK.verify(problem, problem.answer_text).is_correct


def test_the_order_of_asking_is_no_part_of_the_key() -> None:
    problem = problem_with(3)
    parts = problem.key.removeprefix("largest:").split("|")
    assert parts == sorted(parts)
    assert split_of(problem.key) == "train"


@pytest.mark.parametrize("table", [{"min_items": 1}, {"max_items": 9}, {"min_items": 5, "max_items": 3}])
def test_impossible_numbers_of_items_are_refused(table: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="largest items"):
        get_task("largest").make_dials(**table)


@pytest.mark.parametrize("text", ["", "\n", "=" * 5000, "9\n" * 5000, "√" * 300, "1 + 1 = 2\n" * 100])
def test_any_text_is_judged(text: str) -> None:
    assert not TASK.verify(problem_with(3), text).is_correct
