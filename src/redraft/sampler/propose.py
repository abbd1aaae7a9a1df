"""What one pass proposes: a token for each position, and how sure the denoiser is of it.

Rules read these numbers, never the logits. Each is computed when first asked for, because on a CPU a softmax over the
vocabulary costs as much as everything else in the loop together.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float32
from torch import Tensor
from torch.nn.functional import pad

from redraft.sampler.random import Draws, Stream, Uniforms
from redraft.types import Confidence, Logits, Probs, Tokens

__all__ = ["FixedScores", "Proposal", "Scores", "Weights", "categorical", "likeliest", "nucleus"]

Weights = Float32[Tensor, "rows vocab"]
"""Probabilities of some positions."""


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
            logits: Its scores in float32, with those of tokens that must not be proposed at ``guidance.LEAST``.
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
        return likeliest(self._logits)

    @cached_property
    def probs(self) -> Probs:
        """The distribution at temperature 1."""
        return self._logits.softmax(dim=-1)

    @cached_property
    def _warmed(self) -> Logits:
        is_as_it_came = self._temperature in (0.0, 1.0)
        return self._logits if is_as_it_came else self._logits / self._temperature

    @cached_property
    def drawn_from(self) -> Probs:
        """The distribution at the temperature of the draw (1 if that is 0), before top-p."""
        return self.probs if self._warmed is self._logits else self._warmed.softmax(dim=-1)

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
        return self.probability_of(self.best)  # to look where it is costs less than to look for it

    @cached_property
    def margin(self) -> Confidence:
        """Probability of the likeliest token minus that of the next, at temperature 1."""
        others = self.probs.scatter(-1, self.best.unsqueeze(-1), 0.0)
        return self.best_confidence - others.amax(dim=-1)

    @cached_property
    def entropy(self) -> Confidence:
        """Nats of the distribution at the temperature of the draw (1 if that is 0)."""
        # H = log Z - sum p y, with log Z = greatest y - log greatest p: no logarithm of a probability that vanishes.
        y = self._warmed
        log_total = y.amax(dim=-1) - self.drawn_from.amax(dim=-1).log()
        return (log_total - (self.drawn_from * y).sum(dim=-1)).clamp_min(0.0)

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


_STRETCH = 64  # near the square root of the vocabularies in use, so that both levels of a search are short


def likeliest(logits: Logits) -> Tokens:
    """The token with the greatest score at each position, the lowest id among equals.

    In two levels, because a maximum is vectorised on a CPU and finding where it is is not.

    Args:
        logits: Scores.

    Returns:
        Token ids.

    >>> likeliest(torch.tensor([[[0.0, 2.0, 2.0]]]))
    tensor([[1]])
    """
    if logits.shape[-1] % _STRETCH != 0:
        return logits.argmax(dim=-1)
    stretches = logits.view(*logits.shape[:-1], -1, _STRETCH)
    stretch = stretches.amax(dim=-1).argmax(dim=-1, keepdim=True)
    return (stretch * _STRETCH + _pick(stretches, stretch).argmax(dim=-1, keepdim=True)).squeeze(-1)


def _pick(stretches: Tensor, stretch: Tensor) -> Tensor:
    """The scores of one stretch at each position."""
    index = stretch.unsqueeze(-1).expand(*stretch.shape, _STRETCH)
    return stretches.gather(-2, index).squeeze(-2)


def nucleus(probs: Probs, top_p: float) -> Probs:
    """Zero all but the likeliest tokens that together reach ``top_p``; equals at the edge stay together.

    Args:
        probs: Distributions in float32.
        top_p: Probability to reach, in (0, 1].

    Returns:
        The same numbers, not renormalised, with zeros outside the nucleus.

    >>> nucleus(torch.tensor([[[0.5, 0.3, 0.15, 0.05]]]), 0.7)
    tensor([[[0.5000, 0.3000, 0.0000, 0.0000]]])
    """
    # Where one token reaches it alone there is nothing to search, and with a good denoiser that is nearly everywhere.
    greatest = probs.amax(dim=-1, keepdim=True)
    kept = torch.where(probs == greatest, probs, 0.0)
    is_shared = greatest.squeeze(-1) < top_p
    kept[is_shared] = _shared_nucleus(probs[is_shared], top_p)
    return kept


def _shared_nucleus(probs: Weights, top_p: float) -> Weights:
    """Find each edge by bisection: halving an interval of float32 bit patterns is exact after 31 sums.

    Sorting a vocabulary of thousands takes ten times as long on a CPU.
    """
    # Bit patterns of floats in [0, 1] are in the order of the floats. Invariant: tokens from ``low`` up reach top_p.
    patterns = probs.view(torch.int32)
    low = torch.zeros_like(patterns[:, :1])
    high = torch.full_like(low, int(torch.tensor(1.0).view(torch.int32)) + 1)
    # Rounding may leave the whole just short of top_p, and then everything stays.
    target = probs.sum(dim=-1, keepdim=True).clamp_max(top_p)
    for _ in range(31):
        middle = low + (high - low) // 2
        reaches = torch.where(patterns >= middle, probs, 0.0).sum(dim=-1, keepdim=True) >= target
        low, high = torch.where(reaches, middle, low), torch.where(reaches, high, middle)
    return torch.where(patterns >= low, probs, 0.0)


def categorical(probs: Probs, draws: Uniforms) -> Tokens:
    """Draw a token at each position by the inverse of the cumulative distribution.

    In two levels, first the stretch of the vocabulary and then the token in it: summing stretches is several times
    cheaper on a CPU than a running sum over everything.

    Args:
        probs: Non-negative weights; they need not sum to one.
        draws: One number in [0, 1) per position.

    Returns:
        Token ids, never one of weight zero.

    >>> categorical(torch.tensor([[[0.25, 0.0, 0.75]]]), torch.tensor([[0.25]], dtype=torch.float64))
    tensor([[2]])
    """
    vocab_size = probs.shape[-1]
    missing = -vocab_size % _STRETCH
    whole = pad(probs, (0, missing)) if missing else probs
    stretches = whole.view(*probs.shape[:-1], -1, _STRETCH)
    upto = stretches.sum(dim=-1).cumsum(dim=-1, dtype=torch.float64)
    target = _below(draws * upto[..., -1], upto[..., -1]).unsqueeze(-1)
    stretch = torch.searchsorted(upto, target, right=True)
    rest = target - torch.where(stretch > 0, upto.gather(-1, (stretch - 1).clamp_min(0)), 0.0)
    within = _pick(stretches, stretch).cumsum(dim=-1, dtype=torch.float64)
    offset = torch.searchsorted(within, _below(rest, within[..., -1:]), right=True)
    return (stretch * _STRETCH + offset).squeeze(-1)


def _below(values: Tensor, limits: Tensor) -> Tensor:
    """Rounding may lift a draw onto the total itself, behind the last token."""
    return torch.minimum(values, torch.nextafter(limits, torch.zeros_like(limits)))
