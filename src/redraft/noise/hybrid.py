"""Hybrid noise: a corrupted token becomes [MASK], or sometimes another token that looks like text."""

from dataclasses import dataclass

import torch

from redraft.errors import ConfigError
from redraft.noise.belief import VocabProbs, normalised
from redraft.noise.process import MixtureProcess, check_mask_token_id
from redraft.types import Probs, Tokens

__all__ = ["Hybrid"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Hybrid(MixtureProcess):
    """pi is [MASK] with probability 1 - u, else any id but the mask: teaches to fill and to doubt what is visible.

    After GIDD (arXiv 2503.04482), but with the same mixture at all times, so that the posterior keeps its simple form;
    a text at t=1 then still holds substitutions. u = 0 is ``Masked``, u = 1 uniform noise that leaves out the mask.

    >>> from redraft.noise.schedule import Linear
    >>> process = Hybrid(schedule=Linear(), vocab_size=3, mask_token_id=2, uniform_share=0.5)
    >>> process.noise_probs()
    tensor([0.2500, 0.2500, 0.5000], dtype=torch.float64)
    >>> x_t, x_0_probs = torch.tensor([[1]]), torch.tensor([[[1.0, 0.0, 0.0]]])
    >>> process.posterior(x_t, x_0_probs, s=torch.tensor([0.5]), t=torch.tensor([1.0]))
    tensor([[[0.6250, 0.1250, 0.2500]]])
    """

    mask_token_id: int
    """Id of [MASK], below ``vocab_size``."""

    uniform_share: float
    """u, the share of noise that is a visible token, in [0, 1]."""

    def __post_init__(self) -> None:
        MixtureProcess.__post_init__(self)
        check_mask_token_id(self.mask_token_id, self.vocab_size)
        if not 0.0 <= self.uniform_share <= 1.0:
            raise ConfigError(f"uniform_share={self.uniform_share} is no share; use a value in [0, 1], for example 0.2")

    def noise_probs(self) -> VocabProbs:
        """1 - u at the mask, the rest in equal parts on the other ids."""
        pi = torch.full((self.vocab_size,), self.uniform_share / (self.vocab_size - 1), dtype=torch.float64)
        pi[self.mask_token_id] = 1.0 - self.uniform_share
        return pi

    def draw_noise(self, batch: int, length: int, rng: torch.Generator) -> Tokens:
        """A mask, or one of the other ids."""
        is_substituted = torch.rand(batch, length, generator=rng, device=rng.device) < self.uniform_share
        # Drawn among one id fewer, then those from the mask on move up by one: never the mask, all others alike.
        others = torch.randint(self.vocab_size - 1, (batch, length), generator=rng, device=rng.device)
        others = others + (others >= self.mask_token_id)
        return torch.where(is_substituted, others, self.mask_token_id)

    def clean_probs(self, x_0_probs: Probs) -> Probs:
        """The belief without the mask."""
        return normalised(x_0_probs, without=self.mask_token_id)
