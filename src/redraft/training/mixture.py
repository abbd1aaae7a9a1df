"""Which kind of example comes next: a weighted choice whose weights move over the run (a curriculum)."""

import random
from collections.abc import Sequence

from redraft.training.config import MixtureEntry

__all__ = ["Mixture"]


class Mixture:
    """Weighted choice among mixture entries.

    The weight of an entry moves linearly from ``weight`` to ``final_weight`` over the first ``anneal`` of the run;
    before its ``begin`` it is 0.
    """

    def __init__(self, entries: Sequence[MixtureEntry], anneal: float) -> None:
        self.entries = tuple(entries)
        self.anneal = anneal

    def weights(self, progress: float) -> list[float]:
        """Return the probability of each entry when ``progress`` (in [0, 1]) of the run is done.

        >>> easy = MixtureEntry(task="sums", weight=1.0, final_weight=0.0)
        >>> hard = MixtureEntry(task="primes", weight=0.0, final_weight=1.0)
        >>> Mixture([easy, hard], anneal=0.5).weights(0.125)
        [0.75, 0.25]
        """
        moved = 1.0 if self.anneal == 0 else min(1.0, progress / self.anneal)
        raw = [_weight(entry, moved) if progress >= entry.begin else 0.0 for entry in self.entries]
        total = sum(raw)
        assert total > 0, "a mixture of zero weights gets past its record's check"
        return [weight / total for weight in raw]

    def choose(self, rng: random.Random, progress: float) -> int:
        """Draw the index of an entry."""
        return rng.choices(range(len(self.entries)), weights=self.weights(progress))[0]


def _weight(entry: MixtureEntry, moved: float) -> float:
    final = entry.weight if entry.final_weight is None else entry.final_weight
    return entry.weight + moved * (final - entry.weight)
