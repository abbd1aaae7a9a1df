"""``redraft eval infill``: gaps in held-out answers and in HumanEval, at unknown length and at the oracle's."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from redraft.editing.presets import infill_settings
from redraft.engine import Engine
from redraft.errors import DependencyError
from redraft.evaluation.accuracy import draw_problems
from redraft.evaluation.human_eval_gaps import human_eval_cases
from redraft.evaluation.infill_cases import KINDS
from redraft.evaluation.infill_measure import GapCase, cases_of, fill_cases
from redraft.evaluation.report import percent, provenance, render_provenance
from redraft.evaluation.suites import SuiteRequest
from redraft.tasks import task_names

__all__ = ["infill_tasks", "render_infill", "run_infill"]

_TASKS = ("code", "arithmetic", "rewrite")
"""Where gaps are cut: in programs, in derivations, in sentences."""


def infill_tasks() -> tuple[str, ...]:
    """Those of them that this version has."""
    return tuple(name for name in _TASKS if name in task_names())


def run_infill(engine: Engine, request: SuiteRequest, *, tick: Callable[[str], None] | None = None) -> dict[str, Any]:
    """Measure.

    Args:
        engine: The model at work.
        request: What is asked for.
        tick: Called with a few words, now and then.

    Returns:
        The report.
    """
    since = time.perf_counter()
    settings = infill_settings(engine, request.effort, {})
    tasks: dict[str, Any] = {}
    for name in infill_tasks():
        problems = draw_problems(name, count=request.count, seed=request.seed, split=request.split)
        tasks[name] = {
            kind: _measure(engine, cases_of(problems, kind, seed=request.seed), request, f"{name}: {kind}", tick)
            for kind in KINDS
        }
    without = ""
    try:
        tasks["human-eval"] = {
            kind: _measure(
                engine,
                human_eval_cases(kind, count=request.count, seed=request.seed),
                request,
                f"human-eval: {kind}",
                tick,
            )
            for kind in KINDS
        }
    except DependencyError as error:
        without = str(error)
    return {
        "suite": "infill",
        "count": request.count,
        "seed": request.seed,
        "split": request.split,
        "effort": request.effort,
        "command": request.command,
        "without": without,
        "tasks": tasks,
        **provenance(engine, settings, time.perf_counter() - since),
    }


def _measure(
    engine: Engine,
    cases: Sequence[GapCase],
    request: SuiteRequest,
    words: str,
    tick: Callable[[str], None] | None,
) -> dict[str, Any]:
    """Both lengths over the same gaps."""
    say = None if tick is None else lambda: tick(words)
    unknown, oracle = (
        fill_cases(engine, cases, knows_length=knows, effort=request.effort, seed=request.seed, tick=say).to_dict()
        for knows in (False, True)
    )
    return {"unknown_length": unknown, "oracle_length": oracle}


def render_infill(report: dict[str, Any]) -> str:
    """Return a report as a table for humans.

    Args:
        report: What ``run_infill`` returned.

    Returns:
        Lines without an end.
    """
    lines = [
        f"infill, up to {report['count']} gaps a kind, {report['split']} split, seed {report['seed']}",
        f"model {report['model']} ({report['model_digest'][:12] or 'no digest'}), effort {report['effort']}",
        "",
        f"{'':>11}  {'gap':>13}  {'n':>5}  {'unknown length':>22}  {'oracle length':>22}  {'passes':>7}  "
        f"{'damaged':>7}",
    ]
    for name, kinds in report["tasks"].items():
        for kind, row in kinds.items():
            unknown, oracle = row["unknown_length"], row["oracle_length"]
            lines.append(
                f"{name:>11}  {kind.replace('_', ' '):>13}  {unknown['right']['total']:>5}  "
                f"{percent(unknown['right']):>22}  {percent(oracle['right']):>22}  {unknown['nfe_mean']:>7.2f}  "
                f"{unknown['damaged_bytes'] + oracle['damaged_bytes']:>7}"
            )
    if report["without"]:
        lines += ["", report["without"]]
    return "\n".join([*lines, "", f"{report['seconds']} s", *render_provenance(report)])
