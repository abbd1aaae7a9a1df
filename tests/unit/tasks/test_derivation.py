"""The judge of derivations: equal operations, either order, and a bounded amount of work on anything."""

import time

import pytest

from redraft.tasks import Arithmetic

TASK = Arithmetic()

TWICE = "(17 - sqrt(225)) * ((sqrt(225) + 40) + 120 / 6)"


def test_a_line_may_speak_of_either_of_two_equal_operations() -> None:
    """The key sorts the factors, so the judge meets the two roots in another order than the text."""
    problem = TASK.from_expression(TWICE)
    assert TASK.verify(problem, problem.answer_text).is_correct
    other = "150\n√225 = 15\n15 + 40 = 55\n120 ÷ 6 = 20\n55 + 20 = 75\n√225 = 15\n17 − 15 = 2\n2 × 75 = 150"
    assert TASK.verify(problem, other).is_correct


def test_equal_operations_need_a_line_each() -> None:
    problem = TASK.from_expression("2² + 2²")
    assert TASK.verify(problem, "8\n2² = 4\n2² = 4\n4 + 4 = 8").is_correct
    assert not TASK.verify(problem, "8\n2² = 4\n4 + 4 = 8").is_derivation_valid
    assert not TASK.verify(problem, "8\n2² = 4\n2² = 4\n2² = 4\n4 + 4 = 8").is_derivation_valid


@pytest.mark.parametrize(
    "text",
    [
        ("(" * 18 + "9" + "³)" * 18 + "³ = 1\n") * 1200,
        ("(" * 18 + "9" + "³)" * 18 + "³ = 1 = 1\n") * 1200,
        "1 = 1\n" * 16_000,
        "√" * 100_000,
        "((((" * 25_000,
        "9" * 100_000,
        "8\n" + "2² = 4\n" * 14_000,
        "٣ = ٣\n" * 16_000,
    ],
    ids=["cubes", "twice", "lines", "roots", "brackets", "digits", "repeats", "other digits"],
)
@pytest.mark.parametrize("order", ["answer_first", "derivation_first"])
def test_a_hundred_kilobytes_of_anything_are_judged_at_once(text: str, order) -> None:
    problem = TASK.from_expression("2² + 2²", order=order)
    start = time.process_time()
    assert not TASK.verify(problem, text).is_correct
    assert time.process_time() - start < 2.0


@pytest.mark.parametrize(
    ("line", "is_true"),
    [
        ("9 × 2/3 = 6", True),
        ("2/3*9=6", True),
        ("9 * (2/3) = 6", True),
        ("6² + 12 ÷ 4 = 39", True),
        ("√81 = 9", True),
        ("9 × 2/3 = 7", False),
        ("9 = 9", False),
        ("1 2 - 3 = 9", False),
        ("7 ÷ 0 = 0", False),
        ("√2 = 1", False),
        ("3 + 4 = 7 = 7", True),
        ("3 + 4 = 7 = 8", False),
    ],
)
def test_a_line_is_true_if_all_sides_are_equal(line: str, is_true: bool) -> None:
    assert TASK.verify(TASK.from_expression("1 + 1"), f"2\n{line}").num_true_lines == is_true
