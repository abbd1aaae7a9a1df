"""Masked noise: a corrupted token becomes [MASK]."""

from dataclasses import dataclass

import torch

from redraft.noise.belief import VocabProbs, normalised
from redraft.noise.process import MixtureProcess, check_mask_token_id
from redraft.types import Probs, Tokens

__all__ = ["Masked"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Masked(MixtureProcess):
    """pi is all on [MASK]: an open position says that it is open (D3PM absorbing, arXiv 2107.03006; MDLM, 2406.07524).

    A visible token is never in doubt, and a clean text has no mask: both hold whatever the denoiser says (the SUBS
    parameterisation of MDLM).

    >>> from redraft.noise.schedule import Linear
    >>> process = Masked(schedule=Linear(), vocab_size=3, mask_token_id=2)
    >>> x_t, x_0_probs = torch.tensor([[2, 1]]), torch.tensor([[[0.75, 0.25, 0.0], [1.0, 0.0, 0.0]]])
    >>> process.posterior(x_t, x_0_probs, s=torch.tensor([0.25]), t=torch.tensor([0.5]))
    tensor([[[0.3750, 0.1250, 0.5000],
             [0.0000, 1.0000, 0.0000]]])
    """

    mask_token_id: int
    """Id of [MASK], below ``vocab_size``."""

    def __post_init__(self) -> None:
        MixtureProcess.__post_init__(self)
        check_mask_token_id(self.mask_token_id, self.vocab_size)

    def noise_probs(self) -> VocabProbs:
        """One at the mask."""
        pi = torch.zeros(self.vocab_size, dtype=torch.float64)
        pi[self.mask_token_id] = 1.0
        return pi

    def draw_noise(self, batch: int, length: int, rng: torch.Generator) -> Tokens:
        """All masks; nothing is drawn."""
        return torch.full((batch, length), self.mask_token_id, device=rng.device)

    def clean_probs(self, x_0_probs: Probs) -> Probs:
        """The belief without the mask."""
        return normalised(x_0_probs, without=self.mask_token_id)
