"""A pass over some positions only: which ones, and what is proposed there, spread over the whole canvas again.

A token that has settled and that no rule will look at needs no scores. Leaving it out changes nothing: rules read
scores at their candidates only, and a denoiser that ``ScoresSome`` gives the others the same bits.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from redraft.denoiser.protocol import Places
from redraft.sampler.propose import Proposal
from redraft.types import Confidence, TokenMask, Tokens

__all__ = ["PlacedProposal", "Selection"]

_UNIT = 8  # positions are taken by multiples of this, so that a product of few rows is no special case


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Positions of each row, those that are wanted first."""

    order: Tokens
    """All positions of each row: the wanted ones from left to right, then the others."""
    count: int
    """How many of them are scored: a multiple of 8, at least what each row wants."""

    @classmethod
    def of(cls, is_wanted: TokenMask) -> "Selection | None":
        """Choose the positions to score.

        >>> Selection.of(torch.tensor([[False] * 9 + [True]])).places
        tensor([[9, 0, 1, 2, 3, 4, 5, 6]])

        Args:
            is_wanted: Where scores will be read.

        Returns:
            The choice; None where it would leave nothing out.
        """
        most = int(is_wanted.sum(dim=1).amax())
        count = max(_UNIT, -(-most // _UNIT) * _UNIT)
        if count >= is_wanted.shape[1]:
            return None
        # Which positions fill up a row does not matter, but none may come twice.
        order = (~is_wanted).to(torch.uint8).argsort(dim=1, stable=True)
        return cls(order=order, count=count)

    @property
    def places(self) -> Places:
        """The positions that are scored."""
        return self.order[:, : self.count]


class PlacedProposal(Proposal):
    """A proposal for some positions, spread over all of them.

    Where nothing was scored, the token that stands is proposed, without any certainty.
    """

    def __init__(self, scored: Proposal, places: Places, standing: Tokens) -> None:
        """Take what was proposed for some positions.

        Args:
            scored: It.
            places: Which positions those are.
            standing: The canvas.
        """
        self._scored = scored
        self._places = places
        self._standing = standing

    @cached_property
    def best(self) -> Tokens:
        """The likeliest token."""
        return self._standing.scatter(1, self._places, self._scored.best)

    @cached_property
    def tokens(self) -> Tokens:
        """The candidate token at each position."""
        if self._scored.tokens is self._scored.best:
            return self.best
        return self._standing.scatter(1, self._places, self._scored.tokens)

    @cached_property
    def confidence(self) -> Confidence:
        """Probability of the drawn token at temperature 1."""
        return self._spread(self._scored.confidence)

    @cached_property
    def best_confidence(self) -> Confidence:
        """Probability of the likeliest token at temperature 1."""
        return self._spread(self._scored.best_confidence)

    @cached_property
    def margin(self) -> Confidence:
        """Probability of the likeliest token minus that of the next, at temperature 1."""
        return self._spread(self._scored.margin)

    @cached_property
    def entropy(self) -> Confidence:
        """Nats of the distribution at the temperature of the draw (1 if that is 0)."""
        return self._spread(self._scored.entropy)

    def probability_of(self, tokens: Tokens) -> Confidence:
        """Probability of given tokens at temperature 1.

        Args:
            tokens: One per position.

        Returns:
            Their probabilities.
        """
        return self._spread(self._scored.probability_of(tokens.gather(1, self._places)))

    def _spread(self, values: Tensor) -> Confidence:
        return values.new_zeros(self._standing.shape).scatter_(1, self._places, values)
