"""Medians of repeats with their spread, and ratios of what was measured side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ["Spread", "ratio"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """A few values of the same thing.

    >>> Spread.of([3.0, 1.0, 2.0]).to_dict()
    {'median': 2.0, 'low': 1.0, 'high': 3.0, 'n': 3}
    """

    median: float
    """The middle one."""
    low: float
    """The least."""
    high: float
    """The greatest."""
    n: int
    """How many there are."""

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of at least one value."""
        return cls(median=median(values), low=min(values), high=max(values), n=len(values))

    def to_dict(self) -> dict[str, float | int]:
        """Plain values to six figures, ready for JSON."""
        rounded = {name: float(f"{getattr(self, name):.6g}") for name in ("median", "low", "high")}
        return {**rounded, "n": self.n}


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """How many times theirs ours is, repeat by repeat: both of a pair were measured one after the other.

    >>> ratio([4.0, 9.0], [2.0, 3.0]).median
    2.5

    Args:
        ours: One value per repeat.
        theirs: The baseline's of the same repeats, none of them 0.

    Returns:
        The spread of the quotients.
    """
    return Spread.of([a / b for a, b in zip(ours, theirs, strict=True)])
