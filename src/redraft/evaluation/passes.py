"""Accuracy against tokens per pass: one point of the curve for each sampler rule and each turn of its own dial."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from redraft.engine import Engine
from redraft.errors import DependencyError
from redraft.evaluation.accuracy import Accuracy, evaluate, summarise
from redraft.sampler import SamplerSettings
from redraft.tasks import Problem

__all__ = ["GRID", "Grid", "Point", "measure_passes", "plot_passes"]

Grid = tuple[tuple[str, str, tuple[int | float, ...]], ...]
"""Rule, the setting that is its dial, and the dial's positions."""

GRID: Grid = (
    ("above_threshold", "threshold", (0.5, 0.7, 0.9, 0.97)),
    ("entropy_bound", "entropy_bound", (0.05, 0.2, 1.0)),
    ("most_confident", "num_steps", (1, 4, 16, 48)),
    ("margin", "num_steps", (4, 16, 48)),
    ("left_to_right", "num_steps", (16, 48)),
)
"""What ``redraft eval passes`` measures."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One rule at one position of its dial."""

    commit: str
    """The rule."""

    dial: str
    """Name of the setting that was turned."""

    value: int | float
    """Where to."""

    accuracy: Accuracy
    """How right the answers are."""

    tokens_per_forward: float
    """Completion tokens per pass, over all answers."""

    nfe_mean: float
    """Passes per answer."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "commit": self.commit,
            "dial": self.dial,
            "value": self.value,
            "answer_accuracy": self.accuracy.answer.to_dict(),
            "accuracy": self.accuracy.both.to_dict(),
            "tokens_per_forward": round(self.tokens_per_forward, 4),
            "nfe_mean": round(self.nfe_mean, 3),
        }


def measure_passes(
    engine: Engine,
    problems: Sequence[Problem],
    *,
    settings: SamplerSettings,
    seed: int = 0,
    grid: Grid = GRID,
    tick: Callable[[], None] | None = None,
) -> list[Point]:
    """Answer the same problems at every point of the grid.

    Args:
        engine: The model at work.
        problems: What to ask.
        settings: All that the grid does not turn.
        seed: Problem i is asked with seed + i, at every point.
        grid: Rules and dials.
        tick: Called after each point.

    Returns:
        One point per rule and position of its dial.
    """
    points: list[Point] = []
    for commit, dial, values in grid:
        for value in values:
            # A budget of passes needs room for them, whatever the effort.
            max_steps = max(settings.max_steps, int(value)) if dial == "num_steps" else settings.max_steps
            turned = replace(settings, **{"commit": commit, "max_steps": max_steps, dial: value})
            outcomes = evaluate(engine, problems, settings=turned, seed=seed)
            tokens = sum(outcome.result.completion_tokens for outcome in outcomes)
            nfe = sum(outcome.result.nfe for outcome in outcomes)
            points.append(
                Point(
                    commit=commit,
                    dial=dial,
                    value=value,
                    accuracy=summarise(outcomes),
                    tokens_per_forward=tokens / nfe if nfe else 0.0,
                    nfe_mean=nfe / len(outcomes),
                )
            )
            if tick is not None:
                tick()
    return points


def plot_passes(curves: dict[str, Sequence[Point]], path: Path) -> None:
    """Draw accuracy over tokens per pass, one panel per task, one line per rule.

    Args:
        curves: Points by task.
        path: The PNG file to write.

    Raises:
        DependencyError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DependencyError("the plot needs matplotlib: pip install 'redraft[plot]'") from error
    figure = Figure(figsize=(5 * len(curves), 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    for panel, (task, points) in zip(panels, curves.items(), strict=True):
        for commit in dict.fromkeys(point.commit for point in points):
            line = [point for point in points if point.commit == commit]
            xs = [point.tokens_per_forward for point in line]
            panel.plot(xs, [100 * point.accuracy.both.value for point in line], marker="o", label=commit)
        panel.set_title(task)
        panel.set_xlabel("tokens per pass")
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("answer and derivation right, %")
    panels[-1].legend(fontsize="small")
    figure.savefig(path, dpi=110)
