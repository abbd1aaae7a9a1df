"""Dated results: the report as JSON, and its plot beside it, under the machine's kind and never its name."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from redraft.errors import ConfigError
from redraft.evaluation.bench.machine import machine_slug
from redraft.evaluation.bench.plot import plot_scaling

__all__ = ["command_line", "keep_part", "plot_report", "save_report"]


def command_line(arguments: Sequence[str]) -> str:
    """Return the command without what belongs to one machine: of an absolute path only the last part stays.

    >>> command_line(["bench", "--autoregressive", "/somewhere/causal", "--quick"])
    'redraft bench --autoregressive causal --quick'

    Args:
        arguments: Words after the program's name.

    Returns:
        The command.
    """
    return shlex.join(["redraft", *(_shortened(word) for word in arguments)])


def _shortened(word: str) -> str:
    name, equals, value = word.partition("=") if word.startswith("-") else ("", "", word)
    return f"{name}{equals}{Path(value).name if value.startswith(('/', '~')) else value}"


def plot_report(report: Mapping[str, Any], path: Path) -> None:
    """Draw the scaling of one pass.

    Args:
        report: A whole report.
        path: The PNG file to write.

    Raises:
        DependencyError: matplotlib is not installed.
    """
    title = (
        f"One pass of {report['model']['weights']}: {report['machine']['processor']}, {report['threads']} threads, "
        f"{report['date']}"
    )
    plot_scaling(report["scaling"], path, title=title)


def keep_part(report: Mapping[str, Any], folder: Path) -> Path:
    """Write what there is of a report that is not done, so that a run which is stopped has not been for nothing.

    Args:
        report: It, with the date and the machine.
        folder: An existing folder.

    Returns:
        The file, which the next part replaces and the whole report removes.
    """
    path = folder / f"{_stem(report)}.part.json"
    _write(report, path)
    return path


def save_report(report: Mapping[str, Any], folder: Path) -> Path:
    """Write a report and its plot, named by date and machine; one of the same name gets a number behind it.

    Args:
        report: A whole report.
        folder: An existing folder.

    Returns:
        The JSON file.

    Raises:
        ConfigError: There is no such folder.
        DependencyError: matplotlib is not installed.
    """
    if not folder.is_dir():
        raise ConfigError(f"--save {folder}: there is no such folder; make it first")
    stem = _stem(report)
    number, path = 1, folder / f"{stem}.json"
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}.json"
    plot_report(report, path.with_suffix(".png"))
    _write(report, path)
    (folder / f"{stem}.part.json").unlink(missing_ok=True)
    return path


def _stem(report: Mapping[str, Any]) -> str:
    return f"{report['date']}-{machine_slug(dict(report['machine']))}"


def _write(report: Mapping[str, Any], path: Path) -> None:
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
