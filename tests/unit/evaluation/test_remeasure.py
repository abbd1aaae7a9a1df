import json
from pathlib import Path
from typing import Any

import pytest

from redraft.errors import ConfigError, RedraftError
from redraft.evaluation import remeasure
from redraft.evaluation.accuracy import Share
from redraft.evaluation.claims import CLAIMS, Claim
from redraft.evaluation.correction import NUMBERS_PLANTED
from redraft.evaluation.figures import load_shipped, parse
from redraft.evaluation.remeasure import measured, rows_of

HALF = Share(successes=617, total=1234).to_dict()
REPORT = {"accuracy": HALF, "tokens_per_forward": 4.8123, "num_distinct": 124, "rows": [{"k": 0}, {"k": 3, "x": HALF}]}


def claim(*path: str, sample: str = "{total} lines, {num_distinct} different") -> Claim:
    return Claim(what="a figure", command="redraft eval x", path=path, sample=sample)


def test_a_share_is_told_in_percent_with_its_interval_and_its_total() -> None:
    [row] = rows_of({"redraft eval x": REPORT}, [claim("accuracy")])
    assert row == {
        "what": "a figure",
        "value": 50.0,
        "unit": "%",
        "low": 47.2,
        "high": 52.8,
        "sample": "1,234 lines, 124 different",
        "command": "redraft eval x",
    }


def test_a_number_is_told_as_it_is() -> None:
    [row] = rows_of({"redraft eval x": REPORT}, [claim("tokens_per_forward", sample="same run")])
    assert (row["value"], row["unit"], "low" in row) == (4.81, "", False)


def test_a_row_is_found_by_what_it_holds() -> None:
    [row] = rows_of({"redraft eval x": REPORT}, [claim("rows", "k=3", "x")])
    assert row["value"] == 50.0


@pytest.mark.parametrize("path", [("answer",), ("rows", "k=4", "x"), ("accuracy", "value", "x"), ("rows", "j=3", "x")])
def test_what_a_report_lacks_is_one_clear_error(path: tuple[str, ...]) -> None:
    with pytest.raises(RedraftError, match=r"the report of 'redraft eval x' has no '.*', which 'a figure' needs"):
        rows_of({"redraft eval x": REPORT}, [claim(*path)])


def test_each_command_runs_once_with_its_own_words() -> None:
    calls: list[list[str]] = []

    def run(words: list[str]) -> str:
        calls.append(words)
        return json.dumps({"words": len(words)})

    told: list[str] = []
    reports = measured(["redraft eval a --json", "redraft eval b"], run, told.append)
    assert calls == [["eval", "a", "--json"], ["eval", "b"]]
    assert reports == {"redraft eval a --json": {"words": 3}, "redraft eval b": {"words": 2}}
    assert told == ["redraft eval a --json", "redraft eval b"]


def test_every_model_that_ships_has_the_figures_that_are_claimed_of_it() -> None:
    shipped = load_shipped()
    assert {model.model for model in shipped} == set(CLAIMS)
    for model in shipped:
        claims = CLAIMS[model.model]
        assert [(row.what, row.command) for row in model.figures] == [(row.what, row.command) for row in claims]


def test_every_number_of_planted_tokens_that_is_claimed_is_measured() -> None:
    planted = {part for rows in CLAIMS.values() for row in rows for part in row.path if part.startswith("num_planted=")}
    assert planted <= {f"num_planted={number}" for number in NUMBERS_PLANTED}


def test_only_a_model_with_claims_is_measured(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError,
        match="nothing is claimed of 'other'; name the folder of nano or editor or fixer or filler or coder or "
        "solver or writer",
    ):
        remeasure.main([str(tmp_path / "other")])


@pytest.mark.slow
def test_a_folder_gets_figures_of_its_own(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for file in tiny_checkpoint.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    command = "redraft eval primes --count 2 --json"
    rows: dict[str, Any] = {"what": "primes", "command": command, "path": ("accuracy",), "sample": "{total}"}
    monkeypatch.setattr(remeasure, "CLAIMS", {"model": (Claim(**rows),)})
    assert remeasure.main([str(folder)]) == 0
    figures = parse("model", (folder / "figures.json").read_text(encoding="utf-8"))
    assert [(row.value, row.sample, row.command) for row in figures.figures] == [(0.0, "2", command)]
    assert "torch" in figures.machine
