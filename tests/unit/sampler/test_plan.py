import pytest
import torch

from redraft.errors import ConfigError
from redraft.sampler.plan import StepPlan, TemperaturePlan


def test_more_steps_than_positions_leave_late_steps_idle() -> None:
    assert StepPlan(num_steps=5).budgets(3) == (1, 1, 1, 0, 0)


def test_what_reopens_is_spread_over_the_steps_left() -> None:
    plan = StepPlan(num_steps=4)
    assert plan.budget(torch.tensor([8, 4]), 0).tolist() == [2, 1]
    assert plan.budget(torch.tensor([9, 0]), 2).tolist() == [5, 0]
    assert plan.budget(torch.tensor([9, 1]), 7).tolist() == [9, 1], "after the last step everything is due"


def test_no_steps_are_refused() -> None:
    with pytest.raises(ConfigError, match="num_steps=0"):
        StepPlan(num_steps=0)


def test_a_constant_temperature_is_exact() -> None:
    plan = TemperaturePlan(first=0.7, final=0.7, num_steps=13)
    assert {plan.at(index) for index in range(13)} == {0.7}
