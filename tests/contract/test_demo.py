"""`make demo` tells the truth about the model that ships, whether it solves the four prompts or not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HAS_MODEL = any((ROOT / "src" / "redraft" / "models").glob("*/manifest.json"))


pytestmark = [
    pytest.mark.slow,
    pytest.mark.model,
    pytest.mark.skipif(not HAS_MODEL, reason="no model ships yet"),
]


@pytest.fixture(scope="module")
def demo() -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "redraft.evaluation.demo"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )


def test_the_demo_judges_every_answer(demo: subprocess.CompletedProcess[str]) -> None:
    lines = demo.stdout.splitlines()
    num_right = sum(line.startswith("checked: the answer is right") for line in lines)
    num_wrong = sum(line.startswith("WRONG: ") for line in lines)
    assert num_right + num_wrong == 4, demo.stdout + demo.stderr
    assert demo.returncode == (1 if num_wrong else 0)


def test_the_demo_is_right(demo: subprocess.CompletedProcess[str]) -> None:
    assert demo.returncode == 0, demo.stdout + demo.stderr
