import math
from dataclasses import replace
from typing import Any, get_args

import pytest

from redraft.errors import ConfigError
from redraft.sampler import SamplerSettings
from redraft.sampler import settings as module


def test_presets_are_ordered_by_effort() -> None:
    for family in get_args(module.Family):
        presets = [SamplerSettings.for_effort(effort, family) for effort in get_args(module.Effort)]
        assert all(preset.family == family for preset in presets)
        passes = [preset.max_steps for preset in presets]
        assert passes == sorted(passes)
        assert passes[0] < passes[-1]
    assert SamplerSettings.for_effort("medium").threshold == 0.9


@pytest.mark.parametrize(("effort", "family"), [("max", "masked"), ("low", "gaussian")])
def test_unknown_presets_are_refused(effort: str, family: str) -> None:
    with pytest.raises(ConfigError, match="use one of"):
        SamplerSettings.for_effort(effort, family)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("canvas_length", 0),
        ("max_new_tokens", -1),
        ("max_steps", 0),
        ("num_steps", 0),
        ("num_steps", 65),
        ("block_length", 0),
        ("lookahead", 0),
        ("answer_slots", -1),
        ("least_commits", 0),
        ("final_time", 0.0),
        ("final_time", 1.5),
        ("temperature", -0.1),
        ("temperature", math.nan),
        ("temperature", 1e-9),
        ("top_p", 0.0),
        ("top_p", 1.5),
        ("guidance_scale", -1.0),
        ("threshold", 0.0),
        ("threshold", 7.0),
        ("entropy_bound", -0.1),
        ("margin_threshold", 2.0),
        ("edit_threshold", 1.1),
        ("remask_threshold", -1.0),
        ("max_revisions", -1),
        ("verify_passes", -1),
        ("stability_threshold", 0),
        ("stop_entropy", math.nan),
        ("final_temperature", 0.4),
    ],
)
def test_numbers_out_of_range_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=name) as caught:
        SamplerSettings(**{name: value})
    assert "use" in str(caught.value) or "raise" in str(caught.value), "the message says what to do"


@pytest.mark.parametrize("value", [True, "8", 8.0, None, [8]])
def test_wrong_kinds_of_whole_number_are_refused(value: object) -> None:
    with pytest.raises(ConfigError, match="whole number of at least 1"):
        module._check_whole("max_steps", value, 1)


@pytest.mark.parametrize("value", [True, "0.8", None, {}])
def test_wrong_kinds_of_number_are_refused(value: object) -> None:
    with pytest.raises(ConfigError, match="number from 0 to 1"):
        module._check_number("threshold", value, 0.0, 1.0)


@pytest.mark.parametrize("value", [0.3, math.inf])
def test_numbers_within_range_are_taken(value: float) -> None:
    assert SamplerSettings(entropy_bound=value).entropy_bound == value


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"edit_threshold": 0.9}, "edit_threshold=0.9 has no effect"),
        ({"remask_threshold": 0.1}, "remask_threshold=0.1 has no effect"),
        ({"block_length": 8}, "block_length=8 has no effect"),
        ({"lookahead": 8}, "lookahead=8 has no effect"),
        ({"answer_slots": 3}, "answer_slots=3 has no effect"),
        ({"commit": "ancestral"}, "use entropy_bound or above_threshold"),
        ({"stop": "settled"}, "use stable"),
    ],
)
def test_what_makes_no_sense_for_the_uniform_family(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(SamplerSettings.for_effort("medium", "uniform"), **changes)


@pytest.mark.parametrize("changes", [{"plan": "timesteps"}, {"commit": "ancestral"}])
def test_rules_for_whole_canvases_do_not_go_with_blocks(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="block_length=8 does not go with"):
        SamplerSettings(block_length=8, **changes)
