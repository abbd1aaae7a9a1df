import os
import subprocess
import sys
from pathlib import Path

import pytest

from redraft.denoiser import Transformer
from redraft.denoiser.checkpoint import load_checkpoint
from redraft.training import load_recipe

RECIPES = Path(__file__).parents[3] / "recipes"

TINY = (
    "model.width=16",
    "model.num_heads=2",
    "model.num_prelude_layers=1",
    "data.batch_tokens=3000",
    "data.pool_examples=64",
    "data.num_workers=0",
    "train.max_steps=2",
    "train.device=cpu",
    "train.dtype=float32",
    "train.validate_batches=0",
)


def script(run_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "RUN": str(run_dir),
    }
    command = ["sh", str(RECIPES / "small.sh"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=250, check=False)


def test_its_model_fits_the_way_home() -> None:
    recipe = load_recipe(RECIPES / "small.toml")
    count = sum(weight.numel() for weight in Transformer(recipe.model).parameters())
    assert 30e6 < count < 33e6
    assert 2 * count < 64 * 2**20


@pytest.mark.slow
def test_a_sitting_leaves_pieces_that_join_to_the_model(tmp_path: Path) -> None:
    settings = [word for setting in TINY for word in ("--set", setting)]
    done = script(tmp_path / "run", "train", "200", str(tmp_path / "pieces"), *settings)
    assert done.returncode == 0, done.stderr
    pieces = sorted((tmp_path / "pieces").glob("small.tar.*"))
    assert pieces
    assert all(piece.stat().st_size < 16_000_000 for piece in pieces)
    done = script(tmp_path, "join", str(tmp_path / "pieces"), str(tmp_path / "model"))
    assert done.returncode == 0, done.stderr
    ours, theirs = (load_checkpoint(folder).model for folder in (tmp_path / "model", tmp_path / "run" / "model"))
    for (name, weight), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert weight.equal(other.bfloat16().to(weight.dtype)), name
    assert (tmp_path / "pieces" / "metrics.jsonl").read_bytes() == (tmp_path / "run" / "metrics.jsonl").read_bytes()
    assert script(tmp_path, "join", str(tmp_path / "pieces"), str(tmp_path / "model")).returncode == 2
    pieces[0].write_bytes(pieces[0].read_bytes()[:-1])
    assert script(tmp_path, "join", str(tmp_path / "pieces"), str(tmp_path / "other")).returncode != 0
    assert not (tmp_path / "other").exists()
