"""``all``: every task and every suite that needs no second model, in one run: one report, one table, one PNG."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from redraft.denoiser import TransformerConfig
from redraft.editing.drawing import native_tokenizer
from redraft.engine import Engine
from redraft.errors import ConfigError, DependencyError, RedraftError
from redraft.evaluation.accuracy import draw_problems, evaluate
from redraft.evaluation.edit_rewriting import rewriter_for
from redraft.evaluation.edit_suite import render_edit, run_edit
from redraft.evaluation.infill_suite import render_infill, run_infill
from redraft.evaluation.report import Conditions, make_report, percent, provenance, render_provenance
from redraft.evaluation.suites import SuiteRequest, render_suite, run_correction, run_passes
from redraft.tasks import task_names

__all__ = ["plot_all", "render_all", "run_all"]


def run_all(
    engine: Engine,
    request: SuiteRequest,
    *,
    others: Mapping[str, Engine] | None = None,
    shape: TransformerConfig | None = None,
    tick: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Measure everything that needs no second model.

    Whatever the model can't be asked, because its prompts are too long for it, say, has the error in place of figures.

    Args:
        engine: The model at work.
        request: What is asked for; the count is of each task.
        others: Models asked in its place, by the name of the task or suite.
        shape: Of the model that edits; ``edit`` times writing a text anew by random weights of it, and isn't asked
            without.
        tick: Called with a few words, now and then.

    Returns:
        The report: ``tasks`` by name, and under ``suites`` the reports of the others.
    """
    since = time.perf_counter()
    asked: Mapping[str, Engine] = others or {}
    suites: dict[str, Callable[[], dict[str, Any]]] = {
        "correction": lambda: run_correction(engine, request, tick=tick),
        "passes": lambda: run_passes(engine, request, tick=tick),
        "edit": lambda: _run_edit(asked.get("edit", engine), request, shape, asked, tick),
        "infill": lambda: run_infill(asked.get("infill", engine), request, tick=tick),
    }
    return {
        "suite": "all",
        "count": request.count,
        "seed": request.seed,
        "split": request.split,
        "order": request.order,
        "effort": request.effort,
        "command": request.command,
        "tasks": {
            name: _guarded(
                name,
                lambda name=name: _run_task(asked.get(name, engine), name, request),
                tick,
            )
            for name in task_names()
        },
        "suites": {name: _guarded(name, run, tick) for name, run in suites.items()},
        "others": _who_else(asked),
        **provenance(engine, engine.settings(request.effort), time.perf_counter() - since),
    }


def _who_else(others: Mapping[str, Engine]) -> list[dict[str, Any]]:
    """What each of the other models was asked for."""
    engines = {engine.name: engine for engine in others.values()}
    return [
        {
            "model": name,
            "model_digest": engine.digest,
            "asked_for": sorted(suite for suite, other in others.items() if other.name == name),
        }
        for name, engine in engines.items()
    ]


def _guarded(name: str, run: Callable[[], dict[str, Any]], tick: Callable[[str], None] | None) -> dict[str, Any]:
    if tick is not None:
        tick(name)
    try:
        return run()
    except RedraftError as error:
        return {"error": str(error)}


def _run_edit(
    engine: Engine,
    request: SuiteRequest,
    shape: TransformerConfig | None,
    others: Mapping[str, Engine],
    tick: Callable[[str], None] | None,
) -> dict[str, Any]:
    if shape is None:
        raise ConfigError("only a model that redraft train made is timed beside a text written anew")
    return run_edit(engine, rewriter_for(None, shape, native_tokenizer(engine)), request, others=others, tick=tick)


def _run_task(engine: Engine, name: str, request: SuiteRequest) -> dict[str, Any]:
    problems = draw_problems(name, count=request.count, seed=request.seed, split=request.split, order=request.order)
    settings = engine.settings(request.effort)
    since = time.perf_counter()
    outcomes = evaluate(engine, problems, settings=settings, seed=request.seed, effort=request.effort)
    conditions = Conditions(
        suite=name,
        count=request.count,
        seed=request.seed,
        split=request.split,
        order=request.order,
        dials={},
        effort=request.effort,
        command=request.command,
    )
    seconds = time.perf_counter() - since
    report = make_report(outcomes, conditions, engine=engine, settings=settings, seconds=seconds)
    shared = {"suite", "seed", "split", "order", "effort", "command", "dials", "settings", "versions", "git_commit"}
    return {key: value for key, value in report.items() if key not in {*shared, "model_digest"}}


def render_all(report: dict[str, Any]) -> str:
    """Return the report as a table for humans.

    Args:
        report: What ``run_all`` returned.

    Returns:
        Lines without an end.
    """
    lines = [
        f"all, {report['order'].replace('_', ' ')}, {report['count']} problems a task of the {report['split']} split, "
        f"seed {report['seed']}",
        f"{_model(report)}, effort {report['effort']}",
        *(f"{', '.join(other['asked_for'])}: {_model(other)}" for other in report["others"]),
        "",
        f"{'task':>14}  {'answer right':>22}  {'all right':>22}  {'tokens/pass':>11}  {'passes':>7}  {'seconds':>8}",
    ]
    for name, row in report["tasks"].items():
        if "error" in row:
            lines.append(f"{name:>14}  not asked: {row['error']}")
            continue
        lines.append(
            f"{name:>14}  {percent(row['answer_accuracy']):>22}  {percent(row['accuracy']):>22}  "
            f"{row['tokens_per_forward']:>11.2f}  {row['nfe_mean']:>7.2f}  {row['seconds']:>8.1f}"
        )
    for name, part in report["suites"].items():
        lines += ["", f"# {name}", *([f"not asked: {part['error']}"] if "error" in part else _part(name, part))]
    return "\n".join([*lines, "", f"{report['seconds']} s", *render_provenance(report)])


def _model(row: dict[str, Any]) -> str:
    return f"model {row['model']} ({row['model_digest'][:12] or 'no digest'})"


def _part(name: str, report: dict[str, Any]) -> list[str]:
    """A suite's own table without its head and without what it was made with."""
    table = {"edit": render_edit, "infill": render_infill}.get(name, render_suite)(report).split("\n")
    return table[2 : -2 - len(render_provenance(report))]


def plot_all(report: dict[str, Any], path: Path) -> None:
    """Draw accuracy by task, repair by number of planted tokens, and accuracy over tokens per pass.

    Args:
        report: What ``run_all`` returned.
        path: The PNG file to write.

    Raises:
        DependencyError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DependencyError("the plot needs matplotlib: pip install 'redraft[plot]'") from error
    figure = Figure(figsize=(15, 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    tasks, correction, passes = figure.subplots(1, 3)
    rows = {name: row["accuracy"] for name, row in report["tasks"].items() if "error" not in row}
    shares = [100 * row["value"] for row in rows.values()]
    ends = [[100 * abs(row[end] - row["value"]) for row in rows.values()] for end in ("low", "high")]
    tasks.barh(list(rows), shares, xerr=ends, capsize=2, color="tab:blue")
    tasks.set(title="all right, with 95 % interval", xlabel="%", xlim=(0, 100))
    tasks.invert_yaxis()
    for name, row in report["suites"]["correction"].get("tasks", {}).items():
        planted = [point["num_planted"] for point in row["planted"]]
        correction.plot(planted, [100 * point["repaired"]["value"] for point in row["planted"]], "o-", label=name)
    correction.set(title="planted tokens repaired", xlabel="planted in an answer", ylabel="%", ylim=(0, 100))
    for name, points in report["suites"]["passes"].get("tasks", {}).items():
        xs, ys = [p["tokens_per_forward"] for p in points], [100 * p["accuracy"]["value"] for p in points]
        passes.plot(xs, ys, "o", label=name)
    passes.set(title="few passes", xlabel="tokens per pass", ylabel="all right, %", ylim=(0, 100))
    for panel in (correction, passes):
        panel.grid(alpha=0.3)
        if panel.has_data():
            panel.legend(fontsize="small")
    figure.savefig(path, dpi=110)
