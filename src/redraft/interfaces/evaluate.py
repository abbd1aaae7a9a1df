"""``redraft eval``: accuracy on held-out problems; also the short measurement that training takes now and then."""

import sys
import time
from typing import TYPE_CHECKING

from redraft.engine.catalog import model_for
from redraft.interfaces.answer_first import compare_arms
from redraft.interfaces.eval_all import measure_all
from redraft.interfaces.eval_editing import EDITING_SUITES, measure_editing
from redraft.interfaces.eval_human_eval import HUMAN_EVAL, measure_human_eval
from redraft.interfaces.output import to_json
from redraft.interfaces.start import import_torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from redraft.denoiser import Transformer
    from redraft.evaluation.suites import SuiteRequest
    from redraft.tasks.problem import Order, Split
    from redraft.text import Tokenizer

__all__ = ["evaluate_suite", "quick_validation", "read_dials"]


def evaluate_suite(
    suite: str,
    *,
    count: int,
    seed: int,
    model: str | None,
    device: str = "cpu",
    effort: str,
    order: "Order",
    split: "Split",
    dials: "Sequence[str]",
    arms: "Sequence[str]",
    plot: "Path | None",
    out: "Path | None" = None,
    is_json: bool,
    command: str,
) -> None:
    """Measure and print.

    Args:
        suite: Name of a task or of one of ``redraft.evaluation.suites``.
        count: Number of problems.
        seed: Fixes the problems and every random draw.
        model: Name or path; None for the one that ships and was trained on what is measured; ``all`` takes them all.
        device: Where the model runs, or the arms of ``answer-first``.
        effort: Preset of the sampler.
        order: Whether the answer or the derivation is asked for first.
        split: Which part of the data.
        dials: Settings of the task's generator, each as ``name=number``.
        arms: The models of ``answer-first``, or the one that ``edit`` compares with, each as ``name=folder``.
        plot: Where to draw the curves of ``all``, ``answer-first`` or ``passes``.
        out: Folder for the files of ``all``.
        is_json: JSON instead of a table.
        command: Goes into the report.
    """
    import_torch()
    from redraft.evaluation.suites import SuiteRequest

    _check_options(suite, device, dials, arms, plot, out)
    asks_all = model is None
    model = model or model_for("code" if suite == HUMAN_EVAL else suite)
    if suite in (*_OTHER_SUITES, *EDITING_SUITES, HUMAN_EVAL, _ANSWER_FIRST, _ALL):
        request = SuiteRequest(count=count, seed=seed, split=split, order=order, effort=effort, command=command)
        if suite == _ANSWER_FIRST:
            compare_arms(request, arms=arms, device=device, dials=read_dials(dials), plot=plot, is_json=is_json)
            return
        if suite == _ALL:
            measure_all(request, model=model, asks_others=asks_all, device=device, plot=plot, out=out, is_json=is_json)
            return
        if suite == HUMAN_EVAL:
            measure_human_eval(request, model=model, device=device, is_json=is_json)
            return
        if suite in EDITING_SUITES:
            measure_editing(suite, request, model=model, asks_others=asks_all, arms=arms, is_json=is_json)
            return
        _run_other_suite(suite, request, model=model, device=device, plot=plot, is_json=is_json)
        return
    from redraft.engine import load_engine
    from redraft.evaluation.accuracy import draw_problems, evaluate
    from redraft.evaluation.report import Conditions, make_report, render_report

    table = read_dials(dials)
    problems = draw_problems(suite, count=count, seed=seed, split=split, order=order, dials=table)
    engine = load_engine(model, device=device)
    settings = engine.settings(effort)
    since = time.perf_counter()
    outcomes = evaluate(engine, problems, settings=settings, seed=seed, effort=effort, tick=_progress(count))
    conditions = Conditions(
        suite=suite, count=count, seed=seed, split=split, order=order, dials=table, effort=effort, command=command
    )
    report = make_report(outcomes, conditions, engine=engine, settings=settings, seconds=time.perf_counter() - since)
    sys.stdout.write((to_json(report) if is_json else render_report(report)) + "\n")


_OTHER_SUITES = ("correction", "passes")
_ANSWER_FIRST = "answer-first"
_ALL = "all"


def _check_options(
    suite: str, device: str, dials: "Sequence[str]", arms: "Sequence[str]", plot: "Path | None", out: "Path | None"
) -> None:
    """Refuse options that would have no effect."""
    from redraft.errors import ConfigError

    if dials and suite in (*_OTHER_SUITES, *EDITING_SUITES, HUMAN_EVAL, _ALL):
        raise ConfigError(f"--dial belongs to a single task, and {suite} asks several; leave it out, or name a task")
    if arms and suite not in (_ANSWER_FIRST, "edit"):
        raise ConfigError(f"--arm belongs to answer-first and edit; {suite} asks one model; name it with --model")
    if device != "cpu" and suite in EDITING_SUITES:
        raise ConfigError(f"--device {device}: {suite} compares times of one CPU; leave it out")
    if plot is not None and suite not in (_ALL, _ANSWER_FIRST, "passes"):
        raise ConfigError(
            f"--plot draws the curves of all, answer-first and passes, and {suite} has none; leave it out"
        )
    if out is not None and suite != _ALL:
        raise ConfigError(
            f"--out belongs to all, which writes several files, and {suite} prints its report; leave it out"
        )
    if plot is not None and not plot.parent.is_dir():
        raise ConfigError(f"--plot {plot}: there is no folder {plot.parent}; make it first")


def _run_other_suite(
    suite: str, request: "SuiteRequest", *, model: str, device: str, plot: "Path | None", is_json: bool
) -> None:
    from redraft.engine import AutoregressiveEngine, load_engine
    from redraft.errors import ConfigError
    from redraft.evaluation.suites import render_suite, run_correction, run_passes

    engine = load_engine(model, device=device)
    if isinstance(engine, AutoregressiveEngine):
        raise ConfigError(f"{model} writes left to right, and {suite} is about what only diffusion does; name another")
    tick = _say if sys.stderr.isatty() else None
    if suite == "correction":
        report = run_correction(engine, request, tick=tick)
    else:
        report = run_passes(engine, request, plot=plot, tick=tick)
    if tick is not None:
        tick("")
    sys.stdout.write((to_json(report) if is_json else render_suite(report)) + "\n")


def _say(words: str) -> None:
    """Show what is being measured, in place of what was said before."""
    sys.stderr.write(f"\r\x1b[K{words}")
    sys.stderr.flush()


def read_dials(settings: "Sequence[str]") -> dict[str, int]:
    """Split each ``name=number``; which names there are is the task's affair.

    Args:
        settings: What was written.

    Returns:
        Numbers by name.

    Raises:
        ConfigError: One is not of that form, or comes twice.
    """
    from redraft.errors import ConfigError

    table: dict[str, int] = {}
    for setting in settings:
        name, equals, number = setting.partition("=")
        if not equals or not name or not number.isascii() or not number.isdigit() or len(number) > 9:
            raise ConfigError(f"--dial {setting!r} is not of the form name=number; write, for example, max_steps=4")
        if name in table:
            raise ConfigError(f"--dial {name} is given twice; give it once")
        table[name] = int(number)
    return table


def quick_validation(
    tokenizer: "Tokenizer", *, tasks: tuple[str, ...], count: int, canvas_length: int
) -> "Callable[[Transformer, int], dict[str, float]]":
    """Return what training calls to see how often real decoding is right about problems of the dev split.

    Args:
        tokenizer: The one that the model is trained with.
        tasks: Names of the tasks to ask.
        count: Problems of each.
        canvas_length: The one that training uses.

    Returns:
        A function of the model and the step.
    """
    from redraft.engine.autoregressive import engine_for
    from redraft.evaluation.accuracy import draw_problems, evaluate, summarise

    problems = {task: draw_problems(task, count=count, seed=0, split="dev") for task in tasks}

    def validate(model: "Transformer", step: int) -> dict[str, float]:
        del step
        engine = engine_for(model).from_transformer(model, tokenizer)
        settings = engine.settings(canvas_length=canvas_length, max_new_tokens=canvas_length)
        figures: dict[str, float] = {}
        for task, asked in problems.items():
            accuracy = summarise(evaluate(engine, asked, settings=settings))
            figures[f"answer_accuracy/{task}"] = accuracy.answer.value
            figures[f"accuracy/{task}"] = accuracy.both.value
        return figures

    return validate


def _progress(total: int) -> "Callable[[int], None] | None":
    """Count up on a terminal; elsewhere say nothing."""
    if not sys.stderr.isatty():
        return None

    def tick(done: int) -> None:
        sys.stderr.write(f"\r{done}/{total} " if done < total else "\r\x1b[K")
        sys.stderr.flush()

    return tick
