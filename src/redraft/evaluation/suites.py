"""Suites that ask more than how often a model is right: ``correction`` and ``passes``, each over several tasks.

A suite is a function from an engine to one report; the tables for humans stand beside it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redraft.engine import Engine
from redraft.evaluation.accuracy import draw_problems
from redraft.evaluation.correction import NUMBERS_PLANTED, measure_correction, measure_revisions
from redraft.evaluation.passes import Point, measure_passes, plot_passes
from redraft.evaluation.report import percent, provenance, render_provenance
from redraft.tasks import task_names
from redraft.tasks.problem import Order, Split

__all__ = ["SUITE_NAMES", "SuiteRequest", "render_suite", "run_correction", "run_passes"]

SUITE_NAMES = (*task_names(), "all", "answer-first", "correction", "edit", "humaneval", "infill", "passes")
"""Everything that ``redraft eval`` measures: one suite per task, those of this module and of others."""

_TASKS = ("arithmetic", "primes")


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteRequest:
    """What is asked for."""

    count: int
    """Problems of each task."""

    seed: int
    """Fixes problems, planted tokens and draws."""

    split: Split
    """Which part of the data."""

    order: Order
    """Whether the answer or the derivation is asked for first."""

    effort: str
    """Preset of the sampler."""

    command: str
    """Goes into the report."""


def run_correction(
    engine: Engine, request: SuiteRequest, *, tick: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Plant wrong tokens in right answers and count what becomes of them; see ``redraft.evaluation.correction``.

    Args:
        engine: The model at work.
        request: What is asked for.
        tick: Called with a few words, now and then.

    Returns:
        The report.
    """
    since = time.perf_counter()
    settings = engine.settings(request.effort)
    tasks: dict[str, Any] = {}
    for task in _TASKS:
        problems = draw_problems(task, count=request.count, seed=request.seed, split=request.split, order=request.order)
        rows = []
        for number in NUMBERS_PLANTED:
            _say(tick, f"{task}: {number} planted")
            counts = measure_correction(engine, problems, num_planted=number, settings=settings, seed=request.seed)
            rows.append(counts.to_dict())
        _say(tick, f"{task}: revisions")
        revisions = measure_revisions(engine, problems, settings=settings, seed=request.seed)
        tasks[task] = {
            "planted": rows,
            "revised_in_generation": revisions.revised.to_dict(),
            "revised_answers": revisions.answers.to_dict(),
        }
    return _report("correction", request, tasks, provenance(engine, settings, time.perf_counter() - since))


def run_passes(
    engine: Engine, request: SuiteRequest, *, plot: Path | None = None, tick: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Measure accuracy against tokens per pass; see ``redraft.evaluation.passes``.

    Args:
        engine: The model at work.
        request: What is asked for.
        plot: PNG file for the curves; None draws none.
        tick: Called with a few words, now and then.

    Returns:
        The report.
    """
    since = time.perf_counter()
    settings = engine.settings(request.effort)
    curves: dict[str, Sequence[Point]] = {}
    for task in _TASKS:
        problems = draw_problems(task, count=request.count, seed=request.seed, split=request.split, order=request.order)
        curves[task] = measure_passes(
            engine, problems, settings=settings, seed=request.seed, tick=lambda task=task: _say(tick, task)
        )
    if plot is not None:
        plot_passes(curves, plot)
    tasks = {task: [point.to_dict() for point in points] for task, points in curves.items()}
    return _report("passes", request, tasks, provenance(engine, settings, time.perf_counter() - since))


def render_suite(report: dict[str, Any]) -> str:
    """Return a report of this module as a table for humans.

    Args:
        report: What ``run_correction`` or ``run_passes`` returned.

    Returns:
        Lines without an end.
    """
    lines = [
        f"{report['suite']}, {report['order'].replace('_', ' ')}, {report['count']} problems a task of the "
        f"{report['split']} split, seed {report['seed']}",
        f"model {report['model']} ({report['model_digest'][:12] or 'no digest'}), effort {report['effort']}",
    ]
    render = _correction_lines if report["suite"] == "correction" else _passes_lines
    for task, rows in report["tasks"].items():
        lines += ["", task, *render(rows)]
    return "\n".join([*lines, "", f"{report['seconds']} s", *render_provenance(report)])


def _correction_lines(task: dict[str, Any]) -> list[str]:
    names = ("detected", "repaired", "damaged", "restored")
    lines = [f"{'planted':>8}  " + "  ".join(f"{name:>22}" for name in names) + f"  {'passes':>7}"]
    for row in task["planted"]:
        cells = "  ".join(f"{percent(row[name]) if row[name]['total'] else '-':>22}" for name in names)
        lines.append(f"{row['num_planted']:>8}  {cells}  {row['nfe_mean']:>7.2f}")
    revised, answers = task["revised_in_generation"], task["revised_answers"]
    lines.append(
        f"in normal generation {revised['total']} tokens of {answers['total']} answers were revised; "
        f"{revised['successes']} of the tokens and {answers['successes']} of the answers ended right"
    )
    return lines


def _passes_lines(points: list[dict[str, Any]]) -> list[str]:
    lines = [f"{'rule':>16} {'dial':>15} {'value':>6}  {'all right':>22}  {'tokens/pass':>11}  {'passes':>7}"]
    return lines + [
        f"{point['commit']:>16} {point['dial']:>15} {point['value']:>6g}  {percent(point['accuracy']):>22}  "
        f"{point['tokens_per_forward']:>11.2f}  {point['nfe_mean']:>7.2f}"
        for point in points
    ]


def _report(suite: str, request: SuiteRequest, tasks: dict[str, Any], made_with: dict[str, Any]) -> dict[str, Any]:
    return {
        "suite": suite,
        "count": request.count,
        "seed": request.seed,
        "split": request.split,
        "order": request.order,
        "effort": request.effort,
        "command": request.command,
        "tasks": tasks,
        **made_with,
    }


def _say(tick: Callable[[str], None] | None, words: str) -> None:
    if tick is not None:
        tick(words)
