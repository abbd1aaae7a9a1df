"""What one pass proposes: a token for each position, and how sure the denoiser is of it.

Rules read these numbers, never the logits. Each is computed when first asked for, because on a CPU a softmax over the
vocabulary costs as much as everything else in the loop together.
"""

from dataclasses import dataclass
from functools import cached_property

import torch

from redraft.sampler.random import Draws, Stream, Uniforms
from redraft.types import Confidence, Logits, Probs, Tokens

__all__ = ["FixedScores", "Proposal", "Scores", "categorical", "nucleus"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedScores:
    """Scores that are simply given, for tests and examples."""

    confidence: Confidence
    """Probability of the drawn token at temperature 1, whatever the temperature of the draw."""
    entropy: Confidence
    """Nats of the distribution at the temperature of the draw (1 if that is 0), before top-p."""
    margin: Confidence
    """Probability of the likeliest token minus that of the next, at temperature 1."""


class Proposal:
    """One pass's candidate tokens and scores.

    >>> logits = torch.tensor([[[0.0, 1.0, 3.0]]])
    >>> draws = Draws(seeds=(7,), block=0, step=0, length=1, device=logits.device)
    >>> proposal = Proposal(logits, temperature=0.0, top_p=1.0, draws=draws)
    >>> proposal.tokens, proposal.confidence
    (tensor([[2]]), tensor([[0.8438]]))
    """

    def __init__(self, logits: Logits, *, temperature: float, top_p: float, draws: Draws) -> None:
        """Take what the denoiser said.

        Args:
            logits: Its scores, with those of tokens that must not be proposed at the least finite number.
            temperature: Divides the logits before the draw; 0 takes the likeliest.
            top_p: Share of the probability that may be drawn from.
            draws: This pass's randomness.
        """
        self._logits = logits
        self._temperature = temperature
        self._top_p = top_p
        self._draws = draws

    @cached_property
    def best(self) -> Tokens:
        """The likeliest token; the lowest id among equals."""
        return self._logits.argmax(dim=-1)

    @cached_property
    def probs(self) -> Probs:
        """The distribution at temperature 1."""
        return self._logits.softmax(dim=-1)

    @cached_property
    def drawn_from(self) -> Probs:
        """The distribution at the temperature of the draw (1 if that is 0), before top-p."""
        if self._temperature in (0.0, 1.0):
            return self.probs
        return (self._logits / self._temperature).softmax(dim=-1)

    @cached_property
    def tokens(self) -> Tokens:
        """The candidate token at each position."""
        if self._temperature == 0.0:
            return self.best
        probs = self.drawn_from if self._top_p == 1.0 else nucleus(self.drawn_from, self._top_p)
        return categorical(probs, self._draws.uniforms(Stream.TOKEN))

    @cached_property
    def confidence(self) -> Confidence:
        """Probability of the drawn token at temperature 1."""
        return self.best_confidence if self.tokens is self.best else self.probability_of(self.tokens)

    @cached_property
    def best_confidence(self) -> Confidence:
        """Probability of the likeliest token at temperature 1."""
        return self.probs.amax(dim=-1)

    @cached_property
    def margin(self) -> Confidence:
        """Probability of the likeliest token minus that of the next, at temperature 1."""
        others = self.probs.scatter(-1, self.best.unsqueeze(-1), 0.0)
        return self.best_confidence - others.amax(dim=-1)

    @cached_property
    def entropy(self) -> Confidence:
        """Nats of the distribution at the temperature of the draw (1 if that is 0)."""
        # H = log Z - sum p y with y = logit - greatest logit: no logarithm of a vanishing probability, no cancellation.
        below_best = self._logits - self._logits.amax(dim=-1, keepdim=True)
        if self._temperature > 0.0:
            below_best = below_best / self._temperature
        log_total = -self.drawn_from.amax(dim=-1).log()
        # 0 times the least finite number is 0, but divided by a temperature below 1 that number is infinite.
        below_best = below_best.clamp_min(torch.finfo(below_best.dtype).min)
        return (log_total - (self.drawn_from * below_best).sum(dim=-1)).clamp_min(0.0)

    def probability_of(self, tokens: Tokens) -> Confidence:
        """Probability of given tokens at temperature 1.

        Args:
            tokens: One per position.

        Returns:
            Their probabilities.
        """
        return self.probs.gather(-1, tokens.unsqueeze(-1)).squeeze(-1)


Scores = Proposal | FixedScores
"""What a commit rule may read: confidence, entropy and margin at each position."""


def nucleus(probs: Probs, top_p: float) -> Probs:
    """Zero all but the likeliest tokens that together reach ``top_p``; equals at the edge stay together.

    Halving the interval of float32 bit patterns finds the exact threshold in 31 sums; sorting a vocabulary of thousands
    takes ten times as long on a CPU.

    Args:
        probs: Distributions in float32.
        top_p: Probability to reach, in (0, 1].

    Returns:
        The same numbers, not renormalised, with zeros outside the nucleus.

    >>> nucleus(torch.tensor([[[0.5, 0.3, 0.15, 0.05]]]), 0.7)
    tensor([[[0.5000, 0.3000, 0.0000, 0.0000]]])
    """
    # Bit patterns of floats in [0, 1] are in the order of the floats. Invariant: mass(p >= low) reaches top_p.
    patterns = probs.contiguous().view(torch.int32)
    low = torch.zeros_like(patterns[..., :1])
    high = patterns.amax(dim=-1, keepdim=True) + 1
    # Rounding may leave the whole just short of 1, and then everything stays.
    target = probs.sum(dim=-1, keepdim=True).clamp_max(top_p)
    for _ in range(31):
        middle = low + (high - low) // 2
        reaches = (probs * (patterns >= middle)).sum(dim=-1, keepdim=True) >= target
        low, high = torch.where(reaches, middle, low), torch.where(reaches, high, middle)
    return probs * (patterns >= low)


def categorical(probs: Probs, draws: Uniforms) -> Tokens:
    """Draw a token at each position by the inverse of the cumulative distribution.

    Args:
        probs: Non-negative weights; they need not sum to one.
        draws: One number in [0, 1) per position.

    Returns:
        Token ids, never one of weight zero.

    >>> categorical(torch.tensor([[[0.25, 0.0, 0.75]]]), torch.tensor([[0.25]], dtype=torch.float64))
    tensor([[2]])
    """
    cumulative = probs.cumsum(dim=-1, dtype=torch.float64)
    total = cumulative[..., -1]
    # Rounding may lift draw times total onto total itself, behind the last token.
    target = torch.minimum(draws * total, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(cumulative, target.unsqueeze(-1), right=True).squeeze(-1)
