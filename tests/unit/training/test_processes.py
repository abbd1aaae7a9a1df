import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch

from redraft.errors import ConfigError, RedraftError
from redraft.training import Recipe, Trainer, launch, train
from redraft.training.checkpoint import load_latest_state
from redraft.training.metrics import read_metrics
from redraft.training.processes import Processes, joined
from redraft.training.trainer import step_rng

MakeRecipe = Callable[..., Recipe]

SHORT = {"max_steps": 3, "num_processes": 2}


def silent(line: str) -> None:
    del line


def weights_after(recipe: Recipe, run_dir: Path, num_steps: int) -> dict[str, torch.Tensor]:
    """Train on the mean gradient of two batches a step, written out without processes."""
    trainer = Trainer(recipe, run_dir, log=silent)
    for step in range(num_steps):
        progress = step / recipe.train.max_steps
        sums: dict[str, torch.Tensor] = {}
        for rank in range(2):
            batch = trainer.stream.next(progress)
            rng = step_rng(recipe.train.seed, 2 * step + rank)
            (parts,) = trainer.learner.losses(batch, rng, progress)
            parts.total.backward()
            for name, weight in trainer.model.named_parameters():
                sums[name] = sums.get(name, torch.zeros_like(weight)) + weight.grad
                weight.grad = None
        for name, weight in trainer.model.named_parameters():
            weight.grad = sums[name] / 2
        trainer.optimizer.clip_gradients()
        trainer.optimizer.step(min(1.0, (step + 1) / recipe.optimizer.warmup_steps))
    return {name: weight.detach().clone() for name, weight in trainer.model.named_parameters()}


def state_of(run_dir: Path) -> Mapping[str, Mapping[str, torch.Tensor]]:
    state, _ = load_latest_state(run_dir / "checkpoints")
    assert state is not None
    return state.sections


def test_alone_nothing_is_sent_and_nothing_changes() -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    weight.grad = torch.tensor([1.0, 2.0, 3.0])
    assert Processes().average({"a": weight}, [0.25]) == [0.25]
    assert weight.grad.tolist() == [1.0, 2.0, 3.0]
    assert Processes().agree(0.125, True) == (0.125, True)


@pytest.mark.slow
def test_two_processes_take_the_step_of_the_mean_gradient(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    recipe = make_recipe(train=SHORT, optimizer={"cooldown": 0.0})
    result = train(recipe, tmp_path / "run", log=silent)
    assert result.is_finished
    assert result.step == 3
    expected = weights_after(recipe, tmp_path / "reference", 3)
    for name, weight in state_of(tmp_path / "run")["model"].items():
        torch.testing.assert_close(weight, expected[name], rtol=1e-5, atol=1e-6)
    steps = [record for record in read_metrics(tmp_path / "run" / "metrics.jsonl") if record["kind"] == "step"]
    assert [record["examples"] for record in steps] == [sum(s["rows"] for s in steps[: i + 1]) for i in range(3)]


@pytest.mark.slow
def test_two_processes_resume_bit_for_bit(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    def stop_after_the_first_step(line: str) -> None:
        if line.startswith("step 1 "):
            os.kill(os.getpid(), signal.SIGINT)

    recipe = make_recipe(train=SHORT)
    first = train(recipe, tmp_path / "run", log=stop_after_the_first_step)
    assert not first.is_finished
    assert first.step == 1
    assert not multiprocessing.active_children()
    assert train(recipe, tmp_path / "run", log=silent).is_finished
    train(recipe, tmp_path / "straight", log=silent)
    resumed, straight = state_of(tmp_path / "run"), state_of(tmp_path / "straight")
    for section in ("model", "ema", "optimizer"):
        for name, tensor in straight[section].items():
            assert tensor.equal(resumed[section][name]), (section, name)


@pytest.mark.slow
def test_a_process_that_ends_ends_the_run_with_one_clear_error(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    def kill_the_other(line: str) -> None:
        if line.startswith("step 2 "):
            (other,) = multiprocessing.active_children()
            assert other.pid is not None
            os.kill(other.pid, signal.SIGKILL)

    recipe = make_recipe(train={"max_steps": 100_000, "num_processes": 2, "checkpoint_steps": 1})
    with pytest.raises(RedraftError, match=r"another of the 2 processes of this run has ended; the last checkpoint"):
        train(recipe, tmp_path / "run", log=kill_the_other)
    assert state_of(tmp_path / "run")
    assert not multiprocessing.active_children()


def test_a_process_that_never_comes_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(RedraftError, match="one of the 2 processes of this run ended before its first step"),
        joined(tmp_path / "meeting", 0, 2, others_live=lambda: False),
    ):
        pass


def test_several_processes_are_for_cpus(
    make_recipe: MakeRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("redraft.training.trainer.choose_device", lambda name: torch.device("meta"))
    with pytest.raises(ConfigError, match=r"num_processes=2 is for CPUs, and this run is on meta; set"):
        launch.train(make_recipe(train=SHORT), tmp_path / "run", log=silent)
