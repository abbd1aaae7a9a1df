"""How much of the clean text is left at each noise time.

A schedule is one curve: alpha(t), the probability that a token is still the clean one at time t, falling from 1 at t=0
(clean data) to 0 at t=1 (pure noise). What takes the place of the others is the process's affair.
"""

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch

from redraft.errors import ConfigError, InputError
from redraft.types import Times

__all__ = ["Cosine", "Linear", "NoiseSchedule", "Polynomial", "check_times", "kept_since", "loss_weight"]


@runtime_checkable
class NoiseSchedule(Protocol):
    """A curve from alpha(0) = 1 down to alpha(1) = 0, and its slope."""

    def alpha(self, t: Times) -> Times:
        """P(token is still the clean one at t).

        Args:
            t: Noise times in [0, 1].

        Returns:
            Probabilities, exactly 1 at t=0 and exactly 0 at t=1.
        """
        ...

    def alpha_prime(self, t: Times) -> Times:
        """The derivative of ``alpha``, zero or negative.

        Args:
            t: Noise times in [0, 1].

        Returns:
            Slopes per unit of time.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Linear:
    """alpha(t) = 1 - t: the share of noise is the time itself.

    >>> Linear().alpha(torch.tensor([0.0, 0.25, 1.0]))
    tensor([1.0000, 0.7500, 0.0000])
    >>> Linear().alpha_prime(torch.tensor([0.25]))
    tensor([-1.])
    """

    def alpha(self, t: Times) -> Times:
        """P(token is still the clean one at t)."""
        check_times(t)
        return 1.0 - t

    def alpha_prime(self, t: Times) -> Times:
        """The derivative of ``alpha``."""
        check_times(t)
        return torch.full_like(t, -1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cosine:
    """alpha(t) = 1 - cos(pi/2 (1 - t)): loses tokens fastest near the clean end.

    The masking curve of MaskGIT (arXiv 2202.04200), in the form of MD4 (arXiv 2406.04329).

    >>> Cosine().alpha(torch.tensor([0.0, 1 / 3, 1.0]))
    tensor([1.0000, 0.5000, 0.0000])
    >>> Cosine().alpha_prime(torch.tensor([0.0]))  # -pi/2
    tensor([-1.5708])
    """

    def alpha(self, t: Times) -> Times:
        """P(token is still the clean one at t)."""
        check_times(t)
        # Three spellings of one number. 1 - sin(pi/2 t) is exactly 1 at t=0, in every float type;
        # 2 sin^2(pi/4 (1 - t)) is exactly 0 at t=1 and keeps its digits while alpha is small.
        near_clean = 1.0 - torch.sin(0.5 * math.pi * t)
        near_noise = 2.0 * torch.sin(0.25 * math.pi * (1.0 - t)) ** 2
        return torch.where(t < 0.5, near_clean, near_noise)

    def alpha_prime(self, t: Times) -> Times:
        """The derivative of ``alpha``."""
        check_times(t)
        return -0.5 * math.pi * torch.sin(0.5 * math.pi * (1.0 - t))


@dataclass(frozen=True, kw_only=True, slots=True)
class Polynomial:
    """alpha(t) = 1 - t^power: above 1 it keeps the text mostly clean for longer, below 1 it loses it early.

    One of the schedules compared in MD4 (arXiv 2406.04329); ``power=1`` is ``Linear``.

    >>> Polynomial(power=2.0).alpha(torch.tensor([0.0, 0.5, 1.0]))
    tensor([1.0000, 0.7500, 0.0000])
    >>> Polynomial(power=2.0).alpha_prime(torch.tensor([0.5]))
    tensor([-1.])
    """

    power: float
    """Exponent, finite and above 0. Below 1 the slope at t=0 is infinite."""

    def __post_init__(self) -> None:
        if not 0.0 < self.power < math.inf:
            raise ConfigError(f"power={self.power} makes no schedule; use a finite number above 0, for example 2")

    def alpha(self, t: Times) -> Times:
        """P(token is still the clean one at t)."""
        check_times(t)
        return 1.0 - t**self.power

    def alpha_prime(self, t: Times) -> Times:
        """The derivative of ``alpha``."""
        check_times(t)
        return -self.power * t ** (self.power - 1.0)


def check_times(t: Times) -> None:
    """Refuse times outside [0, 1], NaN included.

    Args:
        t: Noise times.

    Raises:
        InputError: A time is out of range; the message shows the first such value.
    """
    is_inside = (t >= 0.0) & (t <= 1.0)
    if not bool(is_inside.all()):
        bad = t[~is_inside][0].item()
        raise InputError(f"noise time t={bad} is out of range; use 0 (clean) to 1 (pure noise)")


def kept_since(schedule: NoiseSchedule, s: Times, t: Times) -> Times:
    """P(a token passes from s to t untouched): alpha(t) / alpha(s).

    >>> kept_since(Linear(), torch.tensor([0.2, 1.0]), torch.tensor([0.6, 1.0]))
    tensor([0.5000, 1.0000])

    Args:
        schedule: The curve.
        s: Earlier (cleaner) times in [0, 1].
        t: Later times, each at least its ``s``.

    Returns:
        Probabilities; 1 where nothing was left at s, since then nothing changes any more.

    Raises:
        InputError: An s lies after its t.
    """
    if bool((s > t).any()):
        row = int((s > t).int().argmax())
        raise InputError(f"s={s[row].item()} lies after t={t[row].item()}; use s <= t (s is the cleaner time)")
    before, after = schedule.alpha(s), schedule.alpha(t)
    # Dividing by one instead of zero keeps a NaN out of the branch that is not taken, and out of its gradient.
    kept = torch.where(before > 0.0, after / torch.where(before > 0.0, before, 1.0), 1.0)
    return kept.clamp(max=1.0)  # a curve may rise by a rounding error


def loss_weight(schedule: NoiseSchedule, t: Times) -> Times:
    """What the cross-entropy of a masked position counts in the likelihood bound: -alpha'(t) / (1 - alpha(t)).

    From the continuous-time bound of MDLM (arXiv 2406.07524). With ``Linear`` it is 1/t.

    >>> loss_weight(Linear(), torch.tensor([0.25, 0.5, 1.0]))
    tensor([4., 2., 1.])

    Args:
        schedule: The curve.
        t: Noise times in (0, 1]; at 0 the weight is infinite.

    Returns:
        Weights per unit of time.
    """
    return -schedule.alpha_prime(t) / (1.0 - schedule.alpha(t))
