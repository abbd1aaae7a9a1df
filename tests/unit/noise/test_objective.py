import math

import pytest
import torch

from redraft.errors import ConfigError
from redraft.noise import denoising_loss


def _case(seed: int = 0, positions: int = 12, vocab: int = 7) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    logits = torch.randn(positions, vocab, generator=rng) * 3
    targets = torch.randint(vocab, (positions,), generator=rng)
    return logits, targets, torch.rand(positions, generator=rng) < 0.5


def _nats_by_hand(logits: torch.Tensor, targets: torch.Tensor) -> list[float]:
    rows = logits.double().tolist()
    return [
        math.log(sum(math.exp(value) for value in row)) - row[target]
        for row, target in zip(rows, targets.tolist(), strict=True)
    ]


def test_parts_match_a_sum_by_hand() -> None:
    logits, targets, is_corrupted = _case()
    weights = torch.linspace(0.5, 2.0, 12)
    parts = denoising_loss(logits, targets, is_corrupted, clean_weight=0.25, weights=weights, focal_gamma=1.5)
    nats, flags = _nats_by_hand(logits, targets), is_corrupted.tolist()
    factors = [w * (1.0 if flag else 0.25) for w, flag in zip(weights.tolist(), flags, strict=True)]
    focal = [(1 - math.exp(-value)) ** 1.5 for value in nats]
    expected = sum(w * f * n for w, f, n in zip(factors, focal, nats, strict=True)) / sum(factors)
    assert parts.total.item() == pytest.approx(expected, rel=1e-5)
    corrupted = [value for value, flag in zip(nats, flags, strict=True) if flag]
    clean = [value for value, flag in zip(nats, flags, strict=True) if not flag]
    assert parts.corrupted_nats.item() == pytest.approx(sum(corrupted) / len(corrupted), rel=1e-5)
    assert parts.clean_nats.item() == pytest.approx(sum(clean) / len(clean), rel=1e-5)
    assert (int(parts.num_corrupted), int(parts.num_clean)) == (len(corrupted), len(clean))


def test_clean_weight_zero_ignores_clean_positions_in_the_gradient() -> None:
    logits, targets, is_corrupted = _case(1)
    logits.requires_grad_()
    denoising_loss(logits, targets, is_corrupted, clean_weight=0.0).total.backward()
    assert logits.grad is not None
    assert (logits.grad[~is_corrupted] == 0).all()
    assert (logits.grad[is_corrupted] != 0).any(dim=1).all()


def test_default_clean_weight_is_a_tenth() -> None:
    logits, targets, is_corrupted = _case(2)
    default = denoising_loss(logits, targets, is_corrupted)
    assert default.total == denoising_loss(logits, targets, is_corrupted, clean_weight=0.1).total
    assert default.total != denoising_loss(logits, targets, is_corrupted, clean_weight=1.0).total


def test_only_the_total_carries_a_gradient() -> None:
    logits, targets, is_corrupted = _case(3)
    parts = denoising_loss(logits.requires_grad_(), targets, is_corrupted)
    assert parts.total.requires_grad
    assert not parts.corrupted_nats.requires_grad
    assert not parts.clean_nats.requires_grad


@pytest.mark.parametrize("clean_weight", [0.0, 0.1])
def test_nothing_corrupted_gives_numbers(clean_weight: float) -> None:
    logits, targets, _ = _case(4)
    logits.requires_grad_()
    parts = denoising_loss(logits, targets, torch.zeros(12, dtype=torch.bool), clean_weight=clean_weight)
    parts.total.backward()
    assert parts.total.item() == pytest.approx(parts.clean_nats.item() if clean_weight else 0.0, rel=1e-6)
    assert parts.corrupted_nats == 0.0
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_everything_corrupted_is_plain_cross_entropy() -> None:
    logits, targets, _ = _case(5)
    parts = denoising_loss(logits, targets, torch.ones(12, dtype=torch.bool))
    torch.testing.assert_close(parts.total, torch.nn.functional.cross_entropy(logits, targets))
    assert parts.clean_nats == 0.0


def test_no_position_at_all_gives_zero_with_a_gradient() -> None:
    logits = torch.zeros(0, 5, requires_grad=True)
    parts = denoising_loss(logits, torch.zeros(0, dtype=torch.long), torch.zeros(0, dtype=torch.bool))
    parts.total.backward()
    assert parts.total == 0.0
    assert (int(parts.num_corrupted), int(parts.num_clean)) == (0, 0)


def test_weight_zero_equals_leaving_out() -> None:
    logits, targets, is_corrupted = _case(6)
    weights = torch.ones(12)
    weights[8:] = 0.0
    part = denoising_loss(logits[:8], targets[:8], is_corrupted[:8])
    torch.testing.assert_close(denoising_loss(logits, targets, is_corrupted, weights=weights).total, part.total)


def test_bfloat16_logits_lose_only_their_own_rounding() -> None:
    # The reference takes the rounded logits in float64; a loss computed in bfloat16 would be off by about 1e-2.
    rng = torch.Generator().manual_seed(7)
    logits = (torch.randn(64, 500, generator=rng) * 4).bfloat16()
    targets = torch.randint(500, (64,), generator=rng)
    parts = denoising_loss(logits, targets, torch.ones(64, dtype=torch.bool))
    expected = torch.nn.functional.cross_entropy(logits.double(), targets)
    assert parts.total.dtype == torch.float32
    assert parts.total.item() == pytest.approx(expected.item(), rel=1e-6)


def test_huge_logits_stay_finite() -> None:
    logits = torch.tensor([[3e4, -3e4], [-3e4, 3e4]], requires_grad=True)
    parts = denoising_loss(logits, torch.tensor([0, 0]), torch.tensor([True, True]), focal_gamma=0.5)
    parts.total.backward()
    assert parts.total.item() == pytest.approx(3e4)
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_focal_factor_favours_unsure_positions() -> None:
    logits = torch.tensor([[4.0, 0.0], [0.5, 0.0]], requires_grad=True)
    targets, is_corrupted = torch.tensor([0, 0]), torch.tensor([True, True])
    (flat,) = torch.autograd.grad(denoising_loss(logits, targets, is_corrupted).total, logits)
    (focal,) = torch.autograd.grad(denoising_loss(logits, targets, is_corrupted, focal_gamma=1.0).total, logits)
    assert (focal[0] / flat[0]).abs().max() < 0.1
    assert (focal[1] / flat[1]).abs().min() > 0.4


@pytest.mark.parametrize("setting", ["clean_weight", "focal_gamma"])
def test_negative_settings_are_refused(setting: str) -> None:
    logits, targets, is_corrupted = _case()
    with pytest.raises(ConfigError, match=f"{setting}=-0.5"):
        denoising_loss(logits, targets, is_corrupted, **{setting: -0.5})
