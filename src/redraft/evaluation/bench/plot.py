"""Draws how the time of one pass grows."""

from pathlib import Path
from typing import Any

from redraft.errors import DependencyError

__all__ = ["plot_scaling"]

_LABELS = {"canvas": "positions of the canvas", "context": "settled tokens before it", "batch": "canvases at once"}


def plot_scaling(scaling: dict[str, Any], path: Path, *, title: str) -> None:
    """Draw one panel per line: the median, and the spread around it.

    Args:
        scaling: What ``measure_scaling`` returned.
        path: The PNG file to write.
        title: Stands above.

    Raises:
        DependencyError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DependencyError("the plot needs matplotlib: pip install 'redraft[plot]'") from error
    figure = Figure(figsize=(4.5 * len(scaling), 4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(scaling), squeeze=False)[0]
    for panel, (line, measured) in zip(panels, scaling.items(), strict=True):
        xs = [point["at"] for point in measured["points"]]
        rows = [point["seconds"] for point in measured["points"]]
        panel.plot(xs, [1e3 * row["median"] for row in rows], marker="o")
        panel.fill_between(xs, [1e3 * row["low"] for row in rows], [1e3 * row["high"] for row in rows], alpha=0.2)
        panel.set_xlabel(_LABELS[line])
        panel.set_title(", ".join(f"{name} {value}" for name, value in measured["fixed"].items()), fontsize="medium")
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("one pass, ms (median; least to greatest)")
    figure.suptitle(title)
    figure.savefig(path, dpi=110)
