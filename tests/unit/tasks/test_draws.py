"""Drawing until a problem belongs to a split: one loop for all tasks, the same problems for the same seed as ever."""

import hashlib
import random

import pytest

from redraft.errors import ConfigError
from redraft.tasks import get_task
from redraft.tasks.holdout import draw_from_split, split_of


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("countdown", "361c3c7adade6bd5"),
        ("multiplication", "3bfbdf09406b0f04"),
        ("planning", "e4bc03b9c28094ef"),
        ("sudoku", "ba7a25e278f9a28a"),
    ],
)
def test_the_same_seed_gives_the_same_problems_as_before_the_loop_was_shared(name: str, digest: str) -> None:
    task = get_task(name)
    found = hashlib.sha256()
    for seed in range(12):
        for split in ("train", "dev", "test", None):
            problem = task.generate(random.Random(seed), split=split)
            found.update(repr((problem.key, problem.prompt)).encode())
    assert found.hexdigest()[:16] == digest


def test_draws_that_come_to_nothing_and_other_splits_are_passed_over() -> None:
    numbers = iter(range(100_000))

    def draw() -> int | None:
        number = next(numbers)
        return number if number % 3 else None

    for split in ("test", "dev", "train", None):
        number = draw_from_split(draw, lambda drawn: f"n:{drawn}", split)
        assert number % 3
        assert split is None or split_of(f"n:{number}") == split


def test_a_split_out_of_reach_is_a_clear_error() -> None:
    with pytest.raises(ConfigError, match="no problem of the split dev: none in 7 draws"):
        draw_from_split(lambda: "primes:151-241", str, "dev", attempts=7)
