"""``redraft eval edit``: drafts of every task that has some, beside the autoregressive arm; one report, one table."""

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from redraft.editing.presets import edit_settings
from redraft.engine import Engine
from redraft.errors import ConfigError
from redraft.evaluation.accuracy import draw_problems
from redraft.evaluation.edit_measure import measure_edits, measure_right_texts
from redraft.evaluation.edit_rewriting import Rewriter
from redraft.evaluation.report import percent, provenance, render_provenance
from redraft.evaluation.suites import SuiteRequest
from redraft.tasks import get_task, task_names

__all__ = ["render_edit", "run_edit", "tasks_with_drafts"]


def tasks_with_drafts() -> tuple[str, ...]:
    """Names of the tasks that start from a text."""
    return tuple(name for name in task_names() if get_task(name).generate(random.Random(0)).draft is not None)


def run_edit(
    engine: Engine,
    rewriter: Rewriter,
    request: SuiteRequest,
    *,
    others: Mapping[str, Engine] | None = None,
    tick: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Measure.

    Args:
        engine: The model at work.
        rewriter: The autoregressive arm.
        request: What is asked for.
        others: Models asked in its place, by the name of the task.
        tick: Called with a few words, now and then.

    Returns:
        The report.

    Raises:
        ConfigError: No task has drafts.
    """
    since = time.perf_counter()
    names = tasks_with_drafts()
    if not names:
        raise ConfigError("no task of this version starts from a draft, so there is nothing to edit")
    settings = edit_settings(engine, request.effort, {})
    tasks: dict[str, Any] = {}
    for name in names:
        problems = draw_problems(name, count=request.count, seed=request.seed, split=request.split)
        asked = (others or {}).get(name, engine)
        counts = measure_edits(
            asked,
            problems,
            rewriter=rewriter,
            effort=request.effort,
            seed=request.seed,
            tick=None if tick is None else lambda name=name: tick(f"{name}: edits"),
        )
        right = measure_right_texts(asked, problems, effort=request.effort, seed=request.seed)
        tasks[name] = {"model": asked.name} | counts.to_dict() | {"right_texts_kept": right.to_dict()}
    return {
        "suite": "edit",
        "count": request.count,
        "seed": request.seed,
        "split": request.split,
        "effort": request.effort,
        "command": request.command,
        "rewriting": {
            "model": rewriter.engine.name,
            "model_digest": rewriter.engine.digest,
            "is_trained": rewriter.is_trained,
        },
        "tasks": tasks,
        **provenance(engine, settings, time.perf_counter() - since),
    }


def render_edit(report: dict[str, Any]) -> str:
    """Return a report as a table for humans.

    Args:
        report: What ``run_edit`` returned.

    Returns:
        Lines without an end.
    """
    arm = report["rewriting"]
    weights = arm["model"] if arm["is_trained"] else "random weights of the same shape, for its time only"
    lines = [
        f"edit, {report['count']} drafts a task of the {report['split']} split, seed {report['seed']}",
        f"model {report['model']} ({report['model_digest'][:12] or 'no digest'}), effort {report['effort']}; "
        f"written anew by {weights}",
        "",
        f"{'':>10}  {'exact':>22}  {'changed/needed':>14}  {'damaged':>22}  {'right texts kept':>22}",
    ]
    for name, row in report["tasks"].items():
        ratio = "-" if row["minimality"] is None else f"{row['minimality']:.3f}"
        lines.append(
            f"{name:>10}  {percent(row['exact']):>22}  {ratio:>14}  {percent(row['damaged']):>22}  "
            f"{percent(row['right_texts_kept']):>22}"
        )
    lines += ["", f"{'':>10}  {'passes':>7} {'anew':>7} {'times':>6}  {'ms':>8} {'anew':>8} {'times':>6}"]
    for name, row in report["tasks"].items():
        lines.append(
            f"{name:>10}  {row['nfe_mean']:>7.2f} {row['rewriting_nfe_mean']:>7.2f} {row['fewer_passes'] or 0:>6.1f}  "
            f"{row['ms_mean']:>8.2f} {row['rewriting_ms_mean']:>8.2f} {row['less_time'] or 0:>6.1f}"
        )
    return "\n".join([*lines, "", f"{report['seconds']} s", *render_provenance(report)])
