import pytest
import torch

from redraft.errors import ConfigError
from redraft.noise import (
    Hybrid,
    Linear,
    Masked,
    MixtureProcess,
    Uniform,
    continuous_bound,
    continuous_rate,
    discrete_bound,
    step_divergence,
)

EVERY = pytest.mark.parametrize(
    "process",
    [
        Masked(schedule=Linear(), vocab_size=5, mask_token_id=4),
        Uniform(schedule=Linear(), vocab_size=5),
        Hybrid(schedule=Linear(), vocab_size=5, mask_token_id=4, uniform_share=0.3),
    ],
    ids=["masked", "uniform", "hybrid"],
)
BOTH = pytest.mark.parametrize(
    "bound",
    [
        lambda *args, **kwargs: continuous_bound(*args, num_samples=8, **kwargs),
        lambda *args, **kwargs: discrete_bound(*args, num_steps=8, **kwargs),
    ],
    ids=["continuous", "discrete"],
)


def _rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@EVERY
@BOTH
def test_a_model_that_knows_the_text_loses_nothing(bound: object, process: MixtureProcess) -> None:
    x_0 = torch.randint(4, (3, 6), generator=_rng())
    logits = torch.where(torch.nn.functional.one_hot(x_0, 5) == 1, 0.0, -torch.inf)
    nats = bound(process, lambda canvas, t: logits, x_0, rng=_rng(1))  # type: ignore[operator]
    torch.testing.assert_close(nats, torch.zeros(3, 6, dtype=torch.float64))


@EVERY
@BOTH
def test_a_model_that_rules_out_the_text_loses_everything(bound: object, process: MixtureProcess) -> None:
    x_0 = torch.randint(4, (3, 6), generator=_rng())
    logits = torch.where(torch.nn.functional.one_hot(x_0, 5) == 1, -torch.inf, 0.0)
    nats = bound(process, lambda canvas, t: logits, x_0, rng=_rng(1))  # type: ignore[operator]
    assert not nats.isnan().any()
    assert (nats.sum(1) == torch.inf).all() or (nats.sum(1) > 20).all()


@EVERY
@BOTH
def test_only_scored_positions_are_noised_and_counted(bound: object, process: MixtureProcess) -> None:
    x_0 = torch.randint(4, (2, 6), generator=_rng(2))
    is_scored = torch.tensor([[True, False, True, False, True, True], [False, False, True, True, True, True]])
    seen: list[torch.Tensor] = []

    def denoise(canvas: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        seen.append(canvas)
        return torch.zeros(2, 6, 5)

    nats = bound(process, denoise, x_0, rng=_rng(3), is_scored=is_scored)  # type: ignore[operator]
    assert all((canvas == x_0)[~is_scored].all() for canvas in seen)
    assert any((canvas != x_0)[is_scored].any() for canvas in seen)
    assert (nats[~is_scored] == 0).all()
    assert (nats[is_scored] != 0).any()


@BOTH
def test_same_generator_state_same_estimate(bound: object) -> None:
    process = Uniform(schedule=Linear(), vocab_size=5)
    x_0 = torch.randint(4, (2, 6), generator=_rng(2))
    first, again, other = (
        bound(process, lambda canvas, t: torch.zeros(2, 6, 5), x_0, rng=_rng(seed))  # type: ignore[operator]
        for seed in (5, 5, 6)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_model_is_told_the_time_of_its_canvas() -> None:
    process, x_0 = Masked(schedule=Linear(), vocab_size=5, mask_token_id=4), torch.zeros(4, 4000, dtype=torch.long)
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []

    def denoise(canvas: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        seen.append(((canvas == 4).double().mean(1), t))
        return torch.zeros(4, 4000, 5)

    continuous_bound(process, denoise, x_0, num_samples=3, rng=_rng())
    discrete_bound(process, denoise, x_0, num_steps=3, rng=_rng())
    for share, t in seen:
        torch.testing.assert_close(share, t, rtol=0, atol=0.04)


def test_each_call_of_the_model_is_one_sample_or_step() -> None:
    process, x_0 = Masked(schedule=Linear(), vocab_size=5, mask_token_id=4), torch.zeros(1, 400, dtype=torch.long)
    shares: list[float] = []

    def denoise(canvas: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        shares.append((canvas == 4).double().mean().item())
        return torch.zeros(1, 400, 5)

    continuous_bound(process, denoise, x_0, num_samples=4, rng=_rng())
    assert [int(share**0.5 * 4) for share in shares] == [0, 1, 2, 3]
    shares.clear()
    discrete_bound(process, denoise, x_0, num_steps=4, rng=_rng())
    assert shares == pytest.approx([0.25, 0.5, 0.75, 1.0], abs=0.08)
    assert shares[-1] == 1.0


def test_a_very_sure_mistake_keeps_its_true_price() -> None:
    process = Masked(schedule=Linear(), vocab_size=3, mask_token_id=2)
    probs = torch.tensor([[[200.0, 0.0, 0.0]]], dtype=torch.float64).softmax(-1)
    args = (torch.tensor([[2]]), torch.tensor([[1]]), probs)
    t = torch.tensor([0.5], dtype=torch.float64)
    assert continuous_rate(process, *args, t).item() == pytest.approx(2 * 200)
    assert step_divergence(process, *args, torch.zeros(1), t).item() == pytest.approx(200)


@EVERY
def test_rate_is_finite_and_not_negative_close_to_both_ends(process: MixtureProcess) -> None:
    probs = torch.rand(1, 5, 5, generator=_rng(9), dtype=torch.float64).softmax(-1)
    x_t, x_0 = torch.arange(5)[None], torch.tensor([[0, 2, 2, 1, 3]])
    for t in (2.0**-31, 1e-6, 1 - 1e-6, 1 - 2.0**-31):
        rate = continuous_rate(process, x_t, x_0, probs, torch.tensor([t], dtype=torch.float64))
        assert rate.isfinite().all()
        assert (rate >= -1e-9).all()
    assert (rate[0, :4] < 1e-6).all() or isinstance(process, Masked)


@pytest.mark.parametrize("time", [1e-3, 1e-6])
def test_a_lasting_doubt_about_visible_tokens_costs_without_end(time: float) -> None:
    # 0.4 / t has no finite integral: why the continuous bound is not for uniform models that don't look at t.
    process = Uniform(schedule=Linear(), vocab_size=3)
    probs = torch.tensor([[[0.6, 0.2, 0.2]]], dtype=torch.float64)
    t = torch.tensor([time], dtype=torch.float64)
    rate = continuous_rate(process, torch.tensor([[0]]), torch.tensor([[0]]), probs, t)
    assert rate.item() == pytest.approx(0.4 / time, rel=0.02)


def test_too_few_samples_or_steps_are_refused() -> None:
    process, x_0 = Uniform(schedule=Linear(), vocab_size=5), torch.zeros(1, 2, dtype=torch.long)
    with pytest.raises(ConfigError, match="num_samples=0"):
        continuous_bound(process, lambda canvas, t: torch.zeros(1, 2, 5), x_0, num_samples=0, rng=_rng())
    with pytest.raises(ConfigError, match="num_steps=0"):
        discrete_bound(process, lambda canvas, t: torch.zeros(1, 2, 5), x_0, num_steps=0, rng=_rng())
