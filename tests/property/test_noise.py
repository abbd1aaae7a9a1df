"""What holds for every schedule, process, time and denoiser."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from redraft.errors import InputError
from redraft.noise import Cosine, Linear, NoiseSchedule, Polynomial, kept_since, loss_weight

SCHEDULES = st.one_of(
    st.just(Linear()), st.just(Cosine()), st.floats(0.25, 8.0).map(lambda power: Polynomial(power=power))
)
TIME = st.floats(0.0, 1.0)
INNER_TIME = st.floats(1e-3, 1.0 - 1e-3)


def _times(*values: float, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.tensor(values, dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(schedule=SCHEDULES)
def test_alpha_is_exact_at_both_ends(dtype: torch.dtype, schedule: NoiseSchedule) -> None:
    assert schedule.alpha(_times(0.0, 1.0, dtype=dtype)).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(schedule=SCHEDULES, times=st.lists(TIME, min_size=2, max_size=20))
def test_alpha_falls_and_stays_a_probability(dtype: torch.dtype, schedule: NoiseSchedule, times: list[float]) -> None:
    alpha = schedule.alpha(_times(*sorted(times), dtype=dtype))
    assert (alpha.diff() <= torch.finfo(dtype).eps).all()
    assert ((alpha >= 0.0) & (alpha <= 1.0)).all()


@given(schedule=SCHEDULES, low=INNER_TIME, high=INNER_TIME)
def test_alpha_falls_strictly_over_a_visible_distance(schedule: NoiseSchedule, low: float, high: float) -> None:
    low, high = sorted((low, high))
    if high - low < 1e-2:
        high = min(1.0, low + 1e-2)
    before, after = schedule.alpha(_times(low, high)).tolist()
    assert after < before


@given(schedule=SCHEDULES, time=INNER_TIME)
def test_alpha_prime_is_the_derivative(schedule: NoiseSchedule, time: float) -> None:
    t = _times(time).requires_grad_()
    (slope,) = torch.autograd.grad(schedule.alpha(t).sum(), t)
    torch.testing.assert_close(schedule.alpha_prime(t.detach()), slope, rtol=1e-9, atol=1e-12)


@given(schedule=SCHEDULES)
def test_alpha_prime_integrates_to_minus_one(schedule: NoiseSchedule) -> None:
    # Midpoint rule on t = u^6, which tames the infinite slope of a small power at t=0.
    u = (torch.arange(20000, dtype=torch.float64) + 0.5) / 20000
    area = (schedule.alpha_prime(u**6) * 6 * u**5).mean()
    assert area.item() == pytest.approx(-1.0, abs=1e-4)


@given(schedule=SCHEDULES, times=st.tuples(TIME, TIME, TIME))
def test_keeping_composes(schedule: NoiseSchedule, times: tuple[float, float, float]) -> None:
    first, middle, last = (_times(value) for value in sorted(times))
    stepwise = kept_since(schedule, first, middle) * kept_since(schedule, middle, last)
    if schedule.alpha(first) > 1e-6:
        torch.testing.assert_close(stepwise, kept_since(schedule, first, last), rtol=1e-6, atol=1e-9)


@given(schedule=SCHEDULES, time=INNER_TIME)
def test_loss_weight_is_the_slope_of_the_log_of_the_noise(schedule: NoiseSchedule, time: float) -> None:
    t = _times(time).requires_grad_()
    (slope,) = torch.autograd.grad(torch.log1p(-schedule.alpha(t)).sum(), t)
    torch.testing.assert_close(loss_weight(schedule, t.detach()), slope, rtol=1e-9, atol=1e-12)


@given(schedule=SCHEDULES, bad=st.one_of(st.floats(max_value=-1e-6), st.floats(min_value=1 + 1e-6), st.just(math.nan)))
def test_times_out_of_range_are_shown(schedule: NoiseSchedule, bad: float) -> None:
    for curve in (schedule.alpha, schedule.alpha_prime):
        with pytest.raises(InputError) as caught:
            curve(_times(0.5, bad))
        assert f"t={bad}" in str(caught.value)
