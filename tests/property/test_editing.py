"""Random edits: what is pinned is the same in every one of them, byte for byte.

``REDRAFT_RANDOM_EDITS=10000 pytest --timeout 3600 tests/property/test_editing.py`` makes ten thousand, in 20 minutes.
"""

import importlib.util
import os
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

COUNT = int(os.environ.get("REDRAFT_RANDOM_EDITS", "120"))


@pytest.mark.parametrize("batch", range(4))
def test_pinned_bytes_in_many_random_edits(tiny_engine: Engine, batch: int) -> None:
    for seed in range(batch, COUNT, 4):
        random_edits.check_random_edit(tiny_engine, 1_000_000 + seed)
