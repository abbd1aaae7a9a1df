"""Files in and out: what is refused, what comes back as it was, what a write leaves behind."""

import io
import os
import time
from pathlib import Path

import pytest

from redraft.editing.matching import find_spans
from redraft.editing.pins import merge_spans, pinned_spans, spans_outside_lines
from redraft.editing.source import MAX_BYTES, read_source, source_of
from redraft.editing.template import pieces_of_template
from redraft.editing.writing import replace_file
from redraft.errors import ConfigError, PromptError


@pytest.mark.parametrize(
    "text", ["a\r\nb", "a\r\nb\r\n", "a\nb\r\n", "a\rb", "\ufeffa\r\n", "a\r\r\nb\r\n", "x", "\r\n"]
)
def test_what_is_taken_off_comes_back(text: str) -> None:
    source = source_of(text)
    assert source.mark + source.restore(source.text) == text
    assert source.is_crlf == (text in ("a\r\nb", "a\r\nb\r\n", "\ufeffa\r\n", "\r\n"))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"a\0b", "byte 1 is zero"),
        (b"abc\xff", "byte 3 is 0xff"),
        (b"a" * 5_000_000, str(MAX_BYTES)),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raw: bytes, words: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(raw)
    with pytest.raises(PromptError, match=words):
        read_source(str(path))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
    with pytest.raises(PromptError, match=words):
        read_source("-")


def test_only_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "nowhere", Path("/dev/zero"), Path("a\0b")):
        with pytest.raises(PromptError):
            read_source(str(path))


def test_a_write_keeps_mode_and_link_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path, link = tmp_path / "f.sh", tmp_path / "link"
    path.write_bytes(b"old\r\n")
    path.chmod(0o751)
    link.symlink_to(path)
    replace_file(link, "new é\r\n", expected=b"old\r\n")
    assert path.read_bytes() == "new é\r\n".encode()
    assert path.stat().st_mode & 0o7777 == 0o751
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [path, link]


def test_a_write_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"mine")
    with pytest.raises(PromptError, match="has changed"):
        replace_file(path, "new", expected=b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(PromptError, match="No space left"):
        replace_file(path, "new", expected=b"mine")
    assert path.read_bytes() == b"mine"
    assert [*tmp_path.iterdir()] == [path]


def test_lines_are_counted_from_one() -> None:
    text = "one\ntwo\nthree"
    for lines, free in {"1": "one", "2:": "two\nthree", ":2": "one\ntwo", "3:3": "three", "1:3": text}.items():
        spans = spans_outside_lines(text, lines)
        assert "".join(text[i] for i in range(len(text)) if not any(a <= i < b for a, b in spans)) == free
    assert spans_outside_lines("a\n", "1") == [(1, 2)]
    for lines in ("0", "4", "3:2", "", ":", "a", "1:2:3", "-1", "²", "99999999999"):
        with pytest.raises(ConfigError):
            spans_outside_lines(text, lines)


def test_expressions_pin_what_they_match() -> None:
    text = "a = 1\nb = 22\n"
    assert pinned_spans(text, keep=[r"\d+$", "^b"]) == [(4, 5), (6, 7), (10, 12)]
    assert pinned_spans(text, lines="2", keep=["="]) == [(0, 6), (8, 9), (12, 13)]
    for pattern, words in {
        "(": "not usable",
        "z": "matches nothing",
        "x*": "matches nothing",
        "\ud800": "nothing",
    }.items():
        with pytest.raises(ConfigError, match=words):
            pinned_spans(text, keep=[pattern])
    with pytest.raises(ConfigError, match="outside"):
        pinned_spans(text, pins=[(3, 99)])
    assert merge_spans([(3, 5), (0, 1), (4, 9), (9, 10), (2, 2)]) == [(0, 1), (3, 10)]


def test_a_catastrophic_expression_is_given_up() -> None:
    since = time.monotonic()
    with pytest.raises(ConfigError, match="takes more than"):
        find_spans("(a+)+$", "a" * 60 + "b", time_limit_s=0.5)
    assert time.monotonic() - since < 5


def test_templates_are_cut_at_their_holes() -> None:
    assert [*pieces_of_template(None, None, "a{{}}b\r\n{{}}", "{{}}")[1]] == ["a", "b\n", ""]
    assert [*pieces_of_template("a\r", "\nb\r\n", None)[1]] == ["a\r", "\nb\r\n"]
    assert [*pieces_of_template("\ufeffa", None, None)[1]] == ["a", ""]
    assert [*pieces_of_template(None, None, "a?b{{}}", "?")[1]] == ["a", "b{{}}"]
    for arguments in ((None, None, "no hole"), (None, None, None), ("", "", None), (None, None, "{{}}" * 300)):
        with pytest.raises(PromptError):
            pieces_of_template(*arguments)
    with pytest.raises(ConfigError):
        pieces_of_template("a", None, "b{{}}")
