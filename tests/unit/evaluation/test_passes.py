"""The curve of accuracy against tokens per pass: all points are there, and budgets are kept."""

from pathlib import Path

import pytest

from redraft.engine import Engine, load_engine
from redraft.evaluation.accuracy import draw_problems
from redraft.evaluation.correction import NUMBERS_PLANTED
from redraft.evaluation.passes import GRID, measure_passes, plot_passes
from redraft.evaluation.suites import SuiteRequest, render_suite, run_correction, run_passes


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine()


@pytest.mark.model
def test_a_rule_with_a_budget_takes_its_passes_and_others_fewer_at_lower_thresholds(engine: Engine) -> None:
    problems = draw_problems("primes", count=2, seed=1, split="dev")
    settings = engine.settings(
        edit_threshold=None, remask_threshold=None, verify_passes=0, lookahead=None, answer_slots=0
    )
    grid = (("most_confident", "num_steps", (1, 4)), ("above_threshold", "threshold", (0.1, 0.99)))
    one, four, easy, strict = measure_passes(engine, problems, settings=settings, grid=grid)
    assert (one.nfe_mean, four.nfe_mean) == (1.0, 4.0)
    assert easy.nfe_mean <= strict.nfe_mean
    assert one.tokens_per_forward > four.tokens_per_forward
    assert one.accuracy.both.total == 2


@pytest.mark.model
def test_the_plot_is_a_picture(engine: Engine, tmp_path: Path) -> None:
    problems = draw_problems("primes", count=1, seed=1, split="dev")
    grid = (("most_confident", "num_steps", (1, 2)),)
    points = measure_passes(engine, problems, settings=engine.settings(), grid=grid)
    plot_passes({"primes": points, "again": points}, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_the_grid_turns_known_dials() -> None:
    assert len({(commit, dial) for commit, dial, _ in GRID}) == len(GRID)
    assert all(values == tuple(sorted(values)) for _, _, values in GRID)


@pytest.mark.model
@pytest.mark.slow
def test_suites_report_with_counts_and_render(engine: Engine, tmp_path: Path) -> None:
    request = SuiteRequest(
        count=1, seed=0, split="dev", order="answer_first", effort="instant", command="redraft eval correction"
    )
    report = run_correction(engine, request)
    assert [row["num_planted"] for row in report["tasks"]["arithmetic"]["planted"]] == list(NUMBERS_PLANTED)
    assert "repaired" in render_suite(report)
    said: list[str] = []
    report = run_passes(engine, request, plot=tmp_path / "p.png", tick=said.append)
    assert len(report["tasks"]["primes"]) == sum(len(values) for _, _, values in GRID)
    assert "tokens/pass" in render_suite(report)
    assert said
