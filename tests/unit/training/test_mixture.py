import random

import pytest

from redraft.errors import ConfigError
from redraft.training import DataRecipe, MixtureEntry
from redraft.training.mixture import Mixture

ENTRIES = [
    MixtureEntry(task="a", weight=3.0, final_weight=0.0),
    MixtureEntry(task="b", weight=1.0),
    MixtureEntry(task="c", weight=0.0, final_weight=3.0),
]


@pytest.mark.parametrize(
    ("progress", "expected"),
    [(0.0, [0.75, 0.25, 0.0]), (0.25, [0.375, 0.25, 0.375]), (0.5, [0.0, 0.25, 0.75]), (1.0, [0.0, 0.25, 0.75])],
)
def test_weights_move_linearly_and_stay(progress: float, expected: list[float]) -> None:
    assert Mixture(ENTRIES, anneal=0.5).weights(progress) == pytest.approx(expected)


def test_no_anneal_means_the_final_weights_from_the_start() -> None:
    assert Mixture(ENTRIES, anneal=0.0).weights(0.0) == pytest.approx([0.0, 0.25, 0.75])


def test_an_entry_is_not_used_before_it_begins() -> None:
    late = MixtureEntry(task="d", weight=1.0, begin=0.25)
    mixture = Mixture([*ENTRIES, late], anneal=0.5)
    assert mixture.weights(0.2499)[3] == 0.0
    assert sum(mixture.weights(0.2499)) == pytest.approx(1.0)
    assert mixture.weights(0.25)[3] == pytest.approx(1 / 5)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"weight": 1.0, "begin": 0.1}, {"weight": 0.0, "final_weight": 1.0}),
        ({"weight": 1.0, "final_weight": 0.0}, {"weight": 1.0, "begin": 0.6}),
    ],
)
def test_a_recipe_that_would_run_dry_is_refused(first: dict[str, float], second: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"no entry of data\.mixture is used at"):
        DataRecipe(mixture=(MixtureEntry(task="a", **first), MixtureEntry(task="b", **second)), anneal=0.5)


def test_draws_follow_the_weights() -> None:
    rng = random.Random(0)
    mixture = Mixture(ENTRIES, anneal=0.5)
    drawn = [mixture.choose(rng, 0.25) for _ in range(4000)]
    shares = [drawn.count(index) / len(drawn) for index in range(3)]
    # Standard error of a share here: below 0.008.
    assert shares == pytest.approx([0.375, 0.25, 0.375], abs=0.03)
