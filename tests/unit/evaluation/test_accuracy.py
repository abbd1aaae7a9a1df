"""Accuracy: what is drawn, how it is judged and counted, and how sure the shares are."""

import itertools
import json
import math
from pathlib import Path

import pytest
import torch

from redraft.denoiser import FakeDenoiser
from redraft.engine import Engine
from redraft.errors import ConfigError
from redraft.evaluation.accuracy import Share, draw_problems, evaluate, summarise
from redraft.evaluation.intervals import wilson_interval
from redraft.evaluation.report import Conditions, make_report, render_report
from redraft.tasks import Problem, split_of, task_names
from redraft.text import Segment, Tokenizer, encode_segment, lay_out

CANVAS = 168


def knowing(tokenizer: Tokenizer, problems: list[Problem], *, num_wrong: int = 0) -> Engine:
    """Return an engine that knows the answers, but says 7777 to the first ``num_wrong`` problems."""
    answers = {}
    for index, problem in enumerate(problems):
        context = tuple(encode_segment(tokenizer, Segment("user", problem.prompt)))
        answers[context] = tokenizer.encode("7777") if index < num_wrong else lay_out(tokenizer, problem.fields)

    def logits_of(canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        assert context is not None
        rows = [answers[tuple(row)] for row in context.tolist()]
        rows = [row + [tokenizer.special.end_of_text] * (CANVAS - len(row)) for row in rows]
        tokens = torch.tensor(rows)[:, : canvas.shape[1]]
        return torch.nn.functional.one_hot(tokens, tokenizer.vocab_size).float() * 30.0

    fake = FakeDenoiser(vocab_size=tokenizer.vocab_size, logits_of=logits_of)
    return Engine(fake, tokenizer, name="fake", context_length=256, canvas_length=CANVAS)


@pytest.mark.slow
@pytest.mark.parametrize("task", [task for task in task_names() if task not in ("rewrite", "repair")])
@pytest.mark.parametrize("order", ["answer_first", "derivation_first"])
def test_right_answers_are_all_right(tokenizer: Tokenizer, task: str, order: str) -> None:
    problems = draw_problems(task, count=20, seed=3, order=order)
    engine = knowing(tokenizer, problems)
    ticks: list[int] = []
    outcomes = evaluate(engine, problems, settings=engine.settings(), tick=ticks.append)
    accuracy = summarise(outcomes)
    assert accuracy.answer == accuracy.derivation == accuracy.both == Share(successes=20, total=20)
    assert accuracy.lines.value == 1.0
    assert [outcome.problem for outcome in outcomes] == problems
    assert [outcome.result.text for outcome in outcomes] == [problem.answer_text for problem in problems]
    assert ticks == sorted(ticks)
    assert ticks[-1] == 20


def test_wrong_answers_are_counted(tokenizer: Tokenizer) -> None:
    problems = draw_problems("arithmetic", count=20, seed=3)
    engine = knowing(tokenizer, problems, num_wrong=5)
    settings = engine.settings()
    outcomes = evaluate(engine, problems, settings=settings)
    accuracy = summarise(outcomes)
    assert accuracy.answer == accuracy.both == Share(successes=15, total=20)
    conditions = Conditions(
        suite="arithmetic",
        count=20,
        seed=3,
        split="test",
        order="answer_first",
        dials={},
        effort="medium",
        command="redraft eval arithmetic --count 20 --seed 3",
    )
    report = json.loads(json.dumps(make_report(outcomes, conditions, engine=engine, settings=settings, seconds=2.0)))
    assert report["answer_accuracy"] == Share(successes=15, total=20).to_dict()
    assert report["answer_accuracy"]["value"] == 0.75
    assert sum(row["answer_accuracy"]["total"] for row in report["by_num_steps"]) == 20
    assert len(report["failures"]) == 5
    assert report["failures"][0]["text"] == "7777"
    assert report["nfe_mean"] >= 1.0
    assert report["batched_tokens_per_second"] == report["completion_tokens"] / 2.0
    assert report["versions"]["torch"] == torch.__version__
    table = render_report(report)
    assert "75.0 % [" in table
    assert "redraft eval arithmetic --count 20 --seed 3" in table


@pytest.mark.slow
@pytest.mark.parametrize("task", task_names())
def test_problems_are_of_their_split_and_fixed_by_the_seed(task: str) -> None:
    for split in ("test", "dev"):
        problems = draw_problems(task, count=16, seed=1, split=split)
        assert {split_of(problem.key) for problem in problems} == {split}
        assert len({problem.key for problem in problems}) == 16
        assert draw_problems(task, count=6, seed=1, split=split) == problems[:6]
        assert draw_problems(task, count=16, seed=2, split=split) != problems


def test_a_split_that_runs_out_of_problems_repeats_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redraft.evaluation.accuracy._MAX_REPEATS", 5)
    problems = draw_problems("primes", count=70, seed=1, split="dev")
    assert len(problems) == 70
    assert len({problem.key for problem in problems}) < 70


def test_a_count_of_nothing_and_an_unknown_suite() -> None:
    with pytest.raises(ConfigError, match="count=0"):
        draw_problems("primes", count=0, seed=0)
    with pytest.raises(ConfigError, match="prime"):
        draw_problems("primse", count=1, seed=0)


def test_the_interval_solves_the_score_equation() -> None:
    z = 1.959963984540054
    for total, successes in [(1, 0), (1, 1), (10, 3), (500, 450), (200, 199), (10_000, 5_000)]:
        low, high = wilson_interval(successes, total)
        assert 0.0 <= low <= successes / total <= high <= 1.0
        for end in (low, high):
            if 0.0 < end < 1.0:
                assert math.isclose(abs(successes / total - end), z * math.sqrt(end * (1 - end) / total), rel_tol=1e-9)
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert wilson_interval(0, 5)[0] == 0.0
    assert wilson_interval(5, 5)[1] == 1.0


def test_the_interval_covers_as_it_promises() -> None:
    total, share = 60, 0.9
    covered = 0.0
    for successes in range(total + 1):
        low, high = wilson_interval(successes, total)
        if low <= share <= high:
            covered += math.comb(total, successes) * share**successes * (1 - share) ** (total - successes)
    assert 0.93 <= covered <= 0.98


def test_intervals_shrink_with_trials() -> None:
    widths = [high - low for low, high in (wilson_interval(n * 9, n * 10) for n in (1, 10, 100, 1000))]
    assert all(wide > narrow for wide, narrow in itertools.pairwise(widths))


def test_a_report_outside_of_a_checkout_has_no_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from redraft.evaluation import report

    monkeypatch.setattr("redraft.__file__", str(tmp_path / "lib" / "site" / "redraft" / "__init__.py"))
    assert report._git_commit() is None
