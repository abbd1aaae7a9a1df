"""Revise rules: which settled tokens change or reopen in this pass, and what stands where nothing has settled.

The loop offers a rule only tokens that settled in an *earlier* pass: the denoiser has not seen the others in place yet,
so its opinion of them is no news.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch

from redraft.errors import ConfigError
from redraft.sampler.canvas import allowed_ids
from redraft.sampler.propose import Proposal
from redraft.sampler.random import Draws, Stream, tokens_of
from redraft.types import TokenMask, Tokens

__all__ = ["FillWithMask", "NoRevision", "OpenFill", "Remask", "Renoise", "ReviseRule", "Revision", "TokenEdit"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """What becomes of the tokens that a rule looked at."""

    is_edited: TokenMask
    """The likeliest token takes the place of this one."""
    is_reopened: TokenMask
    """The position opens again."""


@runtime_checkable
class ReviseRule(Protocol):
    """Judges settled tokens; stateless."""

    def __call__(self, proposal: Proposal, tokens: Tokens, candidates: TokenMask) -> Revision:
        """Choose settled tokens to revise.

        Args:
            proposal: What this pass says.
            tokens: The canvas as it was seen.
            candidates: Tokens that settled earlier and have revisions left.

        Returns:
            Two disjoint subsets of ``candidates``.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class NoRevision:
    """What has settled stays."""

    def __call__(self, proposal: Proposal, tokens: Tokens, candidates: TokenMask) -> Revision:
        """Choose settled tokens to revise: none."""
        del proposal, tokens
        nothing = torch.zeros_like(candidates)
        return Revision(is_edited=nothing, is_reopened=nothing)


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenEdit:
    """Replace a settled token by the likeliest one where that is another and surer than a threshold.

    Token-to-token editing as in LLaDA2.1 (arXiv 2602.08676).
    """

    threshold: float
    """Probability that the new token must exceed; strictly, so that 1 never edits."""

    def __post_init__(self) -> None:
        """Check the number.

        Raises:
            ConfigError: It is not a probability.
        """
        _check_probability("edit_threshold", self.threshold)

    def __call__(self, proposal: Proposal, tokens: Tokens, candidates: TokenMask) -> Revision:
        """Choose settled tokens to revise."""
        is_edited = candidates & (proposal.best != tokens) & (proposal.best_confidence > self.threshold)
        return Revision(is_edited=is_edited, is_reopened=torch.zeros_like(candidates))


@dataclass(frozen=True, kw_only=True, slots=True)
class Remask:
    """Reopen a settled token whose probability has fallen below a threshold.

    In the spirit of ReMDM's confidence schedule (arXiv 2503.00307), but judged by what the denoiser says now, with the
    rest of the canvas in place.
    """

    threshold: float
    """Probability at temperature 1; strictly below it a token reopens, so that 0 never reopens."""

    def __post_init__(self) -> None:
        """Check the number.

        Raises:
            ConfigError: It is not a probability.
        """
        _check_probability("remask_threshold", self.threshold)

    def __call__(self, proposal: Proposal, tokens: Tokens, candidates: TokenMask) -> Revision:
        """Choose settled tokens to revise."""
        is_reopened = candidates & (proposal.probability_of(tokens) < self.threshold)
        return Revision(is_edited=torch.zeros_like(candidates), is_reopened=is_reopened)


@runtime_checkable
class OpenFill(Protocol):
    """Says what stands at open positions between passes."""

    def __call__(self, tokens: Tokens, is_open: TokenMask, draws: Draws) -> Tokens:
        """Write on the open positions.

        Args:
            tokens: The canvas.
            is_open: Where to write.
            draws: This pass's randomness.

        Returns:
            The canvas with the open positions overwritten.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class FillWithMask:
    """Open positions hold [MASK]: the masked family."""

    mask_token_id: int
    """The id of [MASK]."""

    def __call__(self, tokens: Tokens, is_open: TokenMask, draws: Draws) -> Tokens:
        """Write on the open positions."""
        del draws
        return tokens.masked_fill(is_open, self.mask_token_id)


class Renoise:
    """Open positions hold fresh random tokens at each pass: the uniform family (DiffusionGemma, arXiv 2608.00146)."""

    def __init__(self, vocab_size: int, never: Sequence[int], device: torch.device | str = "cpu") -> None:
        """Note which ids may be drawn.

        Args:
            vocab_size: Ids below it are equally likely ...
            never: ... except these.
            device: Where canvases live.
        """
        self._allowed = allowed_ids(vocab_size, never, device=device)

    def __call__(self, tokens: Tokens, is_open: TokenMask, draws: Draws) -> Tokens:
        """Write on the open positions."""
        return torch.where(is_open, tokens_of(draws.uniforms(Stream.NOISE), self._allowed), tokens)


def _check_probability(name: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise ConfigError(f"{name}={value} is not a probability; use a value in [0, 1], for example 0.9")
