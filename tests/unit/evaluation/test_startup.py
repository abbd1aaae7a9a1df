"""Stages of a cold start."""

import json

import pytest

from redraft.evaluation.startup import STAGES, main


@pytest.mark.slow
def test_every_stage_takes_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--repeats", "1"])
    seconds = json.loads(capsys.readouterr().out)
    assert tuple(seconds) == STAGES
    assert all(taken >= 0.0 for taken in seconds.values())
    assert seconds["torch"] > seconds["first draft"] > 0.0
