"""The command that writes checkpoints once more."""

import json
from pathlib import Path
from typing import get_args

import pytest
from tests.unit.training.autoregressive import write_autoregressive

from redraft.denoiser.conversion import NATIVE
from redraft.denoiser.layouts import LAYOUTS
from redraft.errors import ConfigError
from redraft.interfaces import cli
from redraft.interfaces.convert import BLOCK_DIFFUSION, parse_size


def test_the_command_knows_every_layout() -> None:
    assert get_args(cli.LayoutName) == (*LAYOUTS, NATIVE, BLOCK_DIFFUSION)


@pytest.mark.parametrize("text", ["", "GB", "5TB", "-1GB", "10", "0.5KB", "1e9", "5 G B", "９GB", "nan"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="use a number of at least 1 KB"):
        parse_size(text)


def test_one_command_makes_a_start_and_another_a_copy_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, start, copy = (str(tmp_path / name) for name in ("source", "start", "copy"))
    write_autoregressive(Path(source), "qwen3")
    capsys.readouterr()
    assert cli.main(["convert", source, start, "--to", "block-diffusion", "--block-length", "16"]) == 0
    out = capsys.readouterr().out
    assert "sdar, blocks of 16, unshifted" in out
    assert "<|MASK|>, id 258 (unused; its row: mean)" in out
    assert cli.main(["convert", start, copy, "--dtype", "bfloat16", "--shard-size", "20KB", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["layout"], made["dtypes"]) == ("sdar", ["BF16"])
    assert len(list(Path(copy).glob("model-*.safetensors"))) > 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--block-length", "8"], "--block-length goes with --to block-diffusion"),
        (["--to", "gguf"], "gguf"),
        (["--dtype", "int8"], "int8"),
        (["--shard-size", "many"], "the size 'many' is none"),
        (["--to", "sdar"], "squared ReLU"),
        (["--to", "block-diffusion"], "has no block-diffusion start"),
    ],
)
def test_bad_usage_is_one_line_and_status_two(
    arguments: list[str],
    message: str,
    tiny_checkpoint: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["convert", str(tiny_checkpoint), str(tmp_path / "target"), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "target").exists()
