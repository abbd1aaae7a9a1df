"""Commit rules: which candidate positions settle in this pass.

A rule sees scores, never logits, and never changes tokens itself. Candidates are the open positions; in the uniform
family, which judges everything anew at each pass, all editable ones.
"""

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch

from redraft.errors import ConfigError
from redraft.noise.schedule import Linear, NoiseSchedule
from redraft.sampler.propose import Scores
from redraft.sampler.random import Draws, Stream
from redraft.types import Confidence, TokenMask, WholePerRow

__all__ = [
    "AboveThreshold",
    "Ancestral",
    "CommitRule",
    "EntropyBound",
    "LeastEntropy",
    "LeftToRight",
    "Margin",
    "MostConfident",
    "Pace",
    "Random",
    "least_first",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """Where the loop stands."""

    index: int
    """Which pass over the canvas, from 0."""
    budget: WholePerRow
    """How many positions of each row the step plan wants settled in this pass."""
    draws: Draws
    """This pass's randomness."""


@runtime_checkable
class CommitRule(Protocol):
    """Chooses positions; stateless."""

    def __call__(self, scores: Scores, candidates: TokenMask, pace: Pace) -> TokenMask:
        """Choose positions to commit.

        Args:
            scores: How sure the denoiser is at each position.
            candidates: Positions that may settle.
            pace: Budget, pass number and randomness.

        Returns:
            A subset of ``candidates``, non-empty for each row that has any; only ``Ancestral``, and the rules with a
            budget where that is 0, may choose none.
        """
        ...


def least_first(keys: Confidence, candidates: TokenMask, count: WholePerRow) -> TokenMask:
    """The ``count`` candidates with the smallest keys in each row, the leftmost among equals.

    Args:
        keys: What to order by.
        candidates: Positions that may be chosen.
        count: How many of each row.

    Returns:
        The chosen ones: all candidates where there are no more than ``count``.

    >>> least_first(torch.tensor([[3.0, 1.0, 2.0]]), torch.tensor([[True, False, True]]), torch.tensor([1]))
    tensor([[False, False,  True]])
    """
    order = keys.masked_fill(~candidates, torch.inf).argsort(dim=-1, stable=True)
    rank = order.argsort(dim=-1)
    return (rank < count.unsqueeze(1)) & candidates


@dataclass(frozen=True, kw_only=True, slots=True)
class MostConfident:
    """Commit the surest positions, as many as the budget says.

    The low-confidence rule of LLaDA (arXiv 2502.09992), which keeps the least sure ones masked.
    """

    def __call__(self, scores: Scores, candidates: TokenMask, pace: Pace) -> TokenMask:
        """Choose positions to commit."""
        return least_first(-scores.confidence, candidates, pace.budget)


@dataclass(frozen=True, kw_only=True, slots=True)
class AboveThreshold:
    """Commit every position at least this sure, and always the surest one.

    The parallel rule of Fast-dLLM (arXiv 2505.22618). Committing the surest position even below the threshold is what
    makes the loop end. SDAR (arXiv 2510.06303) has the same rule with more than one that always settle.
    """

    threshold: float
    """Probability in (0, 1]; near 1 the rule commits one token per pass."""
    least: int = 1
    """How many always settle, the surest ones."""

    def __post_init__(self) -> None:
        """Check the number.

        Raises:
            ConfigError: It is not a probability.
        """
        if not 0.0 < self.threshold <= 1.0:
            raise ConfigError(
                f"threshold={self.threshold} is not a probability; use a value in (0, 1], for example 0.9"
            )
        if self.least < 1:
            raise ConfigError(f"least_commits={self.least} could go on for ever; use 1 or more")

    def __call__(self, scores: Scores, candidates: TokenMask, pace: Pace) -> TokenMask:
        """Choose positions to commit; the budget has no say."""
        if self.least > 1:
            surest = least_first(-scores.confidence, candidates, torch.full_like(pace.budget, self.least))
            return (scores.confidence >= self.threshold) & candidates | surest
        eligible = scores.confidence.masked_fill(~candidates, -1.0)
        surest = eligible.argmax(dim=-1, keepdim=True)
        return (eligible >= self.threshold).scatter(-1, surest, True) & candidates


@dataclass(frozen=True, kw_only=True, slots=True)
class EntropyBound:
    """Commit the most certain positions while the entropy of those before each stays within a bound.

    In ascending order of entropy H, position k settles if H_1 + ... + H_(k-1) <= bound. That sum bounds what the
    positions can know about each other, which drawing them independently ignores (EB-sampler, arXiv 2505.24857).
    """

    bound: float
    """Nats per pass; at 0 one position settles, and any that are entirely certain."""

    def __post_init__(self) -> None:
        """Check the number.

        Raises:
            ConfigError: It is negative or not a number.
        """
        if not self.bound >= 0.0:
            raise ConfigError(f"entropy_bound={self.bound} is not allowed; use nats of at least 0, for example 0.1")

    def __call__(self, scores: Scores, candidates: TokenMask, pace: Pace) -> TokenMask:
        """Choose positions to commit; the budget has no say."""
        del pace
        entropy, order = scores.entropy.double().masked_fill(~candidates, torch.inf).sort(dim=-1, stable=True)
        # What comes before the first candidate is nothing, so it always settles. An infinite sum exceeds any bound.
        before = entropy.cumsum(dim=-1).roll(1, dims=-1)
        before[:, 0] = 0.0
        return torch.zeros_like(candidates).scatter(-1, order, before <= self.bound) & candidates


@dataclass(frozen=True, kw_only=True, slots=True)
class LeastEntropy:
    """Commit the positions of least entropy, as many as the budget says.

    The entropy rule of Dream (arXiv 2508.15487).
    """

    def __call__(self, scores: Scores, candidates: TokenMask, pace: Pace) -> TokenMask:
        """Choose positions to commit."""
        return least_first(scores.entropy, candidates, pace.budget)


@dataclass(frozen=True, kw_only=True, slots=True)
class Margin:
    """Commit where the likeliest token leads the next one by most.

    The top-probability margin of arXiv 2502.06768, which does better than confidence where several tokens compete.
    """

    threshold: float | None = None
    """Least lead that settles a position, the greatest lead always settling; None commits by budget instead."""

    def __call__(self, scores: Scores, candidates: TokenMask, pace: Pace) -> TokenMask:
        """Choose positions to commit."""
        if self.threshold is None:
            return least_first(-scores.margin, candidates, pace.budget)
        clearest = least_first(-scores.margin, candidates, torch.ones_like(pace.budget))
        return (scores.margin >= self.threshold) & candidates | clearest


@dataclass(frozen=True, kw_only=True, slots=True)
class Ancestral:
    """Commit each candidate by its own coin, with probability (alpha_s - alpha_t) / (1 - alpha_t).

    The reverse process of masked diffusion (MDLM, arXiv 2406.07524) from time t to s = t - 1 / num_steps: exact as the
    steps grow many. It may commit nothing in a pass; at the last one s = 0, alpha_s = 1 and everything settles.
    """

    num_steps: int
    """Passes from pure noise to clean data."""
    schedule: NoiseSchedule = field(default_factory=Linear)
    """How much of the text is left at each time."""

    def __call__(self, scores: Scores, candidates: TokenMask, pace: Pace) -> TokenMask:
        """Choose positions to commit; neither scores nor budget have a say."""
        del scores
        return (pace.draws.uniforms(Stream.COMMIT) < self.probability(pace.index)) & candidates

    def probability(self, index: int) -> float:
        """P(an open position settles in this pass).

        Args:
            index: Which pass, from 0.

        Returns:
            The probability, 1 from the last step on.
        """
        done = min(index, self.num_steps - 1)
        times = torch.tensor([1 - (done + 1) / self.num_steps, 1 - done / self.num_steps], dtype=torch.float64)
        alpha_s, alpha_t = (float(alpha) for alpha in self.schedule.alpha(times))
        return (alpha_s - alpha_t) / (1.0 - alpha_t)


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftToRight:
    """Commit in reading order, as many as the budget says."""

    def __call__(self, scores: Scores, candidates: TokenMask, pace: Pace) -> TokenMask:
        """Choose positions to commit."""
        del scores
        return (candidates.cumsum(dim=-1) <= pace.budget.unsqueeze(1)) & candidates


@dataclass(frozen=True, kw_only=True, slots=True)
class Random:
    """Commit positions in random order, as many as the budget says."""

    def __call__(self, scores: Scores, candidates: TokenMask, pace: Pace) -> TokenMask:
        """Choose positions to commit."""
        del scores
        return least_first(pace.draws.uniforms(Stream.COMMIT), candidates, pace.budget)
