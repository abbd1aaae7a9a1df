"""Asking the denoiser: context of just the rows that are asked about, guidance, self-conditioning, forbidden tokens."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Int
from torch import Tensor

from redraft.denoiser.protocol import Cache, Denoiser, ScoresSome, Sketch, SomeLogits
from redraft.sampler.canvas import SpecialIds
from redraft.sampler.placed import Selection
from redraft.types import Logits, Probs, Tokens

__all__ = ["LEAST", "Scorer", "SelfConditioned", "TokenIds", "guided", "is_self_conditioned", "scores_of"]

LEAST = -1e30
"""Logit of a token that must never be drawn, and the least that any has here. Its probability is exactly 0.

Unlike minus infinity, which some denoisers give, it stays finite when divided by a temperature, and 0 times it is 0.
"""

TokenIds = Int[Tensor, " ids"]
"""A list of token ids."""


@runtime_checkable
class SelfConditioned(Protocol):
    """A denoiser that can say that it wants its last probabilities back."""

    @property
    def uses_self_conditioning(self) -> bool:
        """Whether it does."""
        ...


def is_self_conditioned(denoiser: Denoiser) -> bool:
    """Whether a denoiser wants its last probabilities back.

    Args:
        denoiser: Any.

    Returns:
        What it says; those that say nothing don't.
    """
    return isinstance(denoiser, SelfConditioned) and denoiser.uses_self_conditioning


def guided(conditional: Logits, unconditional: Logits, scale: float) -> Logits:
    """Classifier-free guidance: logits_u + (1 + w)(logits_c - logits_u).

    Args:
        conditional: Scores with the context.
        unconditional: Scores without it.
        scale: w; 0 changes nothing.

    Returns:
        The guided scores.

    >>> guided(torch.tensor([[[2.0]]]), torch.tensor([[[1.0]]]), 0.5)
    tensor([[[2.5000]]])
    """
    return unconditional + (1.0 + scale) * (conditional - unconditional)


def scores_of(
    denoiser: Denoiser,
    canvas: Tokens,
    cache: Cache | None,
    last_probs: Probs | None,
    selection: Selection | None,
    sketch: Sketch | None = None,
) -> SomeLogits:
    """Ask a denoiser for as much as is wanted, or more.

    Args:
        denoiser: Whom.
        canvas: The tokens.
        cache: Their context.
        last_probs: What came of the last call, for a denoiser that is self-conditioned.
        selection: Which positions to score, if the denoiser can leave others out; None for all.
        sketch: What is behind the canvas, for a denoiser that ``ScoresSome``.

    Returns:
        Fresh, finite float32 scores.
    """
    if isinstance(denoiser, ScoresSome):
        places = None if selection is None else selection.places
        return denoiser.denoise_some(canvas, places, cache, self_conditioning=last_probs, sketch=sketch).float()
    assert sketch is None, "only a denoiser that scores some positions takes a sketch"
    # The clamp also makes the copy that may be written to.
    return denoiser.denoise(canvas, cache, self_conditioning=last_probs).float().clamp_min(LEAST)


class Scorer:
    """Scores canvases of any subset of the rows."""

    def __init__(
        self,
        denoiser: Denoiser,
        *,
        context: Cache | None,
        unconditional: Cache | None,
        guidance_scale: float,
        special: SpecialIds,
        num_rows: int,
        device: torch.device,
    ) -> None:
        """Note whom to ask and how.

        Args:
            denoiser: Whom.
            context: Settled context of all rows.
            unconditional: The context without what guidance should push towards; None for none at all.
            guidance_scale: Strength; 0 asks once, else twice.
            special: Says which tokens must not come.
            num_rows: Number of rows of the context.
            device: Where canvases live.
        """
        self._denoiser = denoiser
        self._caches = (context, unconditional)
        self._guidance_scale = guidance_scale
        self._never: TokenIds = torch.tensor(special.never_committed, dtype=torch.int64, device=device)
        self._all_rows = tuple(range(num_rows))
        self._device = device
        self._selected: dict[tuple[int, ...], tuple[Cache | None, Cache | None]] = {}

    def keep_only(self, groups: list[tuple[int, ...]]) -> None:
        """Forget the selected context of rows that are no longer asked about in this combination.

        Args:
            groups: The combinations that will be asked about next.
        """
        self._selected = {rows: caches for rows, caches in self._selected.items() if rows in groups}

    def __call__(
        self,
        canvas: Tokens,
        rows: tuple[int, ...],
        last_probs: Probs | None,
        selection: Selection | None = None,
        sketch: Sketch | None = None,
    ) -> SomeLogits:
        """Score the canvases of some rows.

        Args:
            canvas: Their tokens.
            rows: Which rows of the context they belong to.
            last_probs: What came of the last call, for a denoiser that is self-conditioned.
            selection: Which positions to score, if the denoiser can leave others out; None for all.
            sketch: What is behind the canvases.

        Returns:
            Fresh float32 scores, of all positions or of those; tokens that must never come have the least one.
        """
        context, unconditional = self._context_of(rows)
        logits = scores_of(self._denoiser, canvas, context, last_probs, selection, sketch)
        if self._guidance_scale != 0.0:
            others = scores_of(self._denoiser, canvas, unconditional, last_probs, selection, sketch)
            logits = guided(logits, others, self._guidance_scale)
        return logits.index_fill_(-1, self._never, LEAST)

    def _context_of(self, rows: tuple[int, ...]) -> tuple[Cache | None, Cache | None]:
        if rows == self._all_rows:
            return self._caches
        if rows not in self._selected:
            index = torch.tensor(rows, device=self._device)
            context, unconditional = (None if cache is None else cache.select(index) for cache in self._caches)
            self._selected[rows] = (context, unconditional)
        return self._selected[rows]
