"""Ten thousand random edits: what is pinned is the same in every one of them, byte for byte."""

import importlib.util
from pathlib import Path

import pytest

from redraft.engine import Engine

_SPEC = importlib.util.spec_from_file_location(
    "random_edits", Path(__file__).parents[1] / "unit" / "editing" / "test_edit.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
random_edits = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(random_edits)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("batch", range(10))
def test_pinned_bytes_in_ten_thousand_edits(tiny_engine: Engine, batch: int) -> None:
    for seed in range(batch * 1000 + 1_000_000, batch * 1000 + 1_001_000):
        random_edits.check_random_edit(tiny_engine, seed)
