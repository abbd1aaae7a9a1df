"""What holds for every schedule, process, time and denoiser."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from redraft.errors import InputError
from redraft.noise import (
    Cosine,
    Hybrid,
    Linear,
    Masked,
    MixtureProcess,
    NoiseSchedule,
    Polynomial,
    Uniform,
    continuous_rate,
    kept_since,
    loss_weight,
    step_divergence,
)

# The same examples in every run, and no time limit: a busy machine must not fail a test.
FIXED = settings(deadline=None, derandomize=True)
SCHEDULES = st.one_of(
    st.just(Linear()), st.just(Cosine()), st.floats(0.25, 8.0).map(lambda power: Polynomial(power=power))
)
TIME = st.floats(0.0, 1.0)
SEED = st.integers(0, 2**31)
INNER_TIME = st.floats(1e-3, 1.0 - 1e-3)


@st.composite
def processes(draw: st.DrawFn) -> MixtureProcess:
    """Any process over two to nine ids."""
    schedule, vocab_size = draw(SCHEDULES), draw(st.integers(2, 9))
    mask_token_id = draw(st.integers(0, vocab_size - 1))
    share = draw(st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0.0, 1.0)))
    return draw(
        st.sampled_from(
            [
                Masked(schedule=schedule, vocab_size=vocab_size, mask_token_id=mask_token_id),
                Uniform(schedule=schedule, vocab_size=vocab_size),
                Hybrid(schedule=schedule, vocab_size=vocab_size, mask_token_id=mask_token_id, uniform_share=share),
            ]
        )
    )


def _scene(process: MixtureProcess, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Clean tokens without a mask, any tokens, and a sharp belief."""
    rng = torch.Generator().manual_seed(seed)
    clean = process.clean_probs(torch.ones(2, 5, process.vocab_size))
    x_0 = torch.multinomial(clean.reshape(10, -1), 1, generator=rng).reshape(2, 5)
    x_t = torch.randint(process.vocab_size, (2, 5), generator=rng)
    belief = (4 * torch.randn(2, 5, process.vocab_size, generator=rng, dtype=torch.float64)).softmax(-1)
    return x_0, x_t, belief


def _times(*values: float, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.tensor(values, dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@FIXED
@given(schedule=SCHEDULES)
def test_alpha_is_exact_at_both_ends(dtype: torch.dtype, schedule: NoiseSchedule) -> None:
    assert schedule.alpha(_times(0.0, 1.0, dtype=dtype)).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@FIXED
@given(schedule=SCHEDULES, times=st.lists(TIME, min_size=2, max_size=20))
def test_alpha_falls_and_stays_a_probability(dtype: torch.dtype, schedule: NoiseSchedule, times: list[float]) -> None:
    alpha = schedule.alpha(_times(*sorted(times), dtype=dtype))
    assert (alpha.diff() <= torch.finfo(dtype).eps).all()
    assert ((alpha >= 0.0) & (alpha <= 1.0)).all()


@FIXED
@given(gap=st.floats(1e-6, 1e-2))
def test_cosine_keeps_its_digits_near_the_noise_end(gap: float) -> None:
    # alpha = 2 sin^2(pi/4 (1 - t)) is about 1.23 (1 - t)^2, far below the rounding of 1 in float32.
    t = 1.0 - _times(gap, dtype=torch.float32)
    exact = 2 * math.sin(math.pi / 4 * (1.0 - t.item())) ** 2
    assert Cosine().alpha(t).item() == pytest.approx(exact, rel=1e-5)


@FIXED
@given(schedule=SCHEDULES, low=INNER_TIME, high=INNER_TIME)
def test_alpha_falls_strictly_over_a_visible_distance(schedule: NoiseSchedule, low: float, high: float) -> None:
    low, high = sorted((low, high))
    if high - low < 1e-2:
        high = min(1.0, low + 1e-2)
    before, after = schedule.alpha(_times(low, high)).tolist()
    assert after < before


@FIXED
@given(schedule=SCHEDULES, time=INNER_TIME)
def test_alpha_prime_is_the_derivative(schedule: NoiseSchedule, time: float) -> None:
    t = _times(time).requires_grad_()
    (slope,) = torch.autograd.grad(schedule.alpha(t).sum(), t)
    torch.testing.assert_close(schedule.alpha_prime(t.detach()), slope, rtol=1e-9, atol=1e-12)


@FIXED
@given(schedule=SCHEDULES)
def test_alpha_prime_integrates_to_minus_one(schedule: NoiseSchedule) -> None:
    # Midpoint rule on t = u^6, which tames the infinite slope of a small power at t=0.
    u = (torch.arange(20000, dtype=torch.float64) + 0.5) / 20000
    area = (schedule.alpha_prime(u**6) * 6 * u**5).mean()
    assert area.item() == pytest.approx(-1.0, abs=1e-4)


@FIXED
@given(schedule=SCHEDULES, times=st.tuples(TIME, TIME, TIME))
def test_keeping_composes(schedule: NoiseSchedule, times: tuple[float, float, float]) -> None:
    first, middle, last = (_times(value) for value in sorted(times))
    stepwise = kept_since(schedule, first, middle) * kept_since(schedule, middle, last)
    if schedule.alpha(first) > 1e-6:
        torch.testing.assert_close(stepwise, kept_since(schedule, first, last), rtol=1e-6, atol=1e-9)


@FIXED
@given(schedule=SCHEDULES, time=INNER_TIME)
def test_loss_weight_is_the_slope_of_the_log_of_the_noise(schedule: NoiseSchedule, time: float) -> None:
    t = _times(time).requires_grad_()
    (slope,) = torch.autograd.grad(torch.log1p(-schedule.alpha(t)).sum(), t)
    torch.testing.assert_close(loss_weight(schedule, t.detach()), slope, rtol=1e-9, atol=1e-12)


@FIXED
@given(schedule=SCHEDULES, bad=st.one_of(st.floats(max_value=-1e-6), st.floats(min_value=1 + 1e-6), st.just(math.nan)))
def test_times_out_of_range_are_shown(schedule: NoiseSchedule, bad: float) -> None:
    for curve in (schedule.alpha, schedule.alpha_prime):
        with pytest.raises(InputError) as caught:
            curve(_times(0.5, bad))
        assert f"t={bad}" in str(caught.value)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@FIXED
@given(process=processes(), seed=SEED, times=st.tuples(TIME, TIME, TIME, TIME))
def test_posterior_rows_are_distributions(
    dtype: torch.dtype, process: MixtureProcess, seed: int, times: tuple[float, float, float, float]
) -> None:
    (s_0, t_0), (s_1, t_1) = sorted(times[:2]), sorted(times[2:])
    _, x_t, belief = _scene(process, seed)
    s, t = _times(s_0, s_1, dtype=dtype), _times(t_0, t_1, dtype=dtype)
    probs = process.posterior(x_t, belief.to(dtype), s, t)
    assert probs.dtype == dtype
    assert (probs >= 0.0).all()
    torch.testing.assert_close(probs.sum(-1), torch.ones(2, 5, dtype=dtype), rtol=0, atol=10 * torch.finfo(dtype).eps)


@FIXED
@given(process=processes(), seed=SEED, times=st.tuples(TIME, TIME, TIME))
def test_stepping_back_twice_equals_once_for_a_known_text(
    process: MixtureProcess, seed: int, times: tuple[float, float, float]
) -> None:
    # q(x_r | x_t, x_0) = sum over x_s of q(x_r | x_s, x_0) q(x_s | x_t, x_0), for r <= s <= t.
    r, s, t = (_times(value, value) for value in sorted(times))
    x_0, _, _ = _scene(process, seed)
    truth = torch.nn.functional.one_hot(x_0, process.vocab_size).double()
    x_t = process.corrupt(x_0, t, torch.Generator().manual_seed(seed))
    to_s = process.posterior(x_t, truth, s, t)
    twice = torch.zeros_like(to_s)
    for token in range(process.vocab_size):
        x_s = torch.full_like(x_t, token)
        twice += to_s[..., token, None] * process.posterior(x_s, truth, r, s)
    torch.testing.assert_close(twice, process.posterior(x_t, truth, r, t), rtol=1e-6, atol=1e-9)


@FIXED
@given(process=processes(), seed=SEED)
def test_corrupt_does_nothing_at_zero_and_leaves_nothing_at_one(process: MixtureProcess, seed: int) -> None:
    x_0, _, _ = _scene(process, seed)
    assert torch.equal(process.corrupt(x_0, _times(0.0, 0.0), torch.Generator().manual_seed(seed)), x_0)
    # At t=1 the text has no say: two texts end at the same noise.
    noised = [
        process.corrupt(text, _times(1.0, 1.0), torch.Generator().manual_seed(seed)) for text in (x_0, x_0.flip(1))
    ]
    assert torch.equal(*noised)


@FIXED
@given(process=processes(), seed=SEED, times=st.tuples(INNER_TIME, INNER_TIME))
def test_losses_are_zero_for_the_truth_and_never_negative(
    process: MixtureProcess, seed: int, times: tuple[float, float]
) -> None:
    s, t = (_times(value, value) for value in sorted(times))
    x_0, _, belief = _scene(process, seed)
    x_t = process.corrupt(x_0, t, torch.Generator().manual_seed(seed))
    truth = torch.nn.functional.one_hot(x_0, process.vocab_size).double()
    for loss_of in (
        lambda probs: step_divergence(process, x_t, x_0, probs, s, t),
        lambda probs: continuous_rate(process, x_t, x_0, probs, t),
    ):
        assert (loss_of(truth).abs() < 1e-9).all()
        assert (loss_of(belief) > -1e-9).all()
