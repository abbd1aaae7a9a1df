"""The curves of ``redraft eval answer-first``: right answers by number of reasoning steps, a panel for each order."""

from pathlib import Path
from typing import Any

from redraft.errors import DependencyError

__all__ = ["plot_answer_first"]

_TITLES = {"answer_first": "answer first", "derivation_first": "derivation first"}


def plot_answer_first(report: dict[str, Any], path: Path) -> None:
    """Draw a report as a PNG file.

    Args:
        report: What ``run_answer_first`` returned.
        path: The file.

    Raises:
        DependencyError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DependencyError("the plot needs matplotlib: pip install 'redraft[plot]'") from error
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(_TITLES), sharey=True, squeeze=False)[0]
    for panel, (order, title) in zip(panels, _TITLES.items(), strict=True):
        for index, (name, arm) in enumerate(report["arms"].items()):
            rows = arm["orders"][order]["by_num_steps"]
            shares = [row["answer_accuracy"] for row in rows]
            values = [100 * share["value"] for share in shares]
            # Whiskers of several arms at one place would hide each other.
            places = [row["num_steps"] + 0.06 * (index - (len(report["arms"]) - 1) / 2) for row in rows]
            below = [100 * (share["value"] - share["low"]) for share in shares]
            above = [100 * (share["high"] - share["value"]) for share in shares]
            panel.errorbar(places, values, yerr=[below, above], marker="o", capsize=3, label=name)
        panel.set_title(title)
        panel.set_xlabel("reasoning steps")
        panel.set_xticks(sorted({row["num_steps"] for row in rows}))
        panel.set_ylim(-2, 102)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("answer right, % (95 % interval)")
    panels[-1].legend(fontsize="small")
    figure.savefig(path, dpi=110)
