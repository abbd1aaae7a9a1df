"""From turns to rows: medians with their spread, each speed beside its baselines of the same run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redraft.evaluation.accuracy import Share
from redraft.evaluation.bench.spread import Spread, ratio
from redraft.evaluation.bench.turn import STAGES, Turn

__all__ = ["BASELINES", "Cell", "accuracy_rows", "speed_rows"]

BASELINES = ("autoregressive", "llama")
"""Arms that the others are held against."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One arm under one condition."""

    arm: str
    """diffusion, compiled, autoregressive or llama."""
    effort: str
    """Of our model; empty for the others."""
    prompt: str
    """short or long."""
    batch: int
    """Requests under way at once."""
    turns: tuple[Turn, ...]
    """One per repeat."""
    order: str = "answer_first"
    """What is asked for first."""

    @property
    def conditions(self) -> dict[str, Any]:
        """Which cell it is."""
        return {"arm": self.arm, "effort": self.effort, "prompt": self.prompt, "batch": self.batch}

    @property
    def speeds(self) -> list[float]:
        """Tokens per second, end to end, repeat by repeat."""
        return [turn.tokens_per_second for turn in self.turns]


def speed_rows(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Return a row per cell, in the cells' order.

    Args:
        cells: All cells of a run; those of the baselines are among them.

    Returns:
        Plain values, ready for JSON.
    """
    baselines = {(cell.arm, cell.prompt, cell.batch): cell for cell in cells if cell.arm in BASELINES}
    rows: list[dict[str, Any]] = []
    for cell in cells:
        row: dict[str, Any] = {**cell.conditions, "tokens_per_second": Spread.of(cell.speeds).to_dict()}
        for arm in BASELINES:
            baseline = baselines.get((arm, cell.prompt, cell.batch))
            if baseline is not None and min(baseline.speeds) > 0:
                row[f"over_{arm}"] = ratio(cell.speeds, baseline.speeds).to_dict()
        rows.append(row | _costs(cell.turns))
    return rows


def accuracy_rows(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Return the shares of right answers, by task and of all of them.

    Args:
        cells: One turn each, of arms with trained weights.

    Returns:
        Plain values, ready for JSON.
    """
    rows: list[dict[str, Any]] = []
    for cell in cells:
        for task, (answers, both, total) in _with_sum(cell.turns[0].right).items():
            rows.append(
                {
                    **{name: value for name, value in cell.conditions.items() if name != "batch"},
                    "order": cell.order,
                    "task": task,
                    "answer_accuracy": Share(successes=answers, total=total).to_dict(),
                    "accuracy": Share(successes=both, total=total).to_dict(),
                }
            )
    return rows


def _costs(turns: Sequence[Turn]) -> dict[str, Any]:
    """What an answer took: the turns of one cell write the same texts, so that only times differ."""
    num_answers = sum(turn.num_answers for turn in turns)
    tokens, nfe = sum(turn.completion_tokens for turn in turns), sum(turn.nfe for turn in turns)
    firsts = [second for turn in turns for second in turn.first_draft_s]
    return {
        "answers": num_answers,
        "prompt_tokens_mean": round(sum(turn.prompt_tokens for turn in turns) / num_answers, 2),
        "completion_tokens_mean": round(tokens / num_answers, 2),
        "nfe_mean": round(nfe / num_answers, 3),
        "tokens_per_forward": round(tokens / nfe, 4) if nfe else 0.0,
        "right_answers": sum(answers for turn in turns for answers, _, _ in turn.right.values()),
        "first_draft_s": Spread.of(firsts).to_dict() if firsts else None,
        "stage_s_mean": {
            stage: float(f"{sum(turn.stage_s[stage] for turn in turns) / num_answers:.4g}") for stage in STAGES
        },
    }


def _with_sum(right: Mapping[str, tuple[int, int, int]]) -> dict[str, tuple[int, int, int]]:
    columns = list(zip(*right.values(), strict=True))
    return dict(right) if len(right) == 1 else {**right, "all": (sum(columns[0]), sum(columns[1]), sum(columns[2]))}
