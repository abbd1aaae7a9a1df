import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from redraft.denoiser import Transformer
from redraft.denoiser.checkpoint import load_checkpoint
from redraft.errors import ConfigError, RedraftError
from redraft.text import Tokenizer
from redraft.training import Recipe, Trainer, recipe_to_dict, train
from redraft.training.checkpoint import load_latest_state
from redraft.training.metrics import read_metrics
from redraft.training.trainer import step_rng

MakeRecipe = Callable[..., Recipe]

RUN_AND_DIE = """
import json, os, signal, sys
from pathlib import Path
from redraft.training import build_recipe, train
table = json.loads(sys.argv[1])
def log(line):
    if line.startswith("step 7 "):
        os.kill(os.getpid(), signal.SIGKILL)
train(build_recipe(table), Path(sys.argv[2]), log=log)
"""

FORK_AND_KILL = """
import json, os, random, signal, sys, time
from pathlib import Path
from redraft.training import build_recipe, train
from redraft.training.checkpoint import checkpoint_steps, load_latest_state
recipe, run_dir = build_recipe(json.loads(sys.argv[1])), Path(sys.argv[2])
folder, rng, last = run_dir / "checkpoints", random.Random(0), 0
for kill in range(20):
    child = os.fork()
    if child == 0:
        train(recipe, run_dir, log=lambda line: None)
        os._exit(1)
    before = len(checkpoint_steps(folder)) and checkpoint_steps(folder)[-1]
    deadline = time.monotonic() + 60
    while (checkpoint_steps(folder) or [0])[-1] <= before and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(rng.uniform(0.0, 0.15))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    state, complaints = load_latest_state(folder)
    assert state is not None and not complaints, (kill, complaints)
    assert state.step > last, (kill, state.step, last)
    last = state.step
print("survived")
"""


def run_script(script: str, recipe: Recipe, run_dir: Path) -> subprocess.CompletedProcess[str]:
    table = recipe_to_dict(recipe)
    del table["model"]["vocab_size"], table["model"]["digit_token_ids"]
    table["data"]["mixture"] = [{k: v for k, v in e.items() if v is not None} for e in table["data"]["mixture"]]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-c", script, json.dumps(table), str(run_dir)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=250,
        check=False,
    )


def silent(line: str) -> None:
    del line


def steps_of(run_dir: Path) -> list[dict[str, Any]]:
    """Return what the metrics say of each step, timings left out."""
    names = ("step", "progress", "loss", "corrupted_nats", "clean_nats", "lr", "grad_norm", "tokens", "examples")
    return [{n: r[n] for n in names} for r in read_metrics(run_dir / "metrics.jsonl") if r["kind"] == "step"]


def assert_same_state(first: Path, second: Path) -> None:
    one, two = (load_latest_state(folder / "checkpoints")[0] for folder in (first, second))
    assert one is not None
    assert two is not None
    assert one.step == two.step
    for section in ("model", "ema", "optimizer"):
        assert one.sections[section].keys() == two.sections[section].keys()
        for name, tensor in one.sections[section].items():
            assert tensor.numpy().tobytes() == two.sections[section][name].numpy().tobytes(), (section, name)


@pytest.mark.slow
def test_a_run_learns_and_leaves_everything_behind(
    make_recipe: MakeRecipe, tmp_path: Path, tokenizer: Tokenizer
) -> None:
    recipe = make_recipe(train={"max_steps": 40, "plot": "auto", "validate_steps": 15})
    lines: list[str] = []
    seen: list[tuple[str, int]] = []

    def validate(model: Transformer, step: int) -> dict[str, float]:
        seen.append((type(model).__name__, step))
        return {"mine": 0.5}

    result = train(recipe, tmp_path / "run", validate, lines.append)
    assert result.is_finished
    assert result.step == 40
    assert seen == [("Transformer", 15), ("Transformer", 30), ("Transformer", 40)]
    assert result.figures["mine"] == 0.5
    assert set(result.figures) >= {"all_mask_nats", "half_mask_nats", "one_pass_first_line/0-arithmetic"}
    steps = steps_of(tmp_path / "run")
    assert [record["step"] for record in steps] == list(range(1, 41))
    assert steps[-1]["corrupted_nats"] < steps[0]["corrupted_nats"] - 1.0
    assert (tmp_path / "run" / "recipe.json").is_file()
    assert any("time left" in line and "tokens/s" in line for line in lines)
    loaded = load_checkpoint(result.model_folder)
    assert loaded.tokenizer_json == tokenizer.to_json()
    assert loaded.extra["training"]["step"] == 40


def test_the_exported_model_is_the_average(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    result = train(make_recipe(), tmp_path / "run", log=silent)
    state, _ = load_latest_state(tmp_path / "run" / "checkpoints")
    assert state is not None
    exported = load_checkpoint(result.model_folder).model
    assert all(weight.equal(state.sections["ema"][name]) for name, weight in exported.named_parameters())
    assert not state.sections["ema"]["head.weight"].equal(state.sections["model"]["head.weight"])


@pytest.mark.slow
def test_resuming_after_a_kill_changes_no_bit(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    recipe = make_recipe(train={"checkpoint_steps": 5})
    train(recipe, tmp_path / "straight", log=silent)
    killed = run_script(RUN_AND_DIE, recipe, tmp_path / "killed")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    state, _ = load_latest_state(tmp_path / "killed" / "checkpoints")
    assert state is not None
    assert state.step == 5
    lines: list[str] = []
    assert train(recipe, tmp_path / "killed", log=lines.append).step == 12
    assert "resuming" in lines[0]
    assert steps_of(tmp_path / "killed") == steps_of(tmp_path / "straight")
    assert_same_state(tmp_path / "straight", tmp_path / "killed")


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_a_loadable_checkpoint(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    done = run_script(FORK_AND_KILL, make_recipe(train={"max_steps": 100_000, "checkpoint_steps": 1}), tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "survived"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_step_and_saves(make_recipe: MakeRecipe, tmp_path: Path, number: signal.Signals) -> None:
    lines: list[str] = []

    def log(line: str) -> None:
        lines.append(line)
        if line.startswith("step 3 "):
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    result = train(make_recipe(), tmp_path / "run", log=log)
    assert signal.getsignal(number) is before
    assert not result.is_finished
    assert 3 <= result.step < 12
    assert "interrupted" in lines[-1]
    again = train(make_recipe(), tmp_path / "run", log=silent)
    assert again.is_finished
    train(make_recipe(), tmp_path / "straight", log=silent)
    assert_same_state(tmp_path / "straight", tmp_path / "run")


def test_another_recipe_in_the_same_directory_is_an_error(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    train(make_recipe(), tmp_path / "run", log=silent)
    with pytest.raises(ConfigError, match=r"differs in noise\.clean_weight, optimizer\.muon_lr;"):
        Trainer(make_recipe(noise={"clean_weight": 0.2}, optimizer={"muon_lr": 0.1}), tmp_path / "run", log=silent)
    longer = make_recipe(train={"max_steps": 14, "num_threads": 1, "checkpoint_steps": 3})
    assert train(longer, tmp_path / "run", log=silent).step == 14


def test_a_finished_run_is_left_as_it_is(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    first = train(make_recipe(), tmp_path / "run", log=silent)
    again = train(make_recipe(), tmp_path / "run", log=silent)
    assert (again.step, again.figures) == (first.step, first.figures)
    assert len(steps_of(tmp_path / "run")) == 12


def test_a_budget_of_seconds_ends_the_run(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    result = train(make_recipe(train={"max_steps": 0, "max_seconds": 1.0}), tmp_path / "run", log=silent)
    assert result.is_finished
    assert result.step > 1
    progress = [record["progress"] for record in steps_of(tmp_path / "run")]
    assert progress == sorted(progress)
    assert 0.0 <= progress[0] < progress[-1] < 1.0


def test_seconds_count_over_all_resumes(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    def stop_soon(line: str) -> None:
        if line.startswith("step 4 "):
            os.kill(os.getpid(), signal.SIGTERM)

    long = make_recipe(train={"max_steps": 0, "max_seconds": 1000.0})
    first = train(long, tmp_path / "run", log=stop_soon)
    resumed = Trainer(long, tmp_path / "run", log=silent)
    assert resumed.step == first.step
    assert resumed.seconds_before == pytest.approx(first.seconds, abs=2.0)
    assert resumed.progress > 0.0


def test_divergence_is_an_error_and_the_last_checkpoint_stays(
    make_recipe: MakeRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(make_recipe(train={"checkpoint_steps": 2}), tmp_path / "run", log=silent)
    real = trainer.stream.next

    def poisoned(progress: float) -> Any:
        if trainer.step == 3:
            trainer.model.head.weight.data.fill_(torch.nan)
        return real(progress)

    monkeypatch.setattr(trainer.stream, "next", poisoned)
    with pytest.raises(RedraftError, match=r"loss is nan at step 3; lower"):
        trainer.run()
    state, _ = load_latest_state(tmp_path / "run" / "checkpoints")
    assert state is not None
    assert state.step == 2
    assert all(bool(tensor.isfinite().all()) for tensor in state.sections["model"].values())


def test_step_randomness_is_a_function_of_seed_and_step() -> None:
    draws = {
        (seed, step): torch.rand(4, generator=step_rng(seed, step)).tolist() for seed in range(3) for step in range(3)
    }
    assert len({tuple(draw) for draw in draws.values()}) == 9
    assert torch.rand(4, generator=step_rng(2, 1)).tolist() == draws[2, 1]
