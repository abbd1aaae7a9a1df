"""The measured figures of the models that ship, and the README's table of them.

Each model folder may hold a ``figures.json``::

    {
      "machine": "2 cores of an AMD EPYC (Zen 3), torch 2.13.0, float32",
      "date": "2026-11-24",
      "figures": [
        {
          "what": "Arithmetic, answer first: exact match",
          "value": 93.4, "unit": "%", "low": 90.9, "high": 95.3,
          "sample": "500 unseen problems",
          "command": "redraft eval arithmetic --count 500 --seed 7 --json"
        }
      ]
    }

``low`` and ``high`` (a 95 % interval) are optional and come together. The README's table is written from these files,
never by hand: ``python -m redraft.evaluation.figures`` checks that both agree, and ``--write`` makes them agree. It
measures nothing; ``redraft.evaluation.remeasure`` does.
"""

import argparse
import importlib.resources
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from redraft.errors import ConfigError

__all__ = ["Figure", "ModelFigures", "insert", "load_shipped", "main", "parse", "render"]

_BEGIN = "<!-- figures:begin -->"
_END = "<!-- figures:end -->"
_NONE_YET = "No model has been measured yet."


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One measured claim and the command that measures it again."""

    what: str
    """The claim, in a few words."""

    value: int | float
    """The measured value, as it is to be read: 93.4, not 0.934, when the unit is %."""

    unit: str
    """Unit, "%" among them; empty for a bare count."""

    sample: str
    """What it was measured on."""

    command: str
    """The command line that measures it."""

    low: int | float | None = None
    """Lower end of the 95 % interval; None when there is none."""

    high: int | float | None = None
    """Upper end of the 95 % interval; None when there is none."""

    def __post_init__(self) -> None:
        """Check types, and that an interval has two ends around the value."""
        for name in ("what", "unit", "sample", "command"):
            if not isinstance(getattr(self, name), str):
                raise ConfigError(f"figure {self.what!r}: {name} must be a text")
        for name in ("value", "low", "high"):
            number = getattr(self, name)
            if (
                isinstance(number, bool)
                or not isinstance(number, int | float | None)
                or (name, number) == ("value", None)
            ):
                raise ConfigError(f"figure {self.what!r}: {name}={number!r} is not a number")
        if (self.low is None) != (self.high is None):
            raise ConfigError(f"figure {self.what!r}: give both low and high, or neither")
        if self.low is not None and self.high is not None and not self.low <= self.value <= self.high:
            raise ConfigError(f"figure {self.what!r}: {self.value} lies outside {self.low} to {self.high}")

    @property
    def text(self) -> str:
        """Value, unit and interval as printed.

        >>> Figure(what="a", value=93.4, unit="%", sample="500", command="c", low=90.9, high=95.3).text
        '93.4 % (90.9 to 95.3)'
        >>> Figure(what="a", value=18, unit="", sample="1", command="c").text
        '18'
        """
        interval = "" if self.low is None else f" ({self.low} to {self.high})"
        return f"{self.value} {self.unit}".rstrip() + interval


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFigures:
    """What was measured of one shipped model, where and when."""

    model: str
    """The model folder's name."""

    machine: str
    """Processor, cores, torch version and dtype."""

    date: str
    """Day of the measurement, as YYYY-MM-DD."""

    figures: tuple[Figure, ...]
    """The figures, in the order in which they are printed."""


def parse(model: str, text: str) -> ModelFigures:
    """Read one ``figures.json``.

    Args:
        model: The model folder's name.
        text: The file's content.

    Returns:
        The figures.

    Raises:
        ConfigError: The text is not JSON, or a key is missing, unknown or of the wrong kind.
    """
    try:
        record: dict[str, Any] = json.loads(text)
        rows = [Figure(**row) for row in record.pop("figures")]
        return ModelFigures(model=model, figures=tuple(rows), **record)
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"figures.json of model {model!r}: {error}; see redraft.evaluation.figures for the form"
        ) from error


def load_shipped() -> list[ModelFigures]:
    """Read the figures of every model that ships and has been measured, by name.

    Returns:
        One record per model; empty when nothing has been measured.
    """
    models: Traversable = importlib.resources.files("redraft") / "models"
    if not models.is_dir():
        return []
    folders = sorted((entry for entry in models.iterdir() if entry.is_dir()), key=lambda entry: entry.name)
    files = [(folder.name, folder / "figures.json") for folder in folders]
    return [parse(name, file.read_text(encoding="utf-8")) for name, file in files if file.is_file()]


def render(models: Sequence[ModelFigures]) -> str:
    """Return the Markdown that stands between the README's markers.

    Args:
        models: What ``load_shipped`` gives.

    Returns:
        One table per model, or one line that says that there is none.
    """
    tables = [
        "\n".join(
            [
                f"Model `{model.model}`, {model.date}, {model.machine}.",
                "",
                "| what | measured | on | command |",
                "|---|---|---|---|",
                *(f"| {row.what} | {row.text} | {row.sample} | `{row.command}` |" for row in model.figures),
            ]
        )
        for model in models
    ]
    return "\n\n".join(tables) if tables else _NONE_YET


def insert(document: str, table: str) -> str:
    """Return the document with the table between its markers.

    Args:
        document: Text with one line ``<!-- figures:begin -->`` and, later, one line ``<!-- figures:end -->``.
        table: What ``render`` gives.

    Returns:
        The new text; everything outside the markers is as it was.

    Raises:
        ConfigError: The markers are not there, not once, or in the wrong order.
    """
    before, found_begin, rest = document.partition(f"{_BEGIN}\n")
    _, found_end, after = rest.partition(_END)
    if not found_begin or not found_end or _BEGIN in rest or _END in before + after:
        raise ConfigError(f"the document needs {_BEGIN} on a line, then {_END}, each once")
    return f"{before}{_BEGIN}\n{table}\n{_END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the README's table, or write it.

    Args:
        arguments: Command-line arguments; None takes the process's own.

    Returns:
        Exit status: 0 when the document agrees (or was written), 1 when it differs.
    """
    parser = argparse.ArgumentParser(prog="python -m redraft.evaluation.figures", description="Figures in the README.")
    parser.add_argument("document", nargs="?", type=Path, default=Path("README.md"), help="file with the markers")
    parser.add_argument("--write", action="store_true", help="write the table instead of checking it")
    options = parser.parse_args(arguments)
    document = options.document.read_text(encoding="utf-8")
    wanted = insert(document, render(load_shipped()))
    if wanted == document:
        return 0
    if not options.write:
        print(
            f"{options.document}: the table of figures differs from figures.json; run `make figures`", file=sys.stderr
        )
        return 1
    options.document.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
