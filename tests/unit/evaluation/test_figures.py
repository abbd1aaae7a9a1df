import json
from pathlib import Path

import pytest

from redraft.errors import ConfigError
from redraft.evaluation import figures
from redraft.evaluation.figures import Figure, ModelFigures, insert, parse, render

ROW = {
    "what": "exact match",
    "value": 93.4,
    "unit": "%",
    "sample": "500 problems",
    "command": "redraft eval arithmetic",
}
RECORD = {"machine": "2 cores", "date": "2026-11-24", "figures": [ROW]}
PAGE = "# Title\n\n<!-- figures:begin -->\nold\n<!-- figures:end -->\n\nafter\n"


def test_a_table_has_the_figure_and_its_command() -> None:
    table = render([parse("nano", json.dumps(RECORD))])
    assert "Model `nano`, 2026-11-24, 2 cores." in table
    assert "| exact match | 93.4 % | 500 problems | `redraft eval arithmetic` |" in table


def test_nothing_measured_is_said() -> None:
    assert render([]) == "No model has been measured yet."


@pytest.mark.parametrize(
    "change",
    [
        {"value": "93.4"},
        {"value": None},
        {"value": True},
        {"unit": 1},
        {"low": 90.0},
        {"low": 94.0, "high": 95.0},
        {"colour": "red"},
    ],
)
def test_a_bad_row_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        parse("nano", json.dumps(RECORD | {"figures": [ROW | change]}))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"figures": 1}', '{"figures": [], "machine": "m", "date": "d", "x": 1}']
)
def test_a_bad_file_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="nano"):
        parse("nano", text)


def test_insert_touches_only_what_is_between_the_markers() -> None:
    assert insert(PAGE, "new") == PAGE.replace("old", "new")
    assert insert(insert(PAGE, "new"), "new") == insert(PAGE, "new")


@pytest.mark.parametrize(
    "document", ["", "<!-- figures:begin -->\n", PAGE + PAGE, "<!-- figures:end -->\n<!-- figures:begin -->\n"]
)
def test_missing_markers_are_an_error(document: str) -> None:
    with pytest.raises(ConfigError, match="needs"):
        insert(document, "new")


def test_check_fails_until_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = Figure(what="w", value=1, unit="s", sample="1", command="c")
    monkeypatch.setattr(
        figures, "load_shipped", lambda: [ModelFigures(model="m", machine="x", date="d", figures=(row,))]
    )
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    assert figures.main([str(page)]) == 1
    assert "differs" in capsys.readouterr().err
    assert page.read_text(encoding="utf-8") == PAGE
    assert figures.main([str(page), "--write"]) == 0
    assert "| w | 1 s | 1 | `c` |" in page.read_text(encoding="utf-8")
    assert figures.main([str(page)]) == 0
