"""Noise times for a training batch, spread evenly so that the loss of a batch has less variance."""

import torch

from redraft.errors import ConfigError
from redraft.types import Times

__all__ = ["low_discrepancy_times"]


def low_discrepancy_times(batch: int, rng: torch.Generator, *, low: float = 0.0, high: float = 1.0) -> Times:
    """Draw one time per row, exactly one from each of ``batch`` equal slices of [low, high], in random order.

    One shared offset moves all of them together (the low-discrepancy sampler of Variational Diffusion Models, arXiv
    2107.00630), so each time alone is uniform. The order is shuffled because neighbouring rows may resemble each other.

    >>> times = low_discrepancy_times(4, torch.Generator().manual_seed(0), low=0.2, high=1.0)
    >>> ((times.sort().values - 0.2) / 0.2).int()
    tensor([0, 1, 2, 3], dtype=torch.int32)

    Args:
        batch: Number of rows, at least 1.
        rng: Source of the offset and of the order; the times live on its device.
        low: Smallest time, in [0, high].
        high: Largest time, in [low, 1]; equal to ``low`` it fixes every time.

    Returns:
        Times in float32.

    Raises:
        ConfigError: The batch is empty, or the interval does not lie within [0, 1].
    """
    if batch < 1:
        raise ConfigError(f"batch={batch} holds no row; use 1 or more")
    if not 0.0 <= low <= high <= 1.0:
        raise ConfigError(f"low={low}, high={high} is no interval of noise times; use 0 <= low <= high <= 1")
    offset = torch.rand(1, generator=rng, device=rng.device)
    order = torch.randperm(batch, generator=rng, device=rng.device)
    # The clamp only takes back rounding: a float32 step beyond an edge that is no float32 itself, such as 0.2.
    return (low + (high - low) * ((order + offset) / batch)).clamp(low, high)
