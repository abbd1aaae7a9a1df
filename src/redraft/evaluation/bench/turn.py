"""What an arm did in one turn: so many answers in so much time, and how right they are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from redraft.engine.result import Result
from redraft.evaluation.bench.workload import Asked
from redraft.tasks import get_task

__all__ = ["STAGES", "Turn", "sum_up"]

STAGES = ("tokenize", "prefill", "denoise", "detokenize")
"""Where time goes; what an autoregressive arm decodes in counts as denoise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """Plain figures, as they travel between processes."""

    wall_s: float
    """From the first request to the last result."""
    num_answers: int
    """Answers."""
    prompt_tokens: int
    """Of all answers."""
    completion_tokens: int
    """Of all answers; neither [NULL] nor padding nor the end of text."""
    nfe: int
    """Forward passes, summed over answers, whether or not they shared them."""
    stage_s: Mapping[str, float]
    """Seconds per stage, summed over answers; shared stages count in full for each answer of a batch."""
    first_draft_s: tuple[float, ...]
    """Per answer, from the request to the first text that could be shown; empty where answers were batched."""
    right: Mapping[str, tuple[int, int, int]]
    """By task: right answers, answers of which the derivation is right too, and answers."""

    @property
    def tokens_per_second(self) -> float:
        """End to end."""
        return self.completion_tokens / self.wall_s if self.wall_s > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Turn":
        """Read what ``to_dict`` wrote, by way of JSON or not."""
        right = {task: (int(a), int(b), int(n)) for task, (a, b, n) in values["right"].items()}
        return cls(**{**values, "right": right, "first_draft_s": tuple(values["first_draft_s"])})


def sum_up(
    asked: Sequence[Asked], results: Sequence[Result], *, wall_s: float, first_draft_s: Sequence[float] = ()
) -> Turn:
    """Judge the answers of a turn and add up what they took.

    Args:
        asked: The questions.
        results: Their answers, in the same order.
        wall_s: From the first request to the last result.
        first_draft_s: Per answer, where it was watched.

    Returns:
        The turn.
    """
    right: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for question, result in zip(asked, results, strict=True):
        verdict = get_task(question.problem.task).verify(question.problem, result.text)
        counts = right[question.problem.task]
        counts[0] += verdict.answer_is_correct
        counts[1] += verdict.is_correct
        counts[2] += 1
    return Turn(
        wall_s=wall_s,
        num_answers=len(results),
        prompt_tokens=sum(result.prompt_tokens for result in results),
        completion_tokens=sum(result.completion_tokens for result in results),
        nfe=sum(result.nfe for result in results),
        stage_s={stage: sum(getattr(result.seconds, stage) for result in results) for stage in STAGES},
        first_draft_s=tuple(first_draft_s),
        right={task: (a, b, n) for task, (a, b, n) in right.items()},
    )
