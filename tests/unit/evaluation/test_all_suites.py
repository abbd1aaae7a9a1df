"""``eval all``: one report with every task and suite, errors in place of figures, a table and a plot."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from redraft.denoiser import FakeDenoiser
from redraft.engine import Engine
from redraft.errors import ConfigError
from redraft.evaluation import all_suites
from redraft.evaluation.all_suites import plot_all, render_all, run_all
from redraft.evaluation.suites import SuiteRequest
from redraft.interfaces.evaluate import evaluate_suite
from redraft.text import Tokenizer

REQUEST = SuiteRequest(
    count=2, seed=1, split="test", order="answer_first", effort="instant", command="redraft eval all"
)


def nothing_but_threes(canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
    tokenizer = Tokenizer.builtin()
    return (
        torch.nn.functional.one_hot(torch.full_like(canvas, tokenizer.digit_token_ids[3]), tokenizer.vocab_size) * 9.0
    )


@pytest.mark.slow
def test_every_suite_is_in_the_report_and_one_that_fails_says_why(
    tokenizer: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*_: Any, **__: Any) -> dict[str, Any]:
        raise ConfigError("too short a canvas")

    monkeypatch.setattr(all_suites, "task_names", lambda: ("primes", "rewrite", "unknown"))
    monkeypatch.setattr(all_suites, "run_correction", refusing)
    monkeypatch.setattr(all_suites, "run_infill", refusing)
    monkeypatch.setattr(all_suites, "run_passes", refusing)
    fake = FakeDenoiser(vocab_size=tokenizer.vocab_size, logits_of=nothing_but_threes)
    engine = Engine(fake, tokenizer, name="fake", context_length=256, canvas_length=168)
    ticks: list[str] = []
    report = json.loads(json.dumps(run_all(engine, REQUEST, tick=ticks.append)))
    assert list(report["tasks"]) == ["primes", "rewrite", "unknown"]
    assert report["tasks"]["primes"]["accuracy"]["total"] == 2
    assert "unknown" in report["tasks"]["unknown"]["error"]
    assert report["suites"]["correction"] == {"error": "too short a canvas"}
    assert "written anew" in report["suites"]["edit"]["error"]
    assert report["model"] == "fake"
    assert ticks[:3] == ["primes", "rewrite", "unknown"]
    table = render_all(report)
    assert "# passes\nnot asked: too short a canvas" in table
    assert table.split("\n")[4].split()[0] == "primes"
    assert report["others"] == []
    plot_all(report, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_a_second_model_is_asked_for_what_it_was_trained_on(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def named(suite: str) -> Any:
        return lambda engine, *_, **__: {"suite": suite, "model": engine.name}

    monkeypatch.setattr(all_suites, "task_names", lambda: ("primes", "rewrite"))
    monkeypatch.setattr(all_suites, "_run_task", lambda engine, name, request: {"model": engine.name})
    monkeypatch.setattr(all_suites, "_run_edit", named("edit"))
    for suite in ("correction", "passes", "infill"):
        monkeypatch.setattr(all_suites, f"run_{suite}", named(suite))
    fake = FakeDenoiser(vocab_size=tokenizer.vocab_size, logits_of=nothing_but_threes)
    one, two = (Engine(fake, tokenizer, name=name, context_length=64, canvas_length=64) for name in ("one", "two"))
    report = run_all(one, REQUEST, others=dict.fromkeys(("rewrite", "edit", "infill"), two))
    asked = {name: row["model"] for part in ("tasks", "suites") for name, row in report[part].items()}
    assert asked == {
        "primes": "one", "rewrite": "two", "correction": "one", "passes": "one", "edit": "two", "infill": "two"
    }  # fmt: skip
    assert report["others"] == [{"model": "two", "model_digest": "", "asked_for": ["edit", "infill", "rewrite"]}]


def test_options_that_have_no_effect_are_refused(tmp_path: Path) -> None:
    shared = {"count": 1, "seed": 0, "model": "nano", "effort": "instant", "order": "answer_first", "split": "test"}
    rest = {"arms": [], "plot": None, "is_json": True, "command": ""}
    with pytest.raises(ConfigError, match="--dial"):
        evaluate_suite("all", **shared, **rest, dials=["max_steps=2"], out=tmp_path)
    with pytest.raises(ConfigError, match="--out belongs to all"):
        evaluate_suite("primes", **shared, **rest, dials=[], out=tmp_path)
    with pytest.raises(ConfigError, match="--device cuda: infill compares times of one CPU; leave it out"):
        evaluate_suite("infill", **shared, **rest, dials=[], device="cuda")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(ConfigError, match="is no folder"):
        evaluate_suite("all", **shared, **rest, dials=[], out=tmp_path / "file")
