"""Gaps filled at unknown length and at the oracle's, judged by the task's verifier, which runs what is code."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from redraft.editing.drawing import native_tokenizer
from redraft.editing.infill import infill_text
from redraft.engine import Engine
from redraft.evaluation.accuracy import Share
from redraft.evaluation.infill_cases import Gap, GapKind, cut_gap
from redraft.tasks import Problem, get_task

__all__ = ["FillCounts", "GapCase", "cases_of", "fill_cases"]


@dataclass(frozen=True, kw_only=True, slots=True)
class GapCase:
    """A gap and who judges what is put in."""

    gap: Gap
    """The text around it, and what stood there."""
    instruction: str | None
    """What the model is told; None for nothing."""
    is_right: Callable[[str], bool]
    """Judges the whole text."""


@dataclass(kw_only=True, slots=True)
class FillCounts:
    """Sums over gaps of one kind."""

    total: int = 0
    """Gaps."""
    right: int = 0
    """Of these, filled so that the whole is right."""
    exact: int = 0
    """Of these, filled with just what was cut out."""
    damaged: int = 0
    """Bytes outside of gaps that are not what they were."""
    whole: int = 0
    """Fills that came to an end by themselves."""
    nfe: int = 0
    """Passes."""
    seconds: float = 0.0
    """Wall-clock time."""

    def to_dict(self) -> dict[str, Any]:
        """Shares and means, ready for JSON."""
        return {
            "right": Share(successes=self.right, total=self.total).to_dict(),
            "exact": Share(successes=self.exact, total=self.total).to_dict(),
            "damaged_bytes": self.damaged,
            "whole": Share(successes=self.whole, total=self.total).to_dict(),
            "nfe_mean": round(self.nfe / self.total, 3) if self.total else 0.0,
            "ms_mean": round(1000 * self.seconds / self.total, 3) if self.total else 0.0,
        }


def cases_of(problems: Sequence[Problem], kind: GapKind, *, seed: int) -> list[GapCase]:
    """Cut a gap into each answer.

    Args:
        problems: Whose answers; one that has no place for such a gap is left out.
        kind: What to cut out.
        seed: Fixes the places.

    Returns:
        The gaps. The first line of a program's several stays: it holds the name that the judge calls.
    """
    cases: list[GapCase] = []
    for problem in problems:
        text = problem.answer_text
        rng = random.Random(f"infill/{seed}/{kind}/{problem.key}/{problem.prompt}")
        gap = cut_gap(text, kind, rng, first_line=1 if text.startswith("def ") and "\n" in text else 0)
        if gap is not None:
            judge = get_task(problem.task)

            def is_right(text: str, problem: Problem = problem, judge: Any = judge) -> bool:
                return judge.verify(problem, text).is_correct

            cases.append(GapCase(gap=gap, instruction=problem.prompt, is_right=is_right))
    return cases


def fill_cases(
    engine: Engine,
    cases: Sequence[GapCase],
    *,
    knows_length: bool,
    effort: str,
    seed: int,
    tick: Callable[[], None] | None = None,
) -> FillCounts:
    """Fill gaps.

    Args:
        engine: The model at work.
        cases: The gaps.
        knows_length: Whether each gap has just as many positions as what stood there has tokens.
        effort: Preset of the sampler.
        seed: Gap i is filled with seed + i.
        tick: Called after each.

    Returns:
        The counts.
    """
    counts = FillCounts()
    tokenizer = native_tokenizer(engine)
    for index, case in enumerate(cases):
        gap = case.gap
        oracle = max(1, len(tokenizer.encode(gap.middle)))
        room: dict[str, Any] = {"gap_tokens": oracle, "may_grow": False} if knows_length else {}
        since = time.perf_counter()
        result = infill_text(
            engine,
            gap.prefix,
            gap.suffix,
            instruction=case.instruction,
            effort=effort,
            seed=seed + index,
            **room,
        ).result
        counts.seconds += time.perf_counter() - since
        (fill,) = result.fills
        around = result.text[: fill.start] + result.text[fill.end :]
        counts.total += 1
        counts.right += case.is_right(result.text)
        counts.exact += fill.text == gap.middle
        counts.damaged += _num_different(around.encode(), (gap.prefix + gap.suffix).encode())
        counts.whole += fill.is_whole
        counts.nfe += result.nfe
        if tick is not None:
            tick()
    return counts


def _num_different(one: bytes, other: bytes) -> int:
    """Bytes that differ place by place, and those that one has more than the other."""
    return sum(a != b for a, b in zip(one, other, strict=False)) + abs(len(one) - len(other))
