"""`countdown`: every right expression passes, whatever its shape; nothing else does; the reference is the shortest."""

import random
import re
from fractions import Fraction
from itertools import permutations

import pytest

from redraft.errors import ConfigError, PromptError
from redraft.tasks import Countdown, split_of
from redraft.tasks.countdown_search import solution
from redraft.tasks.expression import count_reductions
from redraft.text import Tokenizer, lay_out

TASK = Countdown()

Worked = tuple[str, Fraction, tuple[str, ...]]
"""An expression, its value and its lines."""


def combine(first: Worked, second: Worked) -> list[Worked]:
    """All four operations on two worked expressions, written with every bracket: an independent little calculator."""
    (left, a, above), (right, b, below) = first, second
    results = [("+", a + b), ("-", a - b), ("*", a * b)] + ([("/", a / b)] if b else [])
    return [
        (f"({left} {sign} {right})", value, (*above, *below, f"{a} {sign} {b} = {value}")) for sign, value in results
    ]


def everything(numbers: list[int]) -> list[Worked]:
    """Every expression over two or more of three numbers, each at most once."""
    found: list[Worked] = []
    singles = [(str(number), Fraction(number), ()) for number in numbers]
    for first, second, third in permutations(singles):
        pairs = combine(first, second)
        found += pairs
        for pair in pairs:
            found += combine(pair, third) + combine(third, pair)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("numbers", [[3, 7, 25], [8, 8, 3], [1, 2, 10], [6, 12, 50]])
def test_exactly_the_right_expressions_pass(numbers: list[int]) -> None:
    worked = everything(numbers)
    targets = sorted({int(value) for _, value, _ in worked if value.denominator == 1 and value > 0} - set(numbers))
    rng = random.Random(0)
    for target in rng.sample([target for target in targets if solution(numbers, target)], 3):
        problem = TASK.of(numbers, target)
        for text, value, lines in worked:
            verdict = TASK.verify(problem, "\n".join([text, *lines]))
            assert verdict.answer_is_correct == verdict.is_derivation_valid == (value == target), (text, target)
            assert verdict.num_true_lines == verdict.num_lines == len(lines), lines


def test_the_reference_is_the_shortest_and_does_not_depend_on_the_order_of_the_numbers() -> None:
    rng = random.Random(1)
    for _ in range(30):
        problem = TASK.generate(rng, dials=TASK.make_dials(max_numbers=3, max_number=20))
        given, target = problem.key.removeprefix("countdown:").split("=")
        numbers = [int(number) for number in given.split(",")]
        fewest = min(len(lines) for _, value, lines in everything(numbers) if value == int(target))
        assert problem.num_steps == fewest
        assert TASK.of(numbers[::-1], int(target)).answer_text == TASK.of(numbers, int(target)).answer_text


@pytest.mark.parametrize(
    ("text", "answer", "lines", "reason"),
    [
        ("8 ÷ (3 − 8 ÷ 3)\n8 ÷ 3 = 8/3\n3 − 8/3 = 1/3\n8 ÷ 1/3 = 24", True, True, ""),
        ("8 ÷ (3 − 8 ÷ 3)\n3 − 8/3 = 1/3\n8 ÷ 3 = 8/3\n8 ÷ 1/3 = 24", True, False, "due"),
        ("8 ÷ (3 − 8 ÷ 3)\n8 ÷ 3 = 8/3\n3 − 8/3 = 1/3", True, False, "missing"),
        ("8 × 3\n8 × 3 = 24", True, True, ""),
        ("8 × 3\n3 × 8 = 24", True, True, ""),
        ("8 × 3\n8 × 3 = 25", True, False, "not true"),
        ("8 × 3\n8 × 3 = 24\n1 + 1 = 2", True, False, "due"),
        ("8 × 3\n12 + 12 = 24", True, False, "due"),
        ("8 + 8 + 8\n8 + 8 = 16\n16 + 8 = 24", False, False, "more often"),
        ("24\n", False, False, "more often"),
        ("3³ − 3\n", False, False, "only"),
        ("√(8 × 8) × 3\n8 × 8 = 64", False, False, "only"),
        ("8 + 3\n8 + 3 = 11", False, False, "is 11, not 24"),
        ("8 ÷ (3 − 3)", False, False, "divides by 0"),
        ("3 ÷ (8 − 8)", False, False, "divides by 0"),
        ("8 × 3 = 24", False, False, "read"),
        ("", False, False, "read"),
        ("(" * 5000, False, False, "read"),
        ("8 × 3\n" + "8 × 3 = 24\n" * 3000, True, False, "due"),
        ("8 × 3\n8/0 + 3 = 24", True, False, "not true"),
    ],
)
def test_the_judge(text: str, answer: bool, lines: bool, reason: str) -> None:
    verdict = TASK.verify(TASK.of([3, 3, 8, 8], 24), text)
    assert (verdict.answer_is_correct, verdict.is_derivation_valid) == (answer, lines), verdict
    assert reason in verdict.reason
    assert bool(verdict.reason) != verdict.is_correct


def test_every_expression_and_line_has_the_same_place() -> None:
    tokenizer = Tokenizer.builtin()
    rng = random.Random(4)
    for _ in range(100):
        problem = TASK.generate(rng)
        ids = [tokenizer.token_text(token) for token in lay_out(tokenizer, problem.fields)]
        assert [place for place, text in enumerate(ids) if text == "\n"] == [
            31 + 12 * i for i in range(problem.num_steps)
        ]


def test_the_prompt_asks_for_what_the_key_holds_out() -> None:
    rng = random.Random(5)
    for _ in range(100):
        problem = TASK.generate(rng, split="dev", order="derivation_first")
        given, target = problem.key.removeprefix("countdown:").split("=")
        asked = sorted(re.findall("[0-9]+", problem.prompt), key=int)
        assert asked == sorted([*given.split(","), target], key=int)
        assert split_of(problem.key) == "dev"


def test_dials_bound_the_numbers_and_the_target() -> None:
    dials = TASK.make_dials(min_numbers=4, max_numbers=4, max_number=12, max_target=60)
    rng = random.Random(6)
    for _ in range(50):
        given, target = TASK.generate(rng, dials=dials).key.removeprefix("countdown:").split("=")
        numbers = [int(number) for number in given.split(",")]
        assert len(numbers) == 4
        assert max(numbers) <= 12
        assert 10 <= int(target) <= 60
    for table in ({"max_numbers": 5}, {"min_numbers": 2}, {"max_target": 1000}, {"max_number": 5}):
        with pytest.raises(ConfigError):
            TASK.make_dials(**table)


@pytest.mark.parametrize(
    ("numbers", "target"), [([1, 1, 1], 100), ([3, 4], 4), ([5], 5), ([1, 2, 3, 4, 5], 15), ([0, 9], 9)]
)
def test_what_can_not_be_asked_is_refused(numbers: list[int], target: int) -> None:
    with pytest.raises(PromptError):
        TASK.of(numbers, target)


def test_there_is_no_solution_where_there_is_none() -> None:
    assert solution([1, 1, 1], 4) is None
    tree = solution([2, 3, 5, 7], 210)
    assert tree is not None
    assert count_reductions(tree) == 3
