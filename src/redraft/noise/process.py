"""Corruption that mixes clean tokens with noise, and its exact undoing.

Every process here has the same form: at time t a token is still the clean one with probability alpha(t), otherwise it
was drawn from one fixed noise distribution pi,

    q(x_t | x_0) = alpha(t) [x_t = x_0] + (1 - alpha(t)) pi(x_t).

As pi does not change with time, this is a Markov chain whose step from s to t keeps a token with probability
a = alpha(t) / alpha(s) and else draws anew from pi, and the way back follows from Bayes. Only pi makes the difference
between one process and another.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch

from redraft.errors import ConfigError
from redraft.noise.belief import VocabProbs, normalised, weigh
from redraft.noise.schedule import NoiseSchedule, kept_since
from redraft.types import Probs, Times, Tokens

__all__ = ["MixtureProcess", "Process", "check_mask_token_id"]


@runtime_checkable
class Process(Protocol):
    """How text becomes noise. Knows ids and times, never a tokenizer or a network."""

    def corrupt(self, x_0: Tokens, t: Times, rng: torch.Generator) -> Tokens:
        """Draw x_t from q(x_t | x_0).

        Args:
            x_0: Clean tokens.
            t: One time per row.
            rng: Source of every draw.

        Returns:
            The tokens at time t.
        """
        ...

    def posterior(self, x_t: Tokens, x_0_probs: Probs, s: Times, t: Times) -> Probs:
        """The distribution of x_s, given x_t and a belief about x_0.

        Args:
            x_t: Tokens at time t.
            x_0_probs: The denoiser's belief p(x_0 | x_t) at each position.
            s: Cleaner time per row, at most its t.
            t: Time of ``x_t`` per row.

        Returns:
            p(x_s | x_t) = sum over x_0 of p(x_0 | x_t) q(x_s | x_t, x_0), position by position.
        """
        ...

    def prior(self, batch: int, length: int, rng: torch.Generator) -> Tokens:
        """Draw pure noise, x_1.

        Args:
            batch: Number of rows.
            length: Number of positions.
            rng: Source of every draw.

        Returns:
            The tokens at time 1.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class MixtureProcess(ABC):
    """The part that all processes share; a subclass says what noise is."""

    schedule: NoiseSchedule
    """How much of the clean text is left at each time."""

    vocab_size: int
    """Number of token ids, the mask's included where there is one."""

    def __post_init__(self) -> None:
        if self.vocab_size < 2:
            raise ConfigError(f"vocab_size={self.vocab_size} leaves nothing to predict; use 2 or more")

    @abstractmethod
    def noise_probs(self) -> VocabProbs:
        """The noise distribution pi, in float64."""

    @abstractmethod
    def draw_noise(self, batch: int, length: int, rng: torch.Generator) -> Tokens:
        """Draw every position from pi, on the generator's device."""

    def clean_probs(self, x_0_probs: Probs) -> Probs:
        """A belief about clean tokens, with what clean text can't hold taken out and each row summing to one."""
        return normalised(x_0_probs)

    def corrupt(self, x_0: Tokens, t: Times, rng: torch.Generator) -> Tokens:
        """Draw x_t: each token stays with probability alpha(t), else it becomes noise (which may be the same token)."""
        batch, length = x_0.shape
        draws = torch.rand(batch, length, generator=rng, device=rng.device).to(x_0.device)
        noise = self.draw_noise(batch, length, rng).to(x_0)
        # A draw lies in [0, 1): strictly less keeps everything at alpha = 1 and nothing at alpha = 0.
        return torch.where(draws < self.schedule.alpha(t)[:, None], x_0, noise)

    def prior(self, batch: int, length: int, rng: torch.Generator) -> Tokens:
        """Draw x_1, which is nothing but noise."""
        return self.draw_noise(batch, length, rng)

    def posterior(self, x_t: Tokens, x_0_probs: Probs, s: Times, t: Times) -> Probs:
        """The distribution of x_s, given x_t and a belief about x_0.

        For one clean token k and x_t = j, Bayes gives q(x_s = i | j, k) as

            (a [i=j] + (1-a) pi_j) (alpha_s [i=k] + (1-alpha_s) pi_i) / (alpha_t [j=k] + (1-alpha_t) pi_j)

        and the belief mixes these over k. That is right for a belief p(x_0 | x_t), which is what cross-entropy teaches.
        Putting the belief into the formula as if it were one soft token k is another model, which wants a belief that
        has not seen x_t at its own position (arXiv 2605.22765).

        Where x_t can't be noise (pi_j = 0, or t = 0) it is the clean token, whatever the belief says.

        Args:
            x_t: Tokens at time t.
            x_0_probs: The denoiser's belief p(x_0 | x_t) at each position; a mask among clean tokens is left out.
            s: Cleaner time per row, at most its t.
            t: Time of ``x_t`` per row.

        Returns:
            p(x_s | x_t) at each position, in the type of ``x_0_probs``.
        """
        # 1. The rates of each row, from float64: 1 - alpha is a small difference near the clean end. ``shared`` is the
        #    part of the noise at t that was there at s, and the others are made from it, so that rows sum to one even
        #    where its own digits are lost. The clamp takes back rounding.
        s, t = s.to("cpu", torch.float64), t.to("cpu", torch.float64)
        alpha_s, alpha_t, kept = self.schedule.alpha(s), self.schedule.alpha(t), kept_since(self.schedule, s, t)
        shared = ((1.0 - alpha_s) / torch.where(alpha_t < 1.0, 1.0 - alpha_t, 1.0)).clamp(max=1.0)
        rates = (alpha_s, alpha_t, 1.0 - alpha_t, kept, 1.0 - kept, shared, 1.0 - shared)
        belief = self.clean_probs(x_0_probs.to(torch.promote_types(x_0_probs.dtype, torch.float32)))
        alpha_s, alpha_t, noise_t, kept, replaced, shared, lost = (rate.to(belief)[:, None] for rate in rates)
        # 2. What x_t = j tells at each position. Where it can't be noise there was no change.
        pi = self.noise_probs().to(belief)
        evidence = weigh(x_t, belief, alpha_t=alpha_t, noise_t=noise_t, pi=pi)
        lost, renewed = (torch.where(evidence.is_noise_possible, rate, 0.0) for rate in (lost, replaced * shared))
        # 3. i != j: x_s was replaced on the way from s to t, whether it was clean or noise already.
        moved = torch.addcmul((renewed * evidence.doubt)[..., None] * pi, lost[..., None], belief)
        # 4. i = j: x_s was kept, or replaced by the same token.
        stayed = (kept + replaced * evidence.pi_j) * (alpha_s * evidence.clean_odds + shared * evidence.doubt)
        stayed = torch.where(evidence.is_noise_possible, stayed, 1.0)
        return moved.scatter_(-1, x_t.long()[..., None], stayed[..., None]).to(x_0_probs)


def check_mask_token_id(mask_token_id: int, vocab_size: int) -> None:
    """Refuse a mask that is no id of the vocabulary.

    Args:
        mask_token_id: The mask's id.
        vocab_size: Number of ids.

    Raises:
        ConfigError: It lies outside 0 .. vocab_size - 1.
    """
    if not 0 <= mask_token_id < vocab_size:
        raise ConfigError(
            f"mask_token_id={mask_token_id} is no id of a vocabulary of {vocab_size}; use 0 to {vocab_size - 1}"
        )
