"""Starts a run, in as many processes as the recipe asks for."""

import multiprocessing
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from redraft.errors import ConfigError, RedraftError
from redraft.text import Tokenizer
from redraft.training.adapt_config import AdaptRecipe
from redraft.training.config import Recipe
from redraft.training.processes import joined
from redraft.training.trainer import Trainer, TrainResult, Validate

__all__ = ["train"]


def train(
    recipe: Recipe | AdaptRecipe,
    run_dir: Path,
    validate: Validate | None = None,
    log: Callable[[str], None] = print,
    *,
    tokenizer: Tokenizer | None = None,
) -> TrainResult:
    """Start or resume a run and go on until its end or an interrupt.

    A script that trains in several processes must guard its own start with ``if __name__ == "__main__":``, since each
    of them imports it.

    Args:
        recipe: What to do.
        run_dir: The run's directory; made if missing.
        validate: Further held-out figures.
        log: Takes progress lines.
        tokenizer: The one the recipe was built with; the built-in one by default. Adapting takes the start's own.

    Returns:
        How it ended.

    Raises:
        ConfigError: If the directory holds a run with another recipe, or several processes are to share a CUDA device.
        RedraftError: If the loss is no longer a number, or a process of the run has ended.
    """
    # In this process first: what is wrong with the recipe or the directory shows before others are started.
    trainer = Trainer(recipe, run_dir, validate, log, tokenizer=tokenizer)
    size = recipe.train.num_processes
    if size == 1:
        return trainer.run()
    if trainer.device.type != "cpu":
        raise ConfigError(
            f"train.num_processes={size} is for CPUs, and this run is on {trainer.device.type}; "
            "set train.num_processes=1 or train.device='cpu'"
        )
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        meeting = Path(folder) / "meeting"
        others = [
            context.Process(target=_help, args=(recipe, run_dir, tokenizer, meeting, rank), daemon=True)
            for rank in range(1, size)
        ]
        try:
            for other in others:
                other.start()
            others_live = lambda: all(other.is_alive() for other in others)  # noqa: E731
            with joined(meeting, 0, size, others_live=others_live) as processes:
                return trainer.run(processes)
        finally:
            for other in others:
                other.join(timeout=10)
                other.terminate()


def _help(recipe: Recipe | AdaptRecipe, run_dir: Path, tokenizer: Tokenizer | None, meeting: Path, rank: int) -> None:
    """What each process but the first does. The first reports every error, so this one only ends."""
    # An interrupt on a terminal reaches every process; the first one notes it and says when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        trainer = Trainer(recipe, run_dir, log=lambda line: None, tokenizer=tokenizer)
        with joined(meeting, rank, recipe.train.num_processes) as processes:
            trainer.follow(processes)
    except RedraftError:
        sys.exit(1)
