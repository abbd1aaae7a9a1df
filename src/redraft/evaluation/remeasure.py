"""Measures every figure that a model folder claims, by the very commands that stand beside the figures.

``python -m redraft.evaluation.remeasure src/redraft/models/nano`` runs each command once and writes ``figures.json``
anew; ``make figures`` then brings the README in line. On an idle machine with the model that ships it takes minutes.
"""

import argparse
import datetime
import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from redraft.errors import ConfigError, RedraftError
from redraft.evaluation.bench.machine import describe_machine
from redraft.evaluation.claims import CLAIMS, Claim
from redraft.evaluation.figures import parse

__all__ = ["main", "measured", "rows_of"]


def rows_of(reports: Mapping[str, Mapping[str, Any]], claims: Sequence[Claim]) -> list[dict[str, Any]]:
    """Take the figures out of the reports.

    Args:
        reports: By command, the JSON object that it printed.
        claims: What to look for.

    Returns:
        Rows of a ``figures.json``.

    Raises:
        RedraftError: A report lacks what a claim names.
    """
    return [_row(claim, reports[claim.command]) for claim in claims]


def measured(
    commands: Sequence[str], run: Callable[[list[str]], str], tell: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Run commands one after the other.

    Args:
        commands: Command lines that begin with ``redraft``.
        run: Takes the arguments behind ``redraft`` and returns what was printed.
        tell: Called with each command line before it runs.

    Returns:
        By command, the JSON object that it printed.
    """
    reports = {}
    for command in commands:
        tell(command)
        reports[command] = json.loads(run(shlex.split(command)[1:]))
    return reports


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure a model folder's figures and write them.

    Args:
        arguments: Command-line arguments; None takes the process's own.

    Returns:
        Exit status: 0.

    Raises:
        ConfigError: Nothing is claimed of such a model.
    """
    parser = argparse.ArgumentParser(
        prog="python -m redraft.evaluation.remeasure", description="Measure all figures of a model folder again."
    )
    parser.add_argument("folder", type=Path, help="folder of a model that ships; its figures.json is written anew")
    folder: Path = parser.parse_args(arguments).folder
    if folder.name not in CLAIMS:
        raise ConfigError(f"nothing is claimed of {folder.name!r}; name the folder of {' or '.join(CLAIMS)}")
    claims = CLAIMS[folder.name]
    digests = (folder / "manifest.json").read_text(encoding="utf-8")  # fails here, not after minutes

    def run(words: list[str]) -> str:
        command = [sys.executable, "-m", "redraft", *words, "--model", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
        if done.returncode != 0:
            raise RedraftError(f"redraft {shlex.join(words)} failed: {done.stderr.strip()}")
        return done.stdout

    reports = measured(
        list(dict.fromkeys(claim.command for claim in claims)), run, lambda line: print(line, flush=True)
    )
    if (folder / "manifest.json").read_text(encoding="utf-8") != digests:
        raise RedraftError(f"{folder} changed while it was measured; measure again")
    machine, dtypes = describe_machine(), sorted({str(report["dtype"]) for report in reports.values()})
    record = {
        "machine": f"{machine['cores']} cores of {machine['processor']} ({', '.join(machine['instructions'])}), "
        f"torch {torch.__version__.partition('+')[0]}, {' and '.join(dtypes)}",
        "date": datetime.date.today().isoformat(),
        "figures": rows_of(reports, claims),
    }
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    parse(folder.name, text)
    (folder / "figures.json").write_text(text, encoding="utf-8")
    return 0


def _row(claim: Claim, report: Mapping[str, Any]) -> dict[str, Any]:
    found: Any = report
    for key in claim.path:
        found = _inside(found, key, claim)
    words = {name: report[name] for name in ("count", "num_distinct") if name in report}
    row: dict[str, Any] = {"what": claim.what}
    if isinstance(found, Mapping):
        row |= {"value": round(100 * found["value"], 1), "unit": "%"}
        row |= {end: round(100 * found[end], 1) for end in ("low", "high")}
        words["total"] = f"{found['total']:,}"
    else:
        row |= {"value": round(found, 2), "unit": ""}
    return row | {"sample": claim.sample.format(**words), "command": claim.command}


def _inside(found: Any, key: str, claim: Claim) -> Any:
    """Take one step of a path."""
    try:
        name, has_number, number = key.partition("=")
        return next(row for row in found if row[name] == int(number)) if has_number else found[key]
    except (KeyError, StopIteration, TypeError) as error:
        raise RedraftError(f"the report of {claim.command!r} has no {key!r}, which {claim.what!r} needs") from error


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except (OSError, RedraftError) as error:
        raise SystemExit(f"error: {error}") from None
