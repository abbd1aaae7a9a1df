"""Dependencies point one way: the layers of pyproject.toml hold, and they name every room."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_layers_hold() -> None:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": "ignore"}
    run = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 kept, 0 broken" in run.stdout, run.stdout


def test_layers_name_every_room() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    contract = settings["contracts"][0]
    named = {room.strip() for layer in contract["layers"] for room in layer.split("|")} | set(
        contract["exhaustive_ignores"]
    )
    package = ROOT / "src" / "redraft"
    rooms = {path.stem for path in package.glob("*.py") if not path.stem.startswith("_")}
    rooms |= {path.name for path in package.iterdir() if (path / "__init__.py").is_file()}
    assert rooms <= named


def test_no_room_is_missing_from_the_map() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    package = ROOT / "src" / "redraft"
    rooms = [path.name for path in package.iterdir() if (path / "__init__.py").is_file()]
    assert [room for room in rooms if f"`{room}`" not in text] == []
