import math

import pytest
import torch

from redraft.sampler import random as module
from redraft.sampler.random import Stream, tokens_of, uniforms


def splitmix64(state: int, index: int) -> int:
    """Return output number ``index`` of SplitMix64, in plain whole numbers."""
    mask = 2**64 - 1
    z = (state + (index + 1) * 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


def test_splitmix64_has_its_published_first_output() -> None:
    assert splitmix64(1234567, 0) == 6457827717110365317


@pytest.mark.parametrize("seed", [0, 1, -1, 2**63 - 1, -(2**63), 2**64 - 1])
def test_int64_tensors_compute_what_whole_numbers_do(seed: int) -> None:
    key = module._row_key(seed, 2, 5, Stream.TOKEN)
    expected = [(splitmix64(key, position) >> 11) * 2.0**-53 for position in range(200)]
    assert uniforms([seed], block=2, step=5, stream=Stream.TOKEN, length=200)[0].tolist() == expected


def test_pinned_values() -> None:
    """These must never change: seeds that people wrote down would draw other texts."""
    drawn = uniforms([7], block=0, step=0, stream=Stream.TOKEN, length=3)[0].tolist()
    assert drawn == [0.27484298418832, 0.005218639028199967, 0.9896054024000854]


def chi_square_of_uniformity(draws: torch.Tensor, num_bins: int) -> float:
    counts = torch.histc(draws.flatten().float(), bins=num_bins, min=0.0, max=1.0)
    expected = draws.numel() / num_bins
    return float(((counts - expected) ** 2 / expected).sum())


def within(chi_square: float, freedom: int) -> bool:
    """Whether a chi-square statistic is less than five standard deviations from its mean, on either side."""
    return abs(chi_square - freedom) < 5 * math.sqrt(2 * freedom)


def grid() -> torch.Tensor:
    """Draws by [seed, step, position]: neighbours in every direction."""
    steps = [uniforms(range(40), block=0, step=step, stream=Stream.TOKEN, length=50) for step in range(40)]
    return torch.stack(steps, dim=1)


def test_draws_are_uniform() -> None:
    draws = grid()
    assert within(chi_square_of_uniformity(draws, 128), 127)
    assert abs(float(draws.mean()) - 0.5) < 5 * math.sqrt(1 / 12 / draws.numel())


@pytest.mark.parametrize("axis", ["seed", "step", "position", "stream", "block"])
def test_neighbours_are_independent(axis: str) -> None:
    draws = grid()
    if axis in ("stream", "block"):
        other = {"stream": Stream.COMMIT, "block": 0} if axis == "stream" else {"stream": Stream.TOKEN, "block": 1}
        steps = [uniforms(range(40), step=step, length=50, **other) for step in range(40)]
        first, second = draws, torch.stack(steps, dim=1)
    else:
        dim = ["seed", "step", "position"].index(axis)
        size = draws.shape[dim]
        first, second = draws.narrow(dim, 0, size - 1), draws.narrow(dim, 1, size - 1)
    # Pairs fall evenly on a 12 by 12 grid.
    cells = (first * 12).long() * 12 + (second * 12).long()
    counts = torch.bincount(cells.flatten(), minlength=144).float()
    expected = cells.numel() / 144
    assert within(float(((counts - expected) ** 2 / expected).sum()), 143)


def test_tokens_are_equally_likely() -> None:
    allowed = torch.tensor([2, 3, 5, 7, 11])
    tokens = tokens_of(uniforms(range(100), block=0, step=0, stream=Stream.NOISE, length=100), allowed)
    counts = torch.bincount(tokens.flatten(), minlength=12)
    assert set(counts.nonzero().flatten().tolist()) == set(allowed.tolist())
    expected = 10_000 / 5
    assert within(float(((counts[allowed] - expected) ** 2 / expected).sum()), 4)
