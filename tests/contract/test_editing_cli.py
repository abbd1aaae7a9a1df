"""``redraft edit`` and ``redraft infill``: what is refused, what is printed, what is written."""

import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import redraft
from redraft.interfaces import cli

EDIT_FIELDS = [
    "text",
    "model",
    "seed",
    "is_changed",
    "is_stable",
    "counts",
    "changes",
    "prompt_tokens",
    "windows",
    "nfe",
    "seconds",
    "diff",
    "is_written",
]
INFILL_FIELDS = ["text", "fills", "model", "seed", "prompt_tokens", "windows", "nfe", "seconds"]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tiny_checkpoint: Path) -> Any:
    """Return a function that runs a command on the tiny model and gives its status, output and complaint."""
    monkeypatch.delenv("REDRAFT_DEBUG", raising=False)

    def call(*words: str, stdin: bytes | None = None) -> tuple[int, str, str]:
        if stdin is not None:
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        status = cli.main([*words, "--model", str(tiny_checkpoint)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (b"\x7fELF\0\0", "binary"),
        (b"caf\xe9\n", "UTF-8"),
        (b"a" * 5_000_000, "1048576"),
        ("a\x00b".encode("utf-16"), "binary"),
    ],
)
@pytest.mark.parametrize("command", ["edit", "infill"])
def test_malformed_files_are_one_line_and_stay(run: Any, tmp_path: Path, command: str, raw: bytes, words: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(raw)
    flags = ["--write"] if command == "edit" else []
    status, out, err = run(command, str(path), *flags)
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert words in err
    assert path.read_bytes() == raw
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["edit", "nowhere"], "nowhere"),
        (["edit", "."], "directory"),
        (["edit", "-", "--write"], "FILE"),
        (["edit", "-", "--lines", "9"], "1 to 1"),
        (["edit", "-", "--lines", "x"], "A:B"),
        (["edit", "-", "--keep", "("], "not usable"),
        (["edit", "-", "--keep", "zzz"], "matches nothing"),
        (["edit", "-", "--instruction", ""], "instruction"),
        (["edit", "-", "--instruction", "word " * 300], "instruction"),
        (["edit", "-", "--seed", "-1"], "seed=-1"),
        (["infill"], "no text"),
        (["infill", "--template", "no gap"], "{{}}"),
        (["infill", "--template", "a{{}}", "--prefix", "b"], "not both"),
        (["infill", "-", "--prefix", "b"], "not two"),
        (["infill", "--prefix", "b", "--max-tokens", "0"], "max_tokens"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(run: Any, arguments: list[str], words: str) -> None:
    status, out, err = run(*arguments, stdin=b"some text\n")
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert words in err


@pytest.mark.parametrize("words", [["edit", "-"], ["infill", "--prefix", "a"]])
def test_a_device_that_is_not_there_is_one_line(run: Any, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    status, out, complaint = run(*words, "--device", "cuda", stdin=b"a = 1\n")
    assert (status, out) == (2, "")
    assert "device='cuda', but torch finds no CUDA device; use 'cpu'" in complaint
    assert complaint.count("\n") == 1


def test_a_diff_comes_out_and_patch_applies_it(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    raw = "def f(x):\r\n\treturn x + 1  # <|user|> 质数\r\nlast".encode()
    Path("f.py").write_bytes(raw)
    status, diff, err = run("edit", "f.py", "--effort", "instant")
    assert (status, err) == (0, "")
    assert Path("f.py").read_bytes() == raw
    status, out, _ = run("edit", "f.py", "--effort", "instant", "--json")
    record = json.loads(out)
    assert list(record) == EDIT_FIELDS
    assert record["diff"] == diff
    assert record["is_changed"] == bool(diff)
    parts = "".join(record["text"][change["new_start"] : change["new_end"]] for change in record["changes"])
    assert parts == record["text"]
    if diff:
        subprocess.run(["git", "apply", "-"], input=diff.encode(), check=True, timeout=30)
        assert Path("f.py").read_bytes() == record["text"].encode()


def test_write_keeps_mode_pins_and_line_endings(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "f.sh"
    raw = b"#!/bin/sh\r\necho 1 + 2\r\n\techo done"
    path.write_bytes(raw)
    path.chmod(0o750)
    flags = ["--keep", "^#!.*$", "--lines", "1:2", "--effort", "instant"]
    status, out, err = run("edit", str(path), "--write", *flags)
    assert (status, out, err) == (0, "", "")
    after = path.read_bytes()
    assert after.startswith(b"#!/bin/sh\r\n")
    assert after.endswith(b"\r\n\techo done")
    assert b"\n" not in after.replace(b"\r\n", b"")
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.slow
def test_python_and_the_command_agree(run: Any, tiny_checkpoint: Path) -> None:
    text = "a line\nof text\n"
    record = json.loads(run("edit", "--json", "--seed", "5", stdin=text.encode())[1])
    result = redraft.edit(text, model=str(tiny_checkpoint), seed=5).result
    assert record["text"] == result.text
    steps = [*redraft.edit(text, model=str(tiny_checkpoint), seed=5)]
    assert sum(step.is_last for step in steps) == result.num_windows
    for words, arguments in (
        (["--prefix", "a = ", "--suffix", "\n"], {"prefix": "a = ", "suffix": "\n"}),
        (["--template", "a {{}} b {{}}"], {"template": "a {{}} b {{}}"}),
    ):
        record = json.loads(run("infill", *words, "--json")[1])
        assert list(record) == INFILL_FIELDS
        assert record["text"] == redraft.infill(**arguments, model=str(tiny_checkpoint)).result.text  # type: ignore[arg-type]
        out = run("infill", *words)[1]
        assert out == record["text"] + "\n" * (not record["text"].endswith("\n"))


def test_a_file_with_holes(run: Any, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"a = __\nb = __\n")
    record = json.loads(run("infill", str(tmp_path / "f"), "--hole", "__", "--json")[1])
    assert len(record["fills"]) == 2
    assert (tmp_path / "f").read_bytes() == b"a = __\nb = __\n"


@pytest.mark.slow
def test_a_catastrophic_expression_ends(run: Any) -> None:
    status, out, err = run("edit", "--keep", "(a|aa)+$", stdin=b"a" * 200 + b"b\n")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "takes more than" in err


@pytest.mark.slow
def test_what_is_refused_never_waits_for_torch(tmp_path: Path) -> None:
    program = (
        "import sys; from redraft.interfaces.cli import main; status = main(sys.argv[1:]); "
        "sys.exit(9 if 'torch' in sys.modules else status)"
    )
    (tmp_path / "f").write_bytes(b"\0")
    for words in (["edit", str(tmp_path / "f")], ["infill", "--template", "x"], ["edit", "--help"]):
        ran = subprocess.run(
            [sys.executable, "-c", program, *words], capture_output=True, timeout=60, check=False, env=os.environ
        )
        assert ran.returncode == (0 if "--help" in words else 2), ran.stderr
