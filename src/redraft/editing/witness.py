"""Listens in on a denoiser while a text is revised: how probable each token is, and where the canvas should grow.

At a token that stands, [INS] says in training that what belongs there doesn't fit and the canvas has to grow first.
"""

from collections.abc import Sequence

import torch

from redraft.denoiser import Cache, Denoiser
from redraft.types import Logits, Probs, TokenMask, Tokens

__all__ = ["Witness"]


class Witness:
    """Passes a denoiser's scores on and keeps the last ones.

    A wish to grow is no wish for any other token: to the loop, its probability counts as that of leaving the token.

    Args:
        denoiser: Whom to ask.
        insert: Id of [INS].
    """

    def __init__(self, denoiser: Denoiser, insert: int) -> None:
        self._denoiser = denoiser
        self._insert = insert
        self.vocab_size = denoiser.vocab_size
        self.uses_self_conditioning = bool(getattr(denoiser, "uses_self_conditioning", False))
        self._last: Logits | None = None

    def encode(self, tokens: Tokens, cache: Cache | None = None, *, is_valid: TokenMask | None = None) -> Cache:
        """Take a segment into the context; see ``Denoiser.encode``."""
        return self._denoiser.encode(tokens, cache, is_valid=is_valid)

    def denoise(self, canvas: Tokens, cache: Cache | None = None, *, self_conditioning: Probs | None = None) -> Logits:
        """Score a canvas; see ``Denoiser.denoise``."""
        logits = self._denoiser.denoise(canvas, cache, self_conditioning=self_conditioning)
        self._last = logits.detach()
        stands = canvas.unsqueeze(-1)
        grows = logits[..., self._insert : self._insert + 1]
        return logits.scatter(-1, stands, torch.logaddexp(logits.gather(-1, stands), grows))

    def probability_of(self, tokens: Sequence[int]) -> list[float]:
        """What the last pass gave to each token of the only row; 0 where it scored nothing."""
        if self._last is None:
            return [0.0] * len(tokens)
        width = min(self._last.shape[1], len(tokens))
        logits = self._last[0, :width].float()
        chosen = torch.tensor(tokens[:width], device=logits.device).unsqueeze(1)
        probs = (logits.gather(1, chosen).squeeze(1) - logits.logsumexp(dim=1)).exp()
        return [float(number) for number in probs] + [0.0] * (len(tokens) - width)

    def growth(self) -> list[float]:
        """How probable the last pass found it that the only row has to grow at each position, pinned ones too."""
        if self._last is None:
            return []
        logits = self._last[0].float()
        return [float(prob) for prob in (logits[:, self._insert] - logits.logsumexp(dim=1)).exp()]
