"""Uniform noise: a corrupted token becomes any token."""

from dataclasses import dataclass

import torch

from redraft.noise.belief import VocabProbs
from redraft.noise.process import MixtureProcess
from redraft.types import Tokens

__all__ = ["Uniform"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Uniform(MixtureProcess):
    """pi is the same for every id: nothing tells an open position from a settled one (D3PM uniform; UDLM, 2412.10193).

    All ``vocab_size`` ids are drawn. For a vocabulary with a mask that must not occur, use ``Hybrid`` with
    ``uniform_share=1``.

    >>> from redraft.noise.schedule import Linear
    >>> process = Uniform(schedule=Linear(), vocab_size=2)
    >>> x_t, x_0_probs = torch.tensor([[1]]), torch.tensor([[[1.0, 0.0]]])
    >>> process.posterior(x_t, x_0_probs, s=torch.tensor([0.0]), t=torch.tensor([0.5]))
    tensor([[[1., 0.]]])
    >>> process.posterior(x_t, x_0_probs, s=torch.tensor([0.5]), t=torch.tensor([1.0]))
    tensor([[[0.7500, 0.2500]]])
    """

    def noise_probs(self) -> VocabProbs:
        """The same for every id."""
        return torch.full((self.vocab_size,), 1.0 / self.vocab_size, dtype=torch.float64)

    def draw_noise(self, batch: int, length: int, rng: torch.Generator) -> Tokens:
        """Any id, each as likely as another."""
        return torch.randint(self.vocab_size, (batch, length), generator=rng, device=rng.device)
