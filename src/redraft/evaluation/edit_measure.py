"""Edits of held-out drafts: exact, minimal, harmless; and what they cost beside a text written anew."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from redraft.editing.drawing import native_tokenizer
from redraft.editing.edit import edit_text
from redraft.engine import Engine
from redraft.evaluation.accuracy import Share
from redraft.evaluation.edit_changes import count_changes
from redraft.evaluation.edit_rewriting import Rewriter, rewriting_prompt
from redraft.tasks import Problem, get_task

__all__ = ["EditCounts", "measure_edits", "measure_right_texts"]


@dataclass(kw_only=True, slots=True)
class EditCounts:
    """Sums over the edits of one task."""

    total: int = 0
    """Drafts."""
    exact: int = 0
    """Of these, those that ended right by the task's verifier."""
    needed: int = 0
    """Token changes that the right texts need."""
    changed: int = 0
    """Token changes that were made."""
    shared: int = 0
    """Tokens that the right texts keep."""
    damaged: int = 0
    """Of these, those that went."""
    nfe: int = 0
    """Passes of the edits."""
    seconds: float = 0.0
    """Wall-clock time of the edits."""
    rewriting_nfe: int = 0
    """Passes of writing the same texts anew."""
    rewriting_seconds: float = 0.0
    """Wall-clock time of that."""
    rewriting_exact: int | None = None
    """Texts that a trained autoregressive arm got right; None without one."""
    failures: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    """Some that did not end right."""

    def to_dict(self) -> dict[str, Any]:
        """Shares, ratios and means, ready for JSON."""
        values: dict[str, Any] = {
            "exact": Share(successes=self.exact, total=self.total).to_dict(),
            "minimality": round(self.changed / self.needed, 4) if self.needed else None,
            "damaged": Share(successes=self.damaged, total=self.shared).to_dict(),
            "nfe_mean": round(self.nfe / self.total, 3),
            "ms_mean": round(1000 * self.seconds / self.total, 3),
            "rewriting_nfe_mean": round(self.rewriting_nfe / self.total, 3),
            "rewriting_ms_mean": round(1000 * self.rewriting_seconds / self.total, 3),
            "fewer_passes": round(self.rewriting_nfe / self.nfe, 3) if self.nfe else None,
            "less_time": round(self.rewriting_seconds / self.seconds, 3) if self.seconds else None,
            "failures": self.failures[:20],
        }
        if self.rewriting_exact is not None:
            values["rewriting_exact"] = Share(successes=self.rewriting_exact, total=self.total).to_dict()
        return values


def measure_edits(
    engine: Engine,
    problems: Sequence[Problem],
    *,
    rewriter: Rewriter,
    effort: str,
    seed: int,
    tick: Callable[[], None] | None = None,
) -> EditCounts:
    """Edit every draft, and write every right text anew in turn, so that both meet the same machine.

    Args:
        engine: The model at work.
        problems: They have drafts.
        rewriter: The autoregressive arm.
        effort: Preset of the edit.
        seed: Problem i is edited with seed + i.
        tick: Called after each.

    Returns:
        The counts.
    """
    counts = EditCounts(rewriting_exact=0 if rewriter.is_trained else None)
    tokenizer = native_tokenizer(engine)
    for index, problem in enumerate(problems):
        assert problem.draft is not None, "only problems with a draft are edited"
        judge, target = get_task(problem.task), problem.answer_text
        since = time.perf_counter()
        result = edit_text(engine, problem.draft, problem.prompt, effort=effort, seed=seed + index).result
        counts.seconds += time.perf_counter() - since
        is_exact = judge.verify(problem, result.text).is_correct
        prompt = rewriting_prompt(problem.prompt, problem.draft)
        passes, seconds = rewriter.time_writing(prompt, target)
        if counts.rewriting_exact is not None:
            counts.rewriting_exact += judge.verify(problem, rewriter.rewrite(prompt, seed + index)).is_correct
        # Where several texts are right, what came is the right text that it is compared with.
        aim = result.text if is_exact else target
        tokens = count_changes(*(tokenizer.encode(text) for text in (problem.draft, aim, result.text)))
        needed = count_changes(*(tokenizer.encode(text) for text in (problem.draft, target, target))).needed
        counts.total += 1
        counts.exact += is_exact
        counts.needed += needed
        counts.changed += tokens.changed
        counts.shared += tokens.shared
        counts.damaged += tokens.damaged
        counts.nfe += result.nfe
        counts.rewriting_nfe += passes
        counts.rewriting_seconds += seconds
        if not is_exact:
            texts = {"prompt": problem.prompt, "draft": problem.draft, "expected": target, "text": result.text}
            counts.failures.append(texts)
        if tick is not None:
            tick()
    return counts


def measure_right_texts(engine: Engine, problems: Sequence[Problem], *, effort: str, seed: int) -> Share:
    """How often a text that is right already stays as it is when it is to be repaired.

    Args:
        engine: The model at work.
        problems: Their answers are the texts.
        effort: Preset of the edit.
        seed: Problem i is edited with seed + i.

    Returns:
        The share.
    """
    kept = sum(
        not edit_text(engine, problem.answer_text, effort=effort, seed=seed + index).result.is_changed
        for index, problem in enumerate(problems)
    )
    return Share(successes=kept, total=len(problems))
