"""The package's front door: light to import, two calls to an answer."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import redraft
from redraft.errors import ConfigError


def test_two_calls_to_an_answer(tiny_checkpoint: Path) -> None:
    engine = redraft.load(str(tiny_checkpoint))
    assert redraft.load(str(tiny_checkpoint)) is engine
    result = redraft.generate("1 + 2", model=str(tiny_checkpoint), seed=4, effort="low", max_steps=3)
    request = redraft.Request.from_prompt("1 + 2", seed=4, settings=engine.settings("low", max_steps=3))
    assert result == replace(engine.generate(request), seconds=result.seconds)
    with pytest.raises(ConfigError, match="treshold"):
        redraft.generate("1 + 2", model=str(tiny_checkpoint), treshold=1)


def test_names_are_there_without_being_imported() -> None:
    assert {name for name in redraft.__all__ if not hasattr(redraft, name)} == set()
    with pytest.raises(AttributeError, match="no attribute 'Sampler'"):
        redraft.Sampler  # noqa: B018
    program = "import sys, redraft; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0
