"""``redraft bench``: speed beside its baselines, and whether the answers are right."""

import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from redraft.errors import ConfigError
from redraft.interfaces.output import to_json
from redraft.interfaces.start import import_torch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["BenchOptions", "bench"]


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchOptions:
    """What the command line asks for."""

    model: str
    """Ours: name or path."""
    autoregressive: str | None
    """A causal checkpoint; None for random weights."""
    is_quick: bool
    """A short run."""
    has_llama: bool
    """Whether llama.cpp takes part."""
    has_compiled: bool
    """Whether our model takes part a second time, with compiled passes."""
    threads: int | None
    """Most threads of each arm; None for one per usable core."""
    tasks: "Sequence[str]"
    """What is asked; none for what the model was trained on."""
    prompts: "Sequence[str]"
    """Kinds of prompt, short or long; none for both."""
    dials: "Sequence[str]"
    """Settings of the one task's generator, each as ``name=number``."""
    seed: int
    """Fixes the questions and every random draw."""
    plot: "Path | None"
    """A PNG file for the scaling."""
    save: "Path | None"
    """A folder for dated results."""
    is_json: bool
    """JSON instead of tables."""
    arguments: "Sequence[str]"
    """The command's words, for the report."""


def bench(options: BenchOptions) -> None:
    """Measure and print.

    Args:
        options: What is asked for.

    Raises:
        ConfigError: An option can't be used.
        DependencyError: A package is missing.
    """
    _check(options)
    dials = _read_tasks(options)
    import_torch()
    from redraft.evaluation.bench.machine import describe_machine
    from redraft.evaluation.bench.plan import full_plan, quick_plan
    from redraft.evaluation.bench.run import BenchRequest, run_bench
    from redraft.evaluation.bench.saving import command_line, keep_part, plot_report, save_report
    from redraft.evaluation.bench.table import render_bench
    from redraft.evaluation.report import origin

    _check_packages(options)
    plan = quick_plan() if options.is_quick else full_plan()
    request = BenchRequest(
        model=options.model,
        plan=replace(plan, prompts=tuple(options.prompts)) if options.prompts else plan,
        autoregressive=options.autoregressive,
        has_llama=options.has_llama,
        has_compiled=options.has_compiled,
        seed=options.seed,
        num_threads=options.threads,
        tasks=tuple(options.tasks),
        dials=dials,
    )
    since = time.perf_counter()
    made_with: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": describe_machine(),
        "command": command_line(options.arguments),
        "is_quick": options.is_quick,
        **origin(),
    }

    def keep(part: dict[str, Any]) -> None:
        if options.save is not None:
            keep_part({**made_with, **part}, options.save)

    measured = run_bench(request, tick=_say if sys.stderr.isatty() else None, keep=keep)
    report = {**made_with, **measured, "seconds": round(time.perf_counter() - since, 1)}
    if sys.stderr.isatty():
        _say("")
    if options.plot is not None:
        plot_report(report, options.plot)
    if options.save is not None:
        save_report(report, options.save)
    sys.stdout.write((to_json(report) if options.is_json else render_bench(report)) + "\n")


def _check(options: BenchOptions) -> None:
    """Refuse at once what would fail after minutes."""
    if options.threads is not None and options.threads < 1:
        raise ConfigError(f"--threads {options.threads} is too few; use 1 or more")
    if options.plot is not None and not options.plot.parent.is_dir():
        raise ConfigError(f"--plot {options.plot}: there is no folder {options.plot.parent}; make it first")
    if options.save is not None and not options.save.is_dir():
        raise ConfigError(f"--save {options.save}: there is no such folder; make it first")


def _read_tasks(options: BenchOptions) -> tuple[tuple[str, int], ...]:
    """Refuse tasks and dials that there are not, and return the dials."""
    from redraft.interfaces.evaluate import read_dials
    from redraft.tasks import get_task

    if options.dials and len(options.tasks) != 1:
        raise ConfigError("--dial belongs to a single task; name it, as in --task arithmetic --dial max_value=100")
    dials = read_dials(options.dials)
    for task in options.tasks:
        get_task(task).make_dials(**dials)
    return tuple(dials.items())


def _check_packages(options: BenchOptions) -> None:
    """Look for optional packages at once, without loading them."""
    from importlib.util import find_spec

    from redraft.errors import DependencyError
    from redraft.evaluation.bench.llama_context import LLAMA_MISSING

    if options.has_llama and find_spec("llama_cpp") is None:
        raise DependencyError(LLAMA_MISSING)
    if (options.plot or options.save) and find_spec("matplotlib") is None:
        raise DependencyError("the plot needs matplotlib: pip install 'redraft[plot]'")


def _say(words: str) -> None:
    """Show what is being measured, in place of what was said before."""
    sys.stderr.write(f"\r\x1b[K{words}")
    sys.stderr.flush()
