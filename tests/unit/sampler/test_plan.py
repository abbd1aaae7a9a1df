import pytest
import torch

from redraft.errors import ConfigError
from redraft.sampler.plan import StepPlan, TemperaturePlan, TimestepPlan, first_open_block


def test_more_steps_than_positions_leave_late_steps_idle() -> None:
    assert StepPlan(num_steps=5).budgets(3) == (1, 1, 1, 0, 0)


def test_what_reopens_is_spread_over_the_steps_left() -> None:
    plan = StepPlan(num_steps=4)
    assert plan.budget(torch.tensor([8, 4]), 0).tolist() == [2, 1]
    assert plan.budget(torch.tensor([9, 0]), 2).tolist() == [5, 0]
    assert plan.budget(torch.tensor([9, 1]), 7).tolist() == [9, 1], "after the last step everything is due"


def test_what_is_due_earlier_is_spread_over_fewer_steps() -> None:
    plan = StepPlan(num_steps=8)
    due = torch.tensor([2, 4, 8])
    assert plan.budget(torch.tensor([4, 4, 4]), 1, due).tolist() == [4, 2, 1]
    assert plan.budget(torch.tensor([4, 4, 0]), 5, due).tolist() == [4, 4, 0], "late is due at once"


@pytest.mark.parametrize(("num_open", "num_steps"), [(1, 1), (7, 3), (16, 16), (64, 64), (64, 16), (5, 9)])
def test_timesteps_settle_everything_by_the_last(num_open: int, num_steps: int) -> None:
    plan, left, shares = TimestepPlan(num_steps=num_steps, final_time=1e-3), num_open, []
    for index in range(num_steps):
        shares.append(int(plan.budget(torch.tensor([left]), index)))
        left -= shares[-1]
    assert left == 0
    assert min(shares) >= 0
    assert int(plan.budget(torch.tensor([3]), num_steps)) == 3, "and nothing is left open later"


def test_a_share_below_one_settles_nothing() -> None:
    assert int(TimestepPlan(num_steps=64, final_time=1e-3).budget(torch.tensor([64]), 0)) == 0


def test_the_first_open_block_of_each_row() -> None:
    is_open = torch.tensor([[True] * 5, [False, False, False, True, True], [False] * 4 + [True], [False] * 5])
    candidates, first = first_open_block(is_open, 2)
    assert candidates.int().tolist() == [[1, 1, 0, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1], [0] * 5]
    assert first.tolist()[:3] == [0, 1, 2]


def test_no_steps_are_refused() -> None:
    with pytest.raises(ConfigError, match="num_steps=0"):
        StepPlan(num_steps=0)


def test_a_constant_temperature_is_exact() -> None:
    plan = TemperaturePlan(first=0.7, final=0.7, num_steps=13)
    assert {plan.at(index) for index in range(13)} == {0.7}
