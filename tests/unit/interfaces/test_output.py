"""Nothing that a model writes may command a terminal."""

import json

import pytest

from redraft.interfaces.output import complain, harmless, to_json, write_text

ALL = "".join(map(chr, range(0x3000))) + "\udfff\ud800\U0001f9ee"


def is_control(char: str) -> bool:
    return (ord(char) < 0x20 and char not in "\t\n") or 0x7F <= ord(char) <= 0x9F


def test_harmless_text_has_no_control_characters() -> None:
    text = harmless(ALL)
    assert not any(is_control(char) for char in text)
    text.encode()
    assert harmless("a\tb\n质数 é 🧮") == "a\tb\n质数 é 🧮"
    assert harmless("\x1b]0;owned\x07\r\x9b31m\u202e") == r"\x1b]0;owned\x07\x0d\x9b31m\u202e"


def test_json_is_one_harmless_line_and_says_the_same() -> None:
    line = to_json({"text": ALL, ALL: 1})
    assert json.loads(line) == {"text": ALL, ALL: 1}
    assert not any(is_control(char) or char in "\n\t" for char in line)
    assert line.splitlines() == [line]
    line.encode()
    assert to_json({"text": "质数"}) == '{"text": "质数"}'


@pytest.mark.parametrize(("is_terminal", "shown"), [(True, "a\\x1b[2J\n"), (False, "a\x1b[2J\n")])
def test_text_is_escaped_on_a_terminal_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, is_terminal: bool, shown: str
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: is_terminal)
    write_text("a\x1b[2J")
    assert capsys.readouterr().out == shown


def test_a_complaint_is_one_short_harmless_line(capsys: pytest.CaptureFixture[str]) -> None:
    complain("bad\nthing \x1b[2J " + "x" * 10_000)
    line = capsys.readouterr().err
    assert line.startswith("redraft: bad thing \\x1b[2J xxx")
    assert line.endswith("…\n")
    assert line.count("\n") == 1
    assert len(line) < 700
