"""The training loop.

A run lives in one directory: ``recipe.json``, ``metrics.jsonl``, ``loss.png``, ``checkpoints/`` (the trainer's state)
and ``model/`` (the averaged weights, for use). Started again on the same directory it goes on where the newest whole
checkpoint left it. Limited by steps, a resumed run gives the same weights bit for bit; limited by seconds, curriculum
and learning rate follow the clock, whose reading at each step the metrics record as ``progress``. What is trained, and
on what, is the affair of a ``learner``.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from redraft.denoiser import Transformer
from redraft.errors import ConfigError, DependencyError, RedraftError
from redraft.text import Tokenizer
from redraft.training import checkpoint
from redraft.training.adapt import BlockLearner
from redraft.training.adapt_config import AdaptRecipe
from redraft.training.config import Recipe
from redraft.training.data import tokenizer_of
from redraft.training.ema import Ema
from redraft.training.hardware import (
    choose_device,
    choose_dtype,
    describe_machine,
    gemm_ceiling,
    keep_freed_memory,
)
from redraft.training.interrupt import Interrupt
from redraft.training.learner import Learner
from redraft.training.metrics import MetricsLog, plot_losses, read_metrics
from redraft.training.native import NativeLearner
from redraft.training.optimizer import MixedOptimizer
from redraft.training.processes import Processes
from redraft.training.recipe import differing_keys, recipe_to_dict
from redraft.training.schedule import lr_schedule

__all__ = ["TrainResult", "Trainer", "Validate", "step_rng"]

Validate = Callable[[Transformer, int], dict[str, float]]
"""Called with the averaged model and the step; what it returns goes into the metrics."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainResult:
    """How a run, or this part of it, ended."""

    step: int
    """Steps done over all resumes."""

    seconds: float
    """Seconds of training over all resumes."""

    is_finished: bool
    """Whether the run reached its end; False after an interrupt."""

    figures: Mapping[str, float]
    """The last validation's."""

    model_folder: Path
    """The averaged weights, ready for use."""


def step_rng(seed: int, step: int) -> torch.Generator:
    """Source of every draw of one step: a function of both numbers, so that a resume needs no generator state."""
    digest = hashlib.sha256(f"redraft/training/{seed}/{step}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


class Trainer:
    """One run."""

    def __init__(
        self,
        recipe: Recipe | AdaptRecipe,
        run_dir: Path,
        validate: Validate | None = None,
        log: Callable[[str], None] = print,
        *,
        tokenizer: Tokenizer | None = None,
    ) -> None:
        torch.set_num_threads(recipe.train.num_threads)
        keep_freed_memory()
        self.recipe = recipe
        self.run_dir = run_dir
        self.validate = validate
        self.log = log
        self.device = choose_device(recipe.train.device)
        is_adaptation = isinstance(recipe, AdaptRecipe)
        self.dtype = choose_dtype(recipe.train.dtype, self.device, by_autocast=is_adaptation)
        self.learner: Learner
        if is_adaptation:
            self.learner = BlockLearner(recipe, self.device, self.dtype)
        else:
            self.learner = NativeLearner(recipe, tokenizer or tokenizer_of(recipe.data), self.device, self.dtype)
        self.model: Any = self.learner.model
        self.stream = self.learner.stream
        self.optimizer = MixedOptimizer(self.model, recipe.optimizer)
        self.ema = Ema(self.model, recipe.optimizer.ema_decay)
        self.processes = Processes()
        self.ceiling = math.nan
        self.step = 0
        self.seconds_before = 0.0
        self.started = time.monotonic()
        self.figures: dict[str, float] = {}
        self._resume()

    # -- the run ------------------------------------------------------------------------------------------------------

    @property
    def seconds(self) -> float:
        """Seconds of training so far, over all resumes."""
        return self.seconds_before + time.monotonic() - self.started

    @property
    def progress(self) -> float:
        """Share of the run that is done, by steps or by seconds, whichever is further; at most 1."""
        limits = self.recipe.train
        by_steps = self.step / limits.max_steps if limits.max_steps else 0.0
        by_seconds = self.seconds / limits.max_seconds if limits.max_seconds else 0.0
        return min(1.0, max(by_steps, by_seconds))

    def run(self, processes: Processes | None = None) -> TrainResult:
        """Train until the end or an interrupt; either way the state is on the disk afterwards.

        Args:
            processes: Those of the run, of which this is the first; by default there is no other.

        Returns:
            How it ended.
        """
        self.processes = processes or self.processes
        self._write_recipe()
        self.ceiling = gemm_ceiling(self.device, self.dtype)
        self.metrics = MetricsLog(self.run_dir / "metrics.jsonl", num_steps_done=self.step)
        self.metrics.write(
            "start", self.step, gemm_ceiling_gflops=self.ceiling / 1e9, **describe_machine(self.device, self.dtype)
        )
        self.started = time.monotonic()
        due = _Timers(self.recipe, self.started)
        first_progress, first_step = self.progress, self.step
        # Closed also when training diverges, so that the diary up to there is whole.
        with closing(self.metrics), closing(self.stream), Interrupt() as interrupt:
            while True:
                progress = self.progress
                progress, is_over = self.processes.agree(progress, progress >= 1.0 or interrupt.is_requested)
                if is_over:
                    break
                record = self._train_step(progress)
                spent, gained = time.monotonic() - self.started, self.progress - first_progress
                record["seconds_left"] = spent / gained * (1.0 - self.progress) if gained > 0 else math.inf
                self.metrics.write("step", self.step, **_finite(record))
                if due.log():
                    self.metrics.flush()
                    self.log(self._progress_line(record))
                is_last = self.progress >= 1.0 or interrupt.is_requested
                if due.validation(self.step) and not is_last:
                    self._validate()
                if due.checkpoint(self.step) and not is_last:
                    self._save()
            is_finished = self.progress >= 1.0
            if is_finished and (self.step > first_step or not self.figures):
                self._validate()
            self._save()
            self._plot()
        if interrupt.is_requested:
            self.log(f"interrupted: step {self.step} is saved in {self.run_dir}; the same command goes on from there")
        return TrainResult(
            step=self.step,
            seconds=self.seconds,
            is_finished=is_finished,
            figures=self.figures,
            model_folder=self.run_dir / "model",
        )

    def follow(self, processes: Processes) -> None:
        """Do this process's share of every step until the first process says that the run is over."""
        self.processes = processes
        with closing(self.stream):
            while True:
                progress, is_over = processes.agree(0.0, False)
                if is_over:
                    return
                self._train_step(progress)

    # -- one step -----------------------------------------------------------------------------------------------------

    def _train_step(self, progress: float) -> dict[str, Any]:
        """Do one step and return its figures."""
        start = time.monotonic()
        recipe = self.recipe.optimizer
        factor = lr_schedule(
            self.step,
            progress,
            warmup_steps=recipe.warmup_steps,
            cooldown=recipe.cooldown,
            final_lr=recipe.final_lr,
        )
        # 1. A clean batch for each process and what the model sees of this one's.
        batches = [self.stream.next(progress) for _ in range(self.processes.size)]
        batch = batches[self.processes.rank]
        rng = step_rng(self.recipe.train.seed, self.step * self.processes.size + self.processes.rank)
        loss = corrupted_nats = clean_nats = 0.0
        for parts in self.learner.losses(batch, rng, progress):
            loss += float(parts.total.detach())
            corrupted_nats += float(parts.corrupted_nats)
            clean_nats += float(parts.clean_nats)
            parts.total.backward()
        # 2. Gradients, weights, averages.
        figures = (loss, corrupted_nats, clean_nats)
        loss, corrupted_nats, clean_nats = self.processes.average(self.optimizer.weights, figures)
        if not math.isfinite(loss):
            raise RedraftError(
                f"the loss is {loss} at step {self.step}; lower optimizer.muon_lr or optimizer.adamw_lr, "
                f"the last checkpoint in {self.run_dir} is sound"
            )
        norm = self.optimizer.clip_gradients()
        self.optimizer.step(factor)
        self.ema.update(self.step)
        self.step += 1
        # 3. The record.
        seconds = time.monotonic() - start
        num_tokens = sum(each.num_tokens for each in batches)
        # The ceiling is one process's, and so is the share of it.
        flops = self.learner.flops(batch)
        return {
            "progress": progress,
            "loss": loss,
            "corrupted_nats": corrupted_nats,
            "clean_nats": clean_nats,
            "lr": factor * (recipe.muon_lr or recipe.adamw_lr),
            "grad_norm": norm,
            "tokens": num_tokens,
            "rows": sum(each.num_rows for each in batches),
            "examples": self.stream.state.examples_seen,
            "seconds": seconds,
            "tokens_per_second": num_tokens / seconds,
            "gemm_share": flops / seconds / self.ceiling,
        }

    # -- what is written ----------------------------------------------------------------------------------------------

    def _resume(self) -> None:
        """Go on from the newest whole checkpoint, if there is one."""
        state, complaints = checkpoint.load_latest_state(self.run_dir / "checkpoints")
        for complaint in complaints:
            self.log(f"passed over a damaged checkpoint: {complaint}")
        if state is None:
            self.learner.warm_start()
            self.ema = Ema(self.model, self.recipe.optimizer.ema_decay)
            return
        keys = differing_keys(state.scalars["recipe"], recipe_to_dict(self.recipe))
        if keys:
            raise ConfigError(
                f"{self.run_dir} holds a run with another recipe; it differs in {', '.join(keys)}; "
                "choose another run directory, or restore these"
            )
        checkpoint.copy_into(dict(self.model.named_parameters()), state.sections["model"], "model")
        checkpoint.copy_into(self.ema.averages, state.sections.get("ema", {}), "averages")
        checkpoint.copy_into(self.optimizer.state_tensors(), state.sections["optimizer"], "optimiser state")
        self.stream.load_state_dict(state.scalars["stream"])
        self.step = state.step
        self.seconds_before = float(state.scalars["seconds"])
        self.figures = dict(state.scalars["figures"])
        self.learner.start_digest = state.scalars.get("start_digest", "")
        self.log(f"resuming {self.run_dir} at step {self.step}, {_clock(self.seconds_before)} into training")

    def _write_recipe(self) -> None:
        self.run_dir.mkdir(parents=True, exist_ok=True)
        text = json.dumps(recipe_to_dict(self.recipe), indent=1, ensure_ascii=False) + "\n"
        (self.run_dir / "recipe.json").write_text(text, encoding="utf-8")

    def _save(self) -> None:
        """Put the state and the usable model on the disk; the metrics first, so that they never lag behind."""
        self.metrics.sync()
        start = {"start_digest": self.learner.start_digest} if self.learner.start_digest else {}
        state = checkpoint.TrainerState(
            step=self.step,
            sections={
                "model": dict(self.model.named_parameters()),
                "ema": self.ema.averages,
                "optimizer": self.optimizer.state_tensors(),
            },
            scalars={
                "seconds": self.seconds,
                "stream": self.stream.state_dict(),
                "figures": self.figures,
                "recipe": recipe_to_dict(self.recipe),
                **start,
            },
        )
        checkpoint.save_state(self.run_dir / "checkpoints", state, keep=self.recipe.train.keep_checkpoints)
        with self.ema.applied():
            self.learner.export(
                self.run_dir / "model",
                step=self.step,
                examples=self.stream.state.examples_seen,
                figures=self.figures,
            )

    def _validate(self) -> None:
        """Measure the averaged weights."""
        with self.ema.applied():
            figures = self.learner.measure()
            if self.validate is not None:
                figures |= self.validate(self.model, self.step)
        self.figures = figures
        self.metrics.write("validation", self.step, progress=self.progress, **_finite(figures))
        self.metrics.flush()
        self.log(f"step {self.step}: " + "  ".join(f"{name} {value:.4g}" for name, value in figures.items()))

    def _plot(self) -> None:
        if self.recipe.train.plot == "never":
            return
        self.metrics.flush()
        try:
            plot_losses(read_metrics(self.metrics.path), self.run_dir / "loss.png")
        except DependencyError as error:
            if self.recipe.train.plot == "always":
                raise
            self.log(f"no loss plot: {error}")

    def _progress_line(self, record: Mapping[str, Any]) -> str:
        return (
            f"step {self.step}  {100 * self.progress:.1f} %  loss {record['loss']:.3f}  "
            f"{record['tokens_per_second']:,.0f} tokens/s  time left {_clock(record['seconds_left'])}"
        )


class _Timers:
    """Says when something is due."""

    def __init__(self, recipe: Recipe | AdaptRecipe, now: float) -> None:
        self.recipe = recipe.train
        self.last = {"log": -math.inf, "checkpoint": now, "validation": now}

    def log(self) -> bool:
        """Whether to print a line."""
        return self._is_past("log", self.recipe.log_seconds)

    def checkpoint(self, step: int) -> bool:
        """Whether to write a checkpoint after ``step`` steps."""
        seconds, steps = self.recipe.checkpoint_seconds, self.recipe.checkpoint_steps
        return _divides(steps, step) or (seconds > 0 and self._is_past("checkpoint", seconds))

    def validation(self, step: int) -> bool:
        """Whether to validate after ``step`` steps."""
        seconds, steps = self.recipe.validate_seconds, self.recipe.validate_steps
        return _divides(steps, step) or (seconds > 0 and self._is_past("validation", seconds))

    def _is_past(self, name: str, seconds: float) -> bool:
        now = time.monotonic()
        if now - self.last[name] < seconds:
            return False
        self.last[name] = now
        return True


def _divides(steps: int, step: int) -> bool:
    return steps > 0 and step % steps == 0


def _finite(record: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what JSON has no number for."""
    return {name: value for name, value in record.items() if not isinstance(value, float) or math.isfinite(value)}


def _clock(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "unknown"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
