import pytest
import torch

from redraft.errors import ConfigError
from redraft.noise import low_discrepancy_times


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.02, 1.0), (0.3, 0.7)])
@pytest.mark.parametrize("batch", [1, 2, 7, 64])
def test_one_time_in_each_slice(batch: int, low: float, high: float) -> None:
    rng = torch.Generator().manual_seed(batch)
    for _ in range(20):
        times = low_discrepancy_times(batch, rng, low=low, high=high).double()
        slices = ((times - low) / (high - low) * batch + 1e-5).floor().long().clamp(max=batch - 1)
        assert slices.sort().values.tolist() == list(range(batch))


def test_neighbours_share_one_offset() -> None:
    times = low_discrepancy_times(8, torch.Generator().manual_seed(3)).sort().values
    torch.testing.assert_close(times.diff(), torch.full((7,), 1 / 8))


def test_each_time_alone_is_uniform() -> None:
    rng = torch.Generator().manual_seed(11)
    first = torch.stack([low_discrepancy_times(4, rng)[0] for _ in range(4000)])
    counts = torch.histc(first, bins=20, min=0.0, max=1.0)
    chi_square = ((counts - 200) ** 2 / 200).sum().item()
    assert chi_square < 43.8  # 99.9 % quantile at 19 degrees of freedom


def test_order_is_shuffled() -> None:
    rng = torch.Generator().manual_seed(5)
    assert any((low_discrepancy_times(8, rng).diff() < 0).any() for _ in range(3))


def test_bounds_hold_to_the_last_bit() -> None:
    # With this seed the top slice rounds to 1, and 0.4 + 0.55 is above 0.95 in float32.
    times = low_discrepancy_times(2**18, torch.Generator().manual_seed(155), low=0.4, high=0.95)
    assert times.max() == torch.tensor(0.95)
    assert times.min() >= torch.tensor(0.4)


def test_a_point_interval_fixes_every_time() -> None:
    times = low_discrepancy_times(5, torch.Generator().manual_seed(0), low=1.0, high=1.0)
    assert times.tolist() == [1.0] * 5


def test_same_generator_state_same_times() -> None:
    first, again = (low_discrepancy_times(9, torch.Generator().manual_seed(2)) for _ in range(2))
    assert torch.equal(first, again)


@pytest.mark.parametrize(
    ("batch", "low", "high", "named"),
    [(0, 0.0, 1.0, "batch=0"), (4, -0.1, 1.0, "low=-0.1"), (4, 0.5, 0.4, "high=0.4"), (4, 0.0, 1.5, "high=1.5")],
)
def test_bad_settings_are_named(batch: int, low: float, high: float, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        low_discrepancy_times(batch, torch.Generator(), low=low, high=high)
