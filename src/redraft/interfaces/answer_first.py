"""``redraft eval answer-first``: several models, asked for the answer first and for the derivation first."""

import sys
from typing import TYPE_CHECKING

from redraft.interfaces.output import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from redraft.evaluation.suites import SuiteRequest

__all__ = ["compare_arms"]


def compare_arms(
    request: "SuiteRequest",
    *,
    arms: "Sequence[str]",
    device: str,
    dials: "Mapping[str, int]",
    plot: "Path | None",
    is_json: bool,
) -> None:
    """Measure and print.

    Args:
        request: What is asked for.
        arms: The models, each as ``name=folder``.
        device: Where they run.
        dials: Settings of the task's generator.
        plot: Where to draw the curves; None draws none.
        is_json: JSON instead of a table.
    """
    from redraft.evaluation.answer_first import run_answer_first
    from redraft.evaluation.answer_first_arms import load_arms
    from redraft.evaluation.answer_first_table import render_answer_first

    tick = _say if sys.stderr.isatty() else None
    report = run_answer_first(load_arms(arms, device=device), request, dials=dials, plot=plot, tick=tick)
    if tick is not None:
        tick("")
    sys.stdout.write((to_json(report) if is_json else render_answer_first(report)) + "\n")


def _say(words: str) -> None:
    """Show what is being measured, in place of what was said before."""
    sys.stderr.write(f"\r\x1b[K{words}")
    sys.stderr.flush()
