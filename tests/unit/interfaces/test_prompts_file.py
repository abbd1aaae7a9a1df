"""A file of prompts: what is read, and what is refused without stopping."""

from pathlib import Path

import pytest

from redraft.errors import PromptError
from redraft.interfaces.prompts_file import PromptLine, error_record, open_lines, read_prompts


def read(*lines: bytes) -> list[PromptLine]:
    return list(read_prompts(lines))


def test_lines_are_read_in_order() -> None:
    lines = read(b'{"id": "a", "prompt": "1"}\n', b"\n", b'{"prompt": "2", "seed": 5}\r\n', b'{"id": 9, "prompt": ""}')
    assert lines == [
        PromptLine(id="a", prompt="1"),
        PromptLine(id=3, prompt="2", seed=5),
        PromptLine(id=9, prompt=""),
    ]
    assert read(b'\xef\xbb\xbf{"prompt": "x"}') == [PromptLine(id=1, prompt="x")]


@pytest.mark.parametrize(
    ("line", "id", "words"),
    [
        (b"hello", None, "not JSON"),
        (b"\xff\xfe", None, "not JSON"),
        (b"\0", None, "not JSON"),
        (b"[" * 100_000, None, "nested too deeply"),
        (b"9" * 10_000, None, "not JSON"),
        (b'{"id": NaN, "prompt": "x"}', None, "NaN"),
        (b"[1]", None, "no JSON object"),
        (b'"x"', None, "no JSON object"),
        (b"null", None, "no JSON object"),
        (b'{"id": [1], "prompt": "x"}', None, "id"),
        (b'{"id": true, "prompt": "x"}', None, "id"),
        (b'{"id": null, "prompt": "x"}', None, "id"),
        (b'{"id": 1.5, "prompt": "x"}', None, "id"),
        (b'{"id": "a"}', "a", "'prompt'"),
        (b'{"id": "a", "prompt": 3}', "a", "'prompt'"),
        (b'{"id": "a", "prompt": null}', "a", "'prompt'"),
        (b'{"id": "a", "prompt": "x", "promt": "y"}', "a", "unknown key 'promt'"),
        (b'{"id": "a", "prompt": "x", "seed": "1"}', "a", "seed"),
        (b'{"id": "a", "prompt": "x", "seed": true}', "a", "seed"),
        (b"{}", 1, "'prompt'"),
    ],
)
def test_bad_lines_are_refused_one_by_one(line: bytes, id: object, words: str) -> None:
    bad, good = read(line, b'{"prompt": "x"}')
    assert good == PromptLine(id=2, prompt="x")
    assert bad.id == id
    assert isinstance(bad.error, PromptError)
    assert words in str(bad.error)
    assert error_record(bad.id, bad.error) == {"id": id, "error": {"type": "PromptError", "message": str(bad.error)}}


def test_files_are_opened_or_refused(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_bytes(b"a\nb")
    assert list(open_lines(str(tmp_path / "p.jsonl"))) == [b"a\n", b"b"]
    for path in (tmp_path / "none", tmp_path, "\0"):
        with pytest.raises(PromptError, match="can't read the prompts file"):
            open_lines(str(path))
