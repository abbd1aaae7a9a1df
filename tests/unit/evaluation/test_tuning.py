"""Tuning: points are counted right, and each effort gets the cheapest that is good enough."""

from redraft.engine import Engine
from redraft.evaluation.accuracy import Share, draw_problems
from redraft.evaluation.tuning import CANDIDATES, Measured, measure, pick


def point(name: str, right: int, cost: float) -> Measured:
    share = Share(successes=right, total=100)
    return Measured(settings={"name": name}, answer=share, both=share, tokens_per_forward=1.0, positions_per_token=cost)


def test_an_effort_is_the_cheapest_point_that_is_good_enough() -> None:
    points = [point("best", 80, 9.0), point("near", 79, 5.0), point("rough", 72, 2.0), point("bad", 10, 1.0)]
    picked = pick(points, {"instant": 0.1, "medium": 0.015, "high": 0.0})
    assert {effort: one.settings["name"] for effort, one in picked.items()} == {
        "instant": "rough",
        "medium": "near",
        "high": "best",
    }


def test_every_candidate_is_allowed_and_none_comes_twice(tiny_engine: Engine) -> None:
    settings = [tiny_engine.settings("medium", **candidate) for candidate in CANDIDATES]
    assert len(set(settings)) == len(CANDIDATES)


def test_positions_and_passes_are_counted(tiny_engine: Engine) -> None:
    problems = draw_problems("primes", count=2, seed=1, split="dev")
    one_pass = {"max_steps": 1, "edit_threshold": None, "verify_passes": 0, "fill_after_end": False}
    found = measure(tiny_engine, problems, one_pass)
    # Two answers, each of them one pass over 24 positions.
    tokens = found.tokens_per_forward * 2
    assert abs(found.positions_per_token * max(1.0, tokens) - 48) < 1e-6
    assert str(found).endswith("fill_after_end=False")
