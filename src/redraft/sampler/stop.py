"""Stop rules: when a row's canvas is finished. Besides these, ``max_steps`` ends every canvas."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from redraft.errors import ConfigError
from redraft.sampler.ending import PlaceNumbers, place_numbers
from redraft.types import Confidence, TokenMask, Tokens, WholePerRow

__all__ = ["AllSettled", "Fingerprints", "RowConfidence", "RowMask", "StableAndConfident", "fingerprint", "is_repeated"]

RowMask = Bool[Tensor, " batch"]
"""A claim about each row."""

RowConfidence = Float[Tensor, " batch"]
"""A probability for each row."""

Fingerprints = Int[Tensor, "batch passes"]
"""One number for each canvas that a row has been, oldest first."""

_MIXERS = (0x1E3779B97F4A7C15, 0x3F58476D1CE4E5B9, 0x14D049BB133111EB)
"""Odd numbers with bits all over (two are SplitMix64's, halved to be positive), so that sums never agree by chance."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AllSettled:
    """Stop when nothing is open, and what may be revised has been looked at once more.

    A token settles before the denoiser has seen it in place. So after everything has settled, up to ``verify_passes``
    further passes may revise; one that revises nothing has verified the canvas and ends it. So does the pass that
    settles the last tokens, if it revises none of the others and is sure enough of these.
    """

    verify_passes: int
    """Most passes after everything has settled."""
    sure_threshold: float | None = None
    """Least probability of tokens that need no further look; None looks at all of them."""

    def __post_init__(self) -> None:
        """Check the number.

        Raises:
            ConfigError: It is negative.
        """
        if self.verify_passes < 0:
            raise ConfigError(f"verify_passes={self.verify_passes} is not allowed; use 0 or more")

    def __call__(
        self,
        *,
        was_settled: RowMask,
        is_settled: RowMask,
        has_revised: RowMask,
        settled_passes: WholePerRow,
        least_confidence: RowConfidence,
    ) -> RowMask:
        """Judge the rows after a pass.

        Args:
            was_settled: Rows in which everything had settled before the pass.
            is_settled: Rows in which everything has settled now.
            has_revised: Rows in which the pass changed or reopened a settled token.
            settled_passes: Passes of each row that left everything settled, this one included.
            least_confidence: Least probability of a token that the pass settled; 1 where it settled none. One per row.

        Returns:
            Rows that are finished.
        """
        is_verified = was_settled if self.sure_threshold is None else least_confidence >= self.sure_threshold
        is_verified = is_verified & ~has_revised
        return is_settled & (is_verified | (settled_passes > self.verify_passes))


@dataclass(frozen=True, kw_only=True, slots=True)
class StableAndConfident:
    """Stop when the likeliest canvas has stood still for some passes and is certain; it is then the result.

    DiffusionGemma's adaptive stop (arXiv 2608.00146).
    """

    stability_threshold: int
    """Passes for which the likeliest canvas must equal the one before."""
    max_entropy: float
    """Mean nats per position must be below it; strictly."""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ConfigError: One of them could never be met, or always is.
        """
        if self.stability_threshold < 1:
            raise ConfigError(f"stability_threshold={self.stability_threshold} compares nothing; use 1 or more")
        if not self.max_entropy >= 0.0:
            raise ConfigError(f"stop_entropy={self.max_entropy} is not allowed; use nats of at least 0")

    def stable_for(self, best: Tokens, last_best: Tokens, judged: TokenMask, stable_for: WholePerRow) -> WholePerRow:
        """Count on for how many passes the likeliest canvas has stood still.

        Args:
            best: The likeliest canvas of this pass.
            last_best: That of the pass before; -1 before the first.
            judged: Positions that count.
            stable_for: The count before.

        Returns:
            The count now.
        """
        stands_still = ((best == last_best) | ~judged).all(dim=1)
        return torch.where(stands_still, stable_for + 1, 0)

    def __call__(self, *, stable_for: WholePerRow, entropy: Confidence, judged: TokenMask) -> RowMask:
        """Judge the rows by a pass's proposal.

        Args:
            stable_for: For how many passes the likeliest canvas has stood still.
            entropy: Nats at each position.
            judged: Positions that count.

        Returns:
            Rows that are finished.
        """
        mean_entropy = (entropy * judged).sum(dim=1) / judged.sum(dim=1).clamp_min(1)
        return (stable_for >= self.stability_threshold) & (mean_entropy < self.max_entropy)


def fingerprint(tokens: Tokens) -> WholePerRow:
    """A number that is the same for the same tokens at the same places, and for no others that will ever meet.

    >>> numbers = fingerprint(torch.tensor([[1, 2], [2, 1], [1, 2]]))
    >>> (numbers[0] == numbers).tolist()
    [True, False, True]

    Args:
        tokens: The canvases.

    Returns:
        One number per row.
    """
    mixed = tokens * _MIXERS[0] + _mixed_places(tokens.shape[1], tokens.device)
    return ((mixed ^ (mixed >> 29)) * _MIXERS[2]).sum(dim=1)


@lru_cache(maxsize=64)
def _mixed_places(length: int, device: torch.device) -> PlaceNumbers:
    return place_numbers(length, device) * _MIXERS[1]


def is_repeated(now: WholePerRow, seen: Fingerprints) -> RowMask:
    """Rows that are what they have been before: from there on they would go round in circles.

    Args:
        now: Fingerprints of the canvases after a pass.
        seen: Those of the canvases before it.

    Returns:
        The rows.
    """
    return (seen == now.unsqueeze(1)).any(dim=1)
