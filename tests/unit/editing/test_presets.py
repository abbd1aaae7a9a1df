"""What an effort means for an edit."""

import pytest

from redraft.editing.presets import edit_settings
from redraft.engine import Engine


@pytest.mark.parametrize("effort", ["instant", "low", "medium", "high"])
def test_an_edit_reopens_nothing_unless_asked(tiny_engine: Engine, effort: str) -> None:
    assert edit_settings(tiny_engine, effort, {}).remask_threshold is None
    assert edit_settings(tiny_engine, effort, {"remask_threshold": 0.4}).remask_threshold == 0.4
