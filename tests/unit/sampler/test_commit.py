import pytest
import torch

from redraft.errors import ConfigError
from redraft.noise import Cosine
from redraft.sampler.commit import (
    AboveThreshold,
    Ancestral,
    CommitRule,
    EntropyBound,
    LeastEntropy,
    LeftToRight,
    Margin,
    MostConfident,
    Pace,
    Random,
)
from redraft.sampler.propose import FixedScores
from redraft.sampler.random import Draws


def pace(budget: list[int], length: int, index: int = 0) -> Pace:
    seeds = tuple(range(len(budget)))
    draws = Draws(seeds=seeds, block=0, step=index, length=length, device=torch.device("cpu"))
    return Pace(index=index, budget=torch.tensor(budget), draws=draws)


def scores(values: list[float]) -> FixedScores:
    row = torch.tensor([values])
    return FixedScores(confidence=row, entropy=row, margin=row)


def chosen(rule: CommitRule, values: list[float], candidates: str, budget: int = 1) -> str:
    """Run a rule on one row; ``x`` marks a candidate, and in the answer a chosen one."""
    is_candidate = torch.tensor([[letter == "x" for letter in candidates]])
    picked = rule(scores(values), is_candidate, pace([budget], len(values)))
    return "".join("x" if bit else "." for bit in picked[0].tolist())


def test_most_confident() -> None:
    assert chosen(MostConfident(), [0.9, 0.5, 0.7, 0.8], ".xxx", 2) == "..xx"
    assert chosen(MostConfident(), [0.5, 0.5, 0.5], "xxx", 2) == "xx.", "the leftmost among equals"
    assert chosen(MostConfident(), [0.5, 0.5], "x.", 5) == "x."


def test_above_threshold() -> None:
    rule = AboveThreshold(threshold=0.9)
    assert chosen(rule, [0.95, 0.9, 0.2], "xxx") == "xx.", "at the threshold is enough"
    assert chosen(rule, [0.95, 0.3, 0.2], ".xx") == ".x.", "the surest in any case"
    assert chosen(rule, [0.3, 0.3], "xx") == "x."
    assert chosen(rule, [0.99, 0.99], "..") == ".."


def test_above_threshold_with_more_that_always_settle() -> None:
    rule = AboveThreshold(threshold=0.9, least=2)
    assert chosen(rule, [0.95, 0.1, 0.2], "xxx") == "x.x"
    assert chosen(rule, [0.95, 0.92, 0.91], "xxx") == "xxx"
    assert chosen(rule, [0.3, 0.2], "x.") == "x."
    with pytest.raises(ConfigError, match="least_commits=0"):
        AboveThreshold(threshold=0.9, least=0)


def test_least_entropy() -> None:
    assert chosen(LeastEntropy(), [0.9, 0.5, 0.7, 0.8], ".xxx", 2) == ".xx."
    assert chosen(LeastEntropy(), [0.5, 0.5], "xx", 1) == "x.", "the leftmost among equals"
    assert chosen(LeastEntropy(), [0.5, 0.5], "xx", 0) == ".."


def test_entropy_bound() -> None:
    rule = EntropyBound(bound=0.1)
    assert chosen(rule, [0.06, 0.05, 0.0, 0.3], "xxxx") == "xxx.", "0 + 0.05 before 0.06; 0.11 before 0.3"
    assert chosen(rule, [9.0, 8.0], "xx") == ".x"
    assert chosen(rule, [0.0, 0.0, 9.0], "..x") == "..x"
    assert chosen(rule, [0.0, 0.0], "..") == ".."
    assert chosen(EntropyBound(bound=0.0), [0.0, 0.2, 0.0], "xxx") == "xxx", "certain positions cost nothing"


def test_margin() -> None:
    assert chosen(Margin(), [0.1, 0.3, 0.2], "xxx", 2) == ".xx"
    assert chosen(Margin(threshold=0.2), [0.1, 0.3, 0.2], "xxx") == ".xx"
    assert chosen(Margin(threshold=0.9), [0.1, 0.3, 0.2], "xxx") == ".x."
    assert chosen(Margin(threshold=0.0), [0.1, 0.3], "..") == ".."


def test_left_to_right() -> None:
    assert chosen(LeftToRight(), [0.1, 0.3, 0.2, 0.5], ".xxx", 2) == ".xx."


def test_random_takes_the_budget_from_anywhere() -> None:
    candidates = torch.ones(200, 6, dtype=torch.bool)
    row = torch.zeros(200, 6)
    picked = Random()(FixedScores(confidence=row, entropy=row, margin=row), candidates, pace([2] * 200, 6))
    assert picked.sum(dim=1).tolist() == [2] * 200
    assert bool((picked.sum(dim=0) > 40).all()), "400 picks over six places"


def test_ancestral_probabilities() -> None:
    rule = Ancestral(num_steps=4)
    assert [rule.probability(index) for index in range(6)] == pytest.approx([1 / 4, 1 / 3, 1 / 2, 1, 1, 1])
    curved = Ancestral(num_steps=7, schedule=Cosine())
    still_open = 1.0
    for index in range(7):
        still_open *= 1 - curved.probability(index)
        alpha = float(Cosine().alpha(torch.tensor([1 - (index + 1) / 7], dtype=torch.float64)))
        assert still_open == pytest.approx(1 - alpha, abs=1e-12)
    assert curved.probability(6) == 1.0


@pytest.mark.parametrize(
    "rule", [MostConfident(), AboveThreshold(threshold=0.5), EntropyBound(bound=0.1), Margin(), LeftToRight(), Random()]
)
def test_each_rule_picks_something_and_only_candidates(rule: CommitRule) -> None:
    rng = torch.Generator().manual_seed(0)
    candidates = torch.rand(64, 9, generator=rng) < 0.3
    values = torch.rand(64, 9, generator=rng)
    picked = rule(FixedScores(confidence=values, entropy=values, margin=values), candidates, pace([1] * 64, 9))
    assert not bool((picked & ~candidates).any())
    assert torch.equal(picked.any(dim=1), candidates.any(dim=1))


@pytest.mark.parametrize("threshold", [0.0, 1.1, float("nan")])
def test_bad_thresholds_are_refused(threshold: float) -> None:
    with pytest.raises(ConfigError, match="not a probability"):
        AboveThreshold(threshold=threshold)


@pytest.mark.parametrize("bound", [-0.1, float("nan")])
def test_bad_bounds_are_refused(bound: float) -> None:
    with pytest.raises(ConfigError, match="entropy_bound"):
        EntropyBound(bound=bound)
