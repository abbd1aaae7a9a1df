"""`multiplication`: exact products, a partial product per digit of either factor, and one key for both orders."""

import random
import re

import pytest

from redraft.errors import ConfigError, PromptError
from redraft.tasks import Multiplication, split_of

TASK = Multiplication()
PROBLEM = TASK.of(305, 47)
ANSWER = "14335\n305 × 7 = 2135\n305 × 40 = 12200 -> 14335"


def test_the_shorter_factor_is_taken_apart() -> None:
    assert PROBLEM.answer_text == TASK.of(47, 305).answer_text == ANSWER
    assert PROBLEM.num_steps == 2


@pytest.mark.parametrize(
    ("text", "answer", "lines", "num_true"),
    [
        (ANSWER, True, True, 2),
        ("14335\n40 * 305 = 12200\n7x305=2135", True, True, 2),
        ("14335\n47 × 5 = 235\n47 × 0 = 0\n47 × 300 = 14100", True, True, 3),
        ("14335\n47 × 5 = 235\n47 × 300 = 14100", True, False, 2),
        ("14335\n305 × 47 = 14335", True, False, 1),
        ("14335\n305 × 7 = 2135\n305 × 7 = 2135", True, False, 2),
        ("14335\n305 × 7 = 2135\n305 × 40 = 12201", True, False, 1),
        (ANSWER.replace("14335", "14336", 1), False, True, 2),
        (ANSWER.replace("14335", "14336"), False, False, 1),
        (ANSWER + "\n1 × 1 = 1", True, False, 3),
        (f"14335\n{'9' * 5000} × 1 = 1", True, False, 0),
        ("", False, False, 0),
    ],
)
def test_the_judge(text: str, answer: bool, lines: bool, num_true: int) -> None:
    verdict = TASK.verify(PROBLEM, text)
    assert (verdict.answer_is_correct, verdict.is_derivation_valid, verdict.num_true_lines) == (answer, lines, num_true)
    assert bool(verdict.reason) != verdict.is_correct


@pytest.mark.parametrize(
    ("total", "lines", "num_true"),
    [(" -> 2350", True, 3), ("", True, 3), (" -> 2351", False, 2), (" -> 143350", False, 2), (" ->", False, 2)],
)
def test_a_total_is_the_sum_so_far(total: str, lines: bool, num_true: int) -> None:
    text = f"143350\n470 × 5 = 2350\n470 × 0 = 0{total}\n470 × 300 = 141000"
    verdict = TASK.verify(TASK.of(305, 470), text)
    assert verdict.answer_is_correct
    assert (verdict.is_derivation_valid, verdict.num_true_lines) == (lines, num_true)


def test_each_line_but_the_first_ends_with_the_total() -> None:
    assert TASK.of(1234, 5678).answer_text.split("\n") == [
        "7006652",
        "5678 × 4 = 22712",
        "5678 × 30 = 170340 -> 193052",
        "5678 × 200 = 1135600 -> 1328652",
        "5678 × 1000 = 5678000 -> 7006652",
    ]


def test_partial_products_add_up_to_the_product() -> None:
    rng = random.Random(1)
    for _ in range(200):
        lines = TASK.generate(rng, order="derivation_first").answer_text.split("\n")
        assert sum(int(re.split(" = | -> ", line)[1]) for line in lines[:-1]) == int(lines[-1])


def test_the_prompt_asks_for_what_the_key_holds_out() -> None:
    rng = random.Random(2)
    for _ in range(200):
        problem = TASK.generate(rng, split="test")
        first, second = (int(number) for number in re.findall("[0-9]+", problem.prompt))
        assert TASK.of(first, second).key == TASK.of(second, first).key == problem.key
        assert split_of(problem.key) == "test"
        assert str(first * second) == problem.answer_text.split("\n")[0]


def test_dials_bound_the_digits() -> None:
    dials = TASK.make_dials(min_digits=3, max_digits=3, min_other_digits=3, max_other_digits=3)
    rng = random.Random(3)
    for _ in range(50):
        problem = TASK.generate(rng, dials=dials)
        assert all(100 <= int(number) <= 999 for number in re.findall("[0-9]+", problem.prompt))
        assert problem.num_steps == 3
    for table in ({"max_digits": 5}, {"min_digits": 1}, {"min_other_digits": 0}, {"digits": 3}):
        with pytest.raises(ConfigError):
            TASK.make_dials(**table)


@pytest.mark.parametrize("factors", [(0, 5), (10_000, 2), (-3, 4)])
def test_factors_out_of_range_are_refused(factors: tuple[int, int]) -> None:
    with pytest.raises(PromptError, match="use factors from 1"):
        TASK.of(*factors)
