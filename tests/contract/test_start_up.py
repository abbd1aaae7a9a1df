"""A cold start brings along only what an answer needs."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_an_answer_needs_no_compiler(tiny_checkpoint: Path) -> None:
    """``torch._dynamo`` takes as long to import as all the rest; a draw on the meta device would bring it along."""
    code = (
        "import sys; from redraft.engine import Request, load_engine; "
        f"engine = load_engine({str(tiny_checkpoint)!r}); "
        "engine.generate(Request.from_prompt('1 + 1', settings=engine.settings())); "
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
