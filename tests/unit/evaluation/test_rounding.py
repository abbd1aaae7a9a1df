"""float32 beside int8: what is counted, and who is refused."""

from pathlib import Path

import pytest

from redraft.engine import load_engine
from redraft.errors import ConfigError
from redraft.evaluation.accuracy import draw_problems
from redraft.evaluation.rounding import Compared, compare, main


def test_counts_by_hand() -> None:
    found = Compared(num_right=(90, 88), num_same=80, total=100)
    gain, low, high = found.gain
    assert gain == pytest.approx(-0.02)
    assert low < gain < high
    assert str(found).split()[:4] == ["90", "88", "80", "100"]


def test_both_are_asked_the_same(tiny_checkpoint: Path) -> None:
    exact, rounded = (load_engine(str(tiny_checkpoint), dtype=dtype) for dtype in ("float32", "int8"))
    problems = draw_problems("primes", count=3, seed=1, split="dev")
    itself = compare(exact, exact, problems)
    assert (itself.num_same, itself.total) == (3, 3)
    assert compare(exact, rounded, problems).total == 3


def test_only_models_that_ship() -> None:
    with pytest.raises(ConfigError, match="no model 'nobody' ships that answers prompts; use one of nano"):
        main(["--model", "nobody"])
