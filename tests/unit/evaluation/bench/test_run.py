"""The whole run at tiny scale, its arms in this process: who takes turns, what the report holds, and what is kept."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.denoiser.interpreted import Interpreted

from redraft.denoiser import Transformer, TransformerConfig
from redraft.denoiser.checkpoint import save_checkpoint
from redraft.engine import loading
from redraft.errors import ConfigError
from redraft.evaluation.bench import run as run_module
from redraft.evaluation.bench.plan import Plan, full_plan, quick_plan
from redraft.evaluation.bench.process import WorkerProcess
from redraft.evaluation.bench.run import BenchRequest, run_bench
from redraft.evaluation.bench.saving import keep_part, save_report
from redraft.evaluation.bench.table import render_bench
from redraft.evaluation.bench.worker import Worker
from redraft.text import Tokenizer

PLAN = Plan(
    efforts=("instant", "low"),
    batches=(1, 2),
    count=2,
    repeats=2,
    accuracy_count=3,
    pass_repeats=1,
    scaling_repeats=1,
    grid={"canvas": (8, 16), "context": (0, 16), "batch": (1, 2)},
)
DIALS = (("max_value", 100),)
MACHINE = {"processor": "Some CPU", "family": "1 2", "instructions": [], "cores": 2, "memory_gib": 4, "system": "Linux"}


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    """Put the arms into this process, and return what they are asked."""
    asked: list[tuple[str, Mapping[str, Any]]] = []

    class Here(WorkerProcess):
        def __init__(self, name: str, *, num_threads: int, waits_actively: bool = False) -> None:
            self.name, self.worker = name, Worker(tmp_path)

        def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
            message = json.loads(json.dumps({"do": do, **arguments}))
            asked.append((self.name, message))
            return json.loads(json.dumps(self.worker.handle(message)))

        def close(self) -> None:
            pass

    monkeypatch.setattr(run_module, "WorkerProcess", Here)
    return asked


@pytest.fixture
def causal_checkpoint(tiny_model: Transformer, tokenizer: Tokenizer, tmp_path: Path) -> Path:
    config = TransformerConfig.from_dict(tiny_model.config.to_dict() | {"is_causal": True})
    model = Transformer(config)
    model.load_state_dict(tiny_model.state_dict())
    save_checkpoint(tmp_path / "causal", model=model, tokenizer_json=tokenizer.to_json(), card="# Tiny\n")
    return tmp_path / "causal"


def whole(report: dict[str, Any]) -> dict[str, Any]:
    made_with = {"date": "2026-01-02", "machine": MACHINE, "command": "redraft bench", "seconds": 1.0}
    return {**report, **made_with, "git_commit": None, "versions": {"torch": "2"}}


@pytest.mark.slow
def test_a_run_with_random_baseline(
    messages: list[tuple[str, Mapping[str, Any]]], tiny_checkpoint: Path, tmp_path: Path
) -> None:
    # Judging programs starts a process for each, which is another test's affair.
    request = BenchRequest(
        model=str(tiny_checkpoint), plan=PLAN, has_llama=False, num_threads=1, tasks=("arithmetic",), dials=DIALS
    )
    parts: list[dict[str, Any]] = []
    report = run_bench(request, keep=lambda part: parts.append(json.loads(json.dumps(part))))
    assert [len(part["speed"]) for part in parts[:4]] == [3, 6, 9, 12], "what is measured is kept as it comes"
    assert "accuracy" not in parts[3]
    assert parts[-1] == json.loads(json.dumps(report))
    # Two prompts, two batches, three contestants.
    assert len(report["speed"]) == 12
    assert all(row["tokens_per_second"]["n"] == 2 and "over_autoregressive" in row for row in report["speed"])
    assert {row["arm"] for row in report["accuracy"]} == {"diffusion"}, "random weights are not judged"
    assert [row["order"] for row in report["accuracy"]] == ["answer_first"] * 2 + ["derivation_first"] * 2
    asked = [message["workload"] for _, message in messages if message["do"] == "turn"]
    assert all(workload["dials"] == [["max_value", 100]] for workload in asked)
    assert "random" in report["baselines"]["autoregressive"]["weights"]
    assert "tokenizer" not in report["model"]
    # The digest of the text by its task is the same for both arms, and who begins changes from repeat to repeat.
    turns = [(name, message["effort"]) for name, message in messages if message["do"] == "turn"][:9]
    assert turns[:3] == [("diffusion", "instant"), ("diffusion", "low"), ("autoregressive", "medium")]
    assert turns[3:6] == [("diffusion", "low"), ("autoregressive", "medium"), ("diffusion", "instant")]
    table = render_bench(whole(report))
    assert "weights random; for speed only" in table
    assert "batch" in table
    part = keep_part(whole(parts[0]), tmp_path)
    assert json.loads(part.read_text(encoding="utf-8"))["speed"] == parts[0]["speed"]
    path = save_report(whole(report), tmp_path)
    assert not part.exists(), "the whole takes the place of its part"
    assert path.name == "2026-01-02-some-cpu-2-cores.json"
    assert json.loads(path.read_text(encoding="utf-8"))["speed"] == report["speed"]
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert save_report(whole(report), tmp_path).name == "2026-01-02-some-cpu-2-cores-2.json"
    with pytest.raises(ConfigError, match="no such folder"):
        save_report(whole(report), tmp_path / "nowhere")


@pytest.mark.slow
def test_our_model_takes_part_compiled(
    messages: list[tuple[str, Mapping[str, Any]]], tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "find_programs", lambda shape, *, tell: Interpreted(shape))
    plan = replace(PLAN, batches=(1,), prompts=("short",), orders=("answer_first",))
    request = BenchRequest(
        model=str(tiny_checkpoint), plan=plan, has_llama=False, has_compiled=True, tasks=("arithmetic",), dials=DIALS
    )
    report = run_bench(request)
    assert [(row["arm"], row["effort"]) for row in report["speed"]] == [
        *(("diffusion", effort) for effort in plan.efforts),
        *(("compiled", effort) for effort in plan.efforts),
        ("autoregressive", ""),
    ]
    assert all("over_autoregressive" in row for row in report["speed"])
    right = [(row["arm"], row["effort"], row["answer_accuracy"]["successes"]) for row in report["accuracy"]]
    assert [(effort, count) for arm, effort, count in right if arm == "compiled"] == [
        (effort, count) for arm, effort, count in right if arm == "diffusion"
    ]
    assert report["compiled_pass"]["rows"] == report["pass"]["rows"]
    assert {message["model"] for name, message in messages if message["do"] == "open" and name == "compiled"} == {
        str(tiny_checkpoint)
    }
    table = render_bench(whole(report))
    assert "the same model with its passes compiled" in table
    assert sum(line.startswith("compiled ") for line in table.splitlines()) == 2 * len(plan.efforts) + 1


@pytest.mark.slow
def test_a_trained_baseline_is_judged_and_has_to_be_causal(
    messages: list[tuple[str, Mapping[str, Any]]], tiny_checkpoint: Path, causal_checkpoint: Path
) -> None:
    plan = Plan(
        **{name: getattr(PLAN, name) for name in ("efforts", "count", "grid")},
        prompts=("short",),
        orders=("answer_first",),
        batches=(1,),
        repeats=1,
        accuracy_count=2,
        pass_repeats=1,
        scaling_repeats=1,
    )
    report = run_bench(
        BenchRequest(
            model=str(tiny_checkpoint),
            plan=plan,
            autoregressive=str(causal_checkpoint),
            has_llama=False,
            tasks=("arithmetic",),
        )
    )
    assert report["baselines"]["autoregressive"]["weights"] == "causal"
    assert {row["arm"] for row in report["accuracy"]} == {"diffusion", "autoregressive"}
    assert str(causal_checkpoint) not in json.dumps(report), "no path of this machine"
    for model, baseline in ((tiny_checkpoint, tiny_checkpoint), (causal_checkpoint, None)):
        with pytest.raises(ConfigError, match="left to right"):
            run_bench(
                BenchRequest(model=str(model), plan=plan, autoregressive=baseline and str(baseline), has_llama=False)
            )


def test_quick_is_a_part_of_full() -> None:
    quick, full = quick_plan(), full_plan()
    assert set(quick.efforts) <= set(full.efforts)
    assert set(quick.batches) <= set(full.batches)
    assert max(full.batches) <= full.count
    assert max(quick.batches) <= quick.count
