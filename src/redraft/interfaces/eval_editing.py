"""``redraft eval edit`` and ``redraft eval infill``."""

import sys
from typing import TYPE_CHECKING

from redraft.errors import ConfigError
from redraft.interfaces.output import to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redraft.engine import Engine
    from redraft.evaluation.suites import SuiteRequest

__all__ = ["EDITING_SUITES", "measure_editing"]

EDITING_SUITES = ("edit", "infill")
"""What is measured here."""


def measure_editing(
    suite: str, request: "SuiteRequest", *, model: str, asks_others: bool, arms: "Sequence[str]", is_json: bool
) -> None:
    """Measure and print.

    Args:
        suite: edit or infill.
        request: What is asked for.
        model: Name or path.
        asks_others: Whether tasks that another model that ships was trained on go to that one.
        arms: With edit, at most one causal model that writes the texts anew, as ``name=folder``.
        is_json: JSON instead of a table.

    Raises:
        ConfigError: The arms are not what the suite takes.
    """
    from redraft.denoiser.checkpoint import load_checkpoint
    from redraft.editing.drawing import native_tokenizer
    from redraft.engine import load_engine, resolve_model
    from redraft.evaluation.edit_rewriting import rewriter_for
    from redraft.evaluation.edit_suite import render_edit, run_edit
    from redraft.evaluation.infill_suite import render_infill, run_infill

    if len(arms) > (suite == "edit"):
        raise ConfigError("--arm is for edit, and only once there: NAME=FOLDER of a model that writes left to right")
    engine = load_engine(model)
    tokenizer = native_tokenizer(engine)
    tick = _say if sys.stderr.isatty() else None
    if suite == "edit":
        arm = arms[0].partition("=")[2] or arms[0] if arms else None
        config = load_checkpoint(resolve_model(model)).model.config
        others = _others(model) if asks_others else None
        report = run_edit(engine, rewriter_for(arm, config, tokenizer), request, others=others, tick=tick)
        text = render_edit(report)
    else:
        report = run_infill(engine, request, tick=tick)
        text = render_infill(report)
    if tick is not None:
        tick("")
    sys.stdout.write((to_json(report) if is_json else text) + "\n")


def _others(model: str) -> "dict[str, Engine]":
    """The models that were trained on tasks with drafts, but this one, by task."""
    from redraft.engine import load_engine
    from redraft.engine.catalog import model_for
    from redraft.evaluation.edit_suite import tasks_with_drafts

    names = {task: model_for(task) for task in tasks_with_drafts()}
    return {task: load_engine(name) for task, name in names.items() if name != model}


def _say(words: str) -> None:
    """Show what is being measured, in place of what was said before."""
    sys.stderr.write(f"\r\x1b[K{words}")
    sys.stderr.flush()
