"""Prime counting: the right primes, an exact judge."""

import random

import pytest

from redraft.errors import ConfigError
from redraft.tasks import Primes, PrimesDials, get_task, task_names
from redraft.tasks.primes import primes_between

TASK = Primes()
ANSWER = "18\n151, 157, 163, 167, 173, 179, 181, 191, 193, 197, 199, 211, 223, 227, 229, 233, 239, 241"


def test_primes_by_trial_division() -> None:
    expected = [n for n in range(2, 1001) if all(n % d for d in range(2, n))]
    assert primes_between(2, 1000) == expected
    assert primes_between(151, 151) == [151]
    assert primes_between(152, 156) == []


def test_the_demo_reads_as_promised() -> None:
    problem = TASK.between(150, 250)
    assert problem.answer_text == ANSWER
    assert TASK.verify(problem, ANSWER).is_correct


@pytest.mark.parametrize(
    ("text", "count", "listed"),
    [
        (ANSWER.replace("18\n", "17\n"), False, True),
        (ANSWER.replace("151, ", ""), True, False),
        (ANSWER.replace("151, 157", "157, 151"), True, False),
        (ANSWER + ", 247", True, False),
        ("18", True, False),
        ("", False, False),
        ("18\n" + "1" * 100_000, True, False),
    ],
)
def test_the_judge(text: str, count: bool, listed: bool) -> None:
    verdict = TASK.verify(TASK.between(150, 250), text)
    assert (verdict.answer_is_correct, verdict.is_derivation_valid) == (count, listed)
    assert verdict.reason


def test_generated_problems_are_answered_by_their_own_fields() -> None:
    rng = random.Random(2)
    for order in ("answer_first", "derivation_first"):
        for _ in range(200):
            problem = TASK.generate(rng, order=order)
            assert TASK.verify(problem, problem.answer_text).is_correct
            assert 1 <= problem.num_steps <= 25


def test_dials_bound_the_bounds() -> None:
    dials = TASK.make_dials(max_bound=200, min_width=10, max_width=20)
    assert dials == PrimesDials(max_bound=200, min_width=10, max_width=20)
    rng = random.Random(3)
    for _ in range(50):
        problem = TASK.generate(rng, split=None, dials=dials)
        assert int(problem.key.split("-")[1]) <= 200
        assert problem.num_steps <= 8
    with pytest.raises(ConfigError):
        TASK.make_dials(max_width=101)


def test_the_registry_names_the_nearest() -> None:
    assert {"arithmetic", "code", "largest", "primes", "rewrite"} <= set(task_names())
    assert list(task_names()) == sorted(task_names())
    assert get_task("primes").name == "primes"
    with pytest.raises(ConfigError, match="did you mean 'primes'"):
        get_task("prime")
