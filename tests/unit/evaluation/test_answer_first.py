"""The suite that compares arms: the same expressions in both orders, figures per step, what the report says."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from redraft.denoiser import Transformer
from redraft.denoiser.checkpoint import save_checkpoint
from redraft.engine import Engine, Request, Result, Seconds
from redraft.errors import ConfigError
from redraft.evaluation import answer_first
from redraft.evaluation.answer_first import draw_pairs, run_answer_first
from redraft.evaluation.answer_first_arms import Arm, differences, load_arms
from redraft.evaluation.answer_first_table import render_answer_first
from redraft.evaluation.intervals import difference_interval
from redraft.evaluation.suites import SuiteRequest
from redraft.interfaces.cli import main
from redraft.sampler import SamplerSettings
from redraft.tasks import Problem
from redraft.text import Tokenizer

DIALS = {"max_steps": 3, "max_value": 100}
REQUEST = SuiteRequest(
    count=8, seed=5, split="dev", order="answer_first", effort="instant", command="redraft eval answer-first"
)


@pytest.fixture(scope="module")
def folders(tiny_model: Transformer, tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("arms")
    made = {}
    for name, is_causal, has_prefix in (("diffusion", False, False), ("causal", True, False), ("prefix", True, True)):
        config = dataclasses.replace(tiny_model.config, is_causal=is_causal, has_bidirectional_context=has_prefix)
        model = Transformer(config)
        model.load_state_dict(tiny_model.state_dict())
        recipe = {"arm": {"name": name}, "model": {"is_causal": is_causal}, "data": {"seed": 1}}
        extra = {"training": {"step": 7, "examples": 70, "recipe": recipe}}
        made[name] = root / name
        save_checkpoint(
            made[name], model=model, tokenizer_json=tokenizer.to_json(), card=f"# {name}\n", extra_config=extra
        )
    return made


def words_of(folders: dict[str, Path]) -> list[str]:
    return [f"{name}={folder}" for name, folder in folders.items()]


def test_both_orders_ask_for_the_same_held_out_expressions() -> None:
    pairs = draw_pairs(count=30, seed=1, dials=DIALS)
    first, second = pairs["answer_first"], pairs["derivation_first"]
    assert [problem.key for problem in first] == [problem.key for problem in second]
    assert len({problem.key for problem in first}) == 30
    assert {problem.order for problem in first} == {"answer_first"}
    assert {problem.order for problem in second} == {"derivation_first"}
    assert all(
        a.answer_text.split("\n")[0] == b.answer_text.split("\n")[-1] for a, b in zip(first, second, strict=True)
    )
    assert {problem.num_steps for problem in first} == {2, 3}
    assert draw_pairs(count=5, seed=1, dials=DIALS)["answer_first"] == first[:5]
    assert draw_pairs(count=5, seed=2, dials=DIALS)["answer_first"] != first[:5]


def test_nothing_to_ask_is_an_error() -> None:
    with pytest.raises(ConfigError, match="count=0 asks for no problem"):
        draw_pairs(count=0, seed=1)


class Scripted(Engine):
    """Knows the answers of some problems and has no model at all."""

    def __init__(self, knows: str) -> None:
        self.knows = knows
        self.name, self.digest = "scripted", "0" * 64

    def settings(self, effort: str = "medium", **changes: Any) -> SamplerSettings:
        return SamplerSettings.for_effort(effort)


def answers_of(engine: Scripted, problems: list[Problem]) -> list[answer_first.Outcome]:
    judge = answer_first.get_task("arithmetic")
    outcomes = []
    for problem in problems:
        is_known = engine.knows in ("all", problem.order) or problem.num_steps < 4
        text = problem.answer_text if is_known else "nothing"
        time = Seconds(tokenize=0.0, prefill=0.0, denoise=0.0, filter=0.0, detokenize=0.0, total=0.0)
        result = Result(
            id="",
            text=text,
            model=engine.name,
            seed=0,
            finish_reason="stop",
            prompt_tokens=1,
            completion_tokens=6,
            nfe=3,
            revised_tokens=0,
            seconds=time,
        )
        outcomes.append(answer_first.Outcome(problem=problem, result=result, verdict=judge.verify(problem, text)))
    return outcomes


@pytest.mark.slow
def test_the_figures_and_the_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        answer_first, "evaluate", lambda engine, problems, *, settings, seed: answers_of(engine, problems)
    )
    monkeypatch.setattr(
        answer_first,
        "provenance",
        lambda engine, settings, seconds: {
            "model": engine.name,
            "model_digest": engine.digest,
            "settings": {},
            "git_commit": None,
            "versions": {},
        },
    )

    def arm(name: str, kind: str, knows: str, seed: int = 1) -> Arm:
        facts = {"folder": name, "kind": kind, "num_parameters": 9, "steps": 3, "examples": 4}
        recipe = {"arm": {"name": kind}, "data": {"seed": seed}, "model": {"is_causal": kind == "causal"}}
        return Arm(name=name, engine=Scripted(knows), facts=facts, recipe=recipe)

    arms = [
        arm("ours", "diffusion", "all"),
        arm("left", "causal", "derivation_first", seed=2),
        arm("one", "one_shot", ""),
    ]
    request = dataclasses.replace(REQUEST, count=40)
    report = json.loads(json.dumps(run_answer_first(arms, request, dials={"max_steps": 5})))
    ours, left = report["arms"]["ours"]["orders"], report["arms"]["left"]["orders"]
    assert ours["answer_first"]["answer_accuracy"]["value"] == 1.0
    assert left["derivation_first"]["answer_accuracy"]["value"] == 1.0
    hard = left["answer_first"]["hard"]["answer_accuracy"]
    assert hard["successes"] == 0
    by_steps = left["answer_first"]["by_num_steps"]
    assert [row["num_steps"] for row in by_steps] == [2, 3, 4, 5]
    assert sum(row["answer_accuracy"]["total"] for row in by_steps) == 40
    assert hard["total"] == sum(row["answer_accuracy"]["total"] for row in by_steps if row["num_steps"] >= 4)
    assert (ours["answer_first"]["nfe_mean"], ours["answer_first"]["tokens_per_forward"]) == (3.0, 2.0)
    compared = report["comparison"]
    assert (compared["diffusion"], compared["best_autoregressive"]) == ("ours", "left")
    assert compared["answer_first_points"]["value"] == 100.0
    assert compared["answer_first_points"]["low"] > 50.0
    assert compared["own_derivation_first_points"]["value"] == 0.0
    assert report["arms"]["ours"]["differs_in"] == []
    assert report["arms"]["left"]["differs_in"] == ["data.seed"]
    table = render_answer_first(report)
    assert "unlike the first arm in data.seed" in table
    assert "ours against left +100.0 points" in table


@pytest.mark.slow
def test_real_arms_are_loaded_measured_and_drawn(folders: dict[str, Path], tmp_path: Path) -> None:
    arms = load_arms(words_of(folders))
    assert [arm.facts["kind"] for arm in arms] == ["diffusion", "causal", "prefix"]
    assert all(differences(arms[0], arm) == [] for arm in arms)
    report = run_answer_first(arms, REQUEST, dials=DIALS, plot=tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert report["comparison"] is None  # no problem of four steps
    for name in folders:
        arm = report["arms"][name]
        assert len(arm["model_digest"]) == 64
        assert arm["orders"]["answer_first"]["answer_accuracy"]["total"] == REQUEST.count
    assert report["command"] == REQUEST.command
    assert "causal: causal, " in render_answer_first(report)


@pytest.mark.slow
def test_the_command(folders: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["eval", "answer-first", "--count", "2", "--dial", "max_steps=2", "--effort", "instant", "--json"]
    for word in words_of(folders):
        words += ["--arm", word]
    assert main(words) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["command"].startswith("redraft eval answer-first --count 2")
    assert list(report["arms"]) == list(folders)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["answer-first"], "name each, as in --arm"),
        (["answer-first", "--arm", "causal"], "'causal' is not of the form NAME=FOLDER"),
        (["answer-first", "--arm", "a=nano", "--arm", "a=nano"], "--arm a is given twice"),
        (["answer-first", "--arm", "a=./nowhere"], "nowhere"),
        (["arithmetic", "--arm", "a=nano"], "--arm belongs to answer-first"),
        (["arithmetic", "--plot", "x.png"], "--plot draws the curves of all, answer-first and passes"),
    ],
)
def test_bad_usage_is_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", *words]) == 2
    assert message in capsys.readouterr().err


def test_suites_about_diffusion_refuse_a_reader(folders: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "passes", "--count", "1", "--model", str(folders["causal"])]) == 2
    assert "writes left to right" in capsys.readouterr().err


def test_the_interval_of_a_difference() -> None:
    low, high = difference_interval((56, 70), (48, 80))  # Newcombe's own example
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)
    assert difference_interval((0, 0), (0, 0)) == pytest.approx((-0.7071, 0.7071), abs=1e-4)


def test_requests_of_both_kinds_take_the_same_seed(folders: dict[str, Path]) -> None:
    arm = load_arms([f"a={folders['causal']}"])[0]
    with torch.inference_mode():
        result = arm.engine.generate(Request.from_prompt("2 + 3", settings=arm.engine.settings()))
    assert result.model == "a"
