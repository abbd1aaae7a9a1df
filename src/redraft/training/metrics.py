"""The run's diary: one JSON object per line, and a plot of it."""

import json
import math
import os
from pathlib import Path
from typing import Any

from redraft.errors import DependencyError

__all__ = ["MetricsLog", "plot_losses", "read_metrics"]


class MetricsLog:
    """Appends records to a file; a record is a start, a step or a validation, told apart by ``kind``.

    Opening the file drops records of steps that are going to be done again, and torn lines.
    """

    def __init__(self, path: Path, *, num_steps_done: int) -> None:
        self.path = path
        kept = [record for record in read_metrics(path) if record["step"] <= num_steps_done]
        staging = path.with_name(f".{path.name}.new")
        staging.write_text("".join(_line(record) for record in kept), encoding="utf-8")
        staging.replace(path)
        self._file = path.open("a", encoding="utf-8")

    def write(self, kind: str, step: int, **values: Any) -> None:
        """Append one record."""
        self._file.write(_line({"kind": kind, "step": step, **values}))

    def sync(self) -> None:
        """Put everything on the disk; called before a checkpoint, so that the file never lags behind one."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def flush(self) -> None:
        """Let readers see everything."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Read all whole records; what a kill tore off at the end is left out."""
    if not path.is_file():
        return []
    records = []
    for line in path.read_bytes().split(b"\n"):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and isinstance(record.get("step"), int):
            records.append(record)
    return records


def plot_losses(records: list[dict[str, Any]], path: Path) -> None:
    """Draw the training loss and each validation figure over the steps.

    Args:
        records: What ``read_metrics`` gave.
        path: The PNG file to write.

    Raises:
        DependencyError: If matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DependencyError("the loss plot needs matplotlib: pip install 'redraft[plot]'") from error
    figure = Figure(figsize=(9, 8), layout="constrained")
    FigureCanvasAgg(figure)
    losses, shares = figure.subplots(2, 1, sharex=True)
    steps = [record for record in records if record["kind"] == "step"]
    for name in ("loss", "corrupted_nats", "clean_nats"):
        points = [(record["step"], record[name]) for record in steps if name in record]
        losses.plot(*_smoothed(points), label=name, linewidth=1)
    validations = [record for record in records if record["kind"] == "validation"]
    names = sorted({name for record in validations for name, value in record.items() if isinstance(value, float)})
    for name in names:
        points = [(record["step"], record[name]) for record in validations if name in record]
        axes = losses if name.endswith("nats") else shares
        axes.plot([x for x, _ in points], [y for _, y in points], label=name, marker=".")
    losses.set_ylabel("nats per token")
    losses.set_yscale("log")
    shares.set_ylabel("share")
    shares.set_xlabel("step")
    for axes in (losses, shares):
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize="small")
    figure.savefig(path, dpi=110)


def _smoothed(points: list[tuple[int, float]]) -> tuple[list[int], list[float]]:
    """Mean over at most 400 stretches, since single steps are noisy."""
    stretch = max(1, math.ceil(len(points) / 400))
    pieces = [points[start : start + stretch] for start in range(0, len(points), stretch)]
    return [piece[-1][0] for piece in pieces], [sum(y for _, y in piece) / len(piece) for piece in pieces]


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"
