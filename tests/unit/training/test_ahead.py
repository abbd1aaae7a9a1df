import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from redraft.errors import RedraftError
from redraft.text import Tokenizer
from redraft.training import Recipe, train
from redraft.training.ahead import DrawnAhead
from redraft.training.checkpoint import load_latest_state
from redraft.training.data import ExampleStream
from redraft.training.metrics import read_metrics

MakeRecipe = Callable[..., Recipe]


def silent(line: str) -> None:
    del line


@pytest.mark.slow
def test_ranges_come_whole_and_in_order(make_recipe: MakeRecipe, tokenizer: Tokenizer) -> None:
    examples = ExampleStream(make_recipe().data, tokenizer)
    ahead = DrawnAhead(examples.draw, 2)
    ahead.ask(7, 12, 0.5)
    assert len(multiprocessing.active_children()) == 2
    assert ahead.take(0, 7, 0.25) == examples.draw(0, 7, 0.25)
    assert ahead.take(7, 12, 0.5) == examples.draw(7, 12, 0.5)
    assert ahead.take(3, 4, 1.0) == examples.draw(3, 4, 1.0)
    ahead.close()
    assert not multiprocessing.active_children()


def test_a_worker_that_dies_is_one_clear_error(make_recipe: MakeRecipe, tokenizer: Tokenizer) -> None:
    ahead = DrawnAhead(ExampleStream(make_recipe().data, tokenizer).draw, 1)
    ahead.ask(0, 2, 0.0)
    for worker in multiprocessing.active_children():
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(
        RedraftError, match=r"one of the 1 processes that draw examples has ended.*lower data\.num_work"
    ):
        ahead.take(0, 2, 0.0)
    assert not multiprocessing.active_children()


@pytest.mark.slow
def test_a_steady_mixture_trains_the_same_whoever_draws(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    mixture = [{"task": "arithmetic", "weight": 1.0, "dials": {"min_steps": 1, "max_steps": 2}}]
    data = {"mixture": mixture, "pool_examples": 12, "batch_tokens": 400}

    def stop_after_five(line: str) -> None:
        if line.startswith("step 5 "):
            os.kill(os.getpid(), signal.SIGTERM)

    own = make_recipe(data={**data, "canvas_length": 48, "context_length": 64})
    helped = make_recipe(data={**data, "canvas_length": 48, "context_length": 64, "num_workers": 1})
    train(own, tmp_path / "own", log=silent)
    assert not train(helped, tmp_path / "helped", log=stop_after_five).is_finished
    assert train(helped, tmp_path / "helped", log=silent).is_finished
    assert not multiprocessing.active_children()
    first, second = (load_latest_state(tmp_path / name / "checkpoints")[0] for name in ("own", "helped"))
    assert first is not None
    assert second is not None
    assert first.scalars["stream"]["pool_start"] == second.scalars["stream"]["pool_start"] > 0
    assert all(tensor.equal(second.sections["model"][name]) for name, tensor in first.sections["model"].items())
    rows = [
        [r["rows"] for r in read_metrics(tmp_path / n / "metrics.jsonl") if r["kind"] == "step"]
        for n in ("own", "helped")
    ]
    assert rows[0] == rows[1]
