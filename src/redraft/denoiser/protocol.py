"""The two calls that every model family answers.

Nothing here knows a tokenizer, a noise process or a sampling rule.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor

from redraft.types import Logits, Probs, TokenMask, Tokens, WholePerRow

__all__ = ["Cache", "Denoiser", "Places", "ScoresSome", "Sketch", "SomeLogits"]

Places = Int[Tensor, "batch scored"]
"""Canvas positions of each row, no position twice."""

SomeLogits = Float[Tensor, "batch _ vocab"]
"""Logits of some positions."""

SlotNumbers = Int[Tensor, " slots"]
"""Positions of a canvas."""

SlotCounts = Float[Tensor, " slots"]
"""A number for each of them."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sketch:
    """Masked positions behind those of a canvas that are given, seen through a few that stand for all of them.

    Equal only to itself, so that it can be part of a key.
    """

    places: SlotNumbers
    """Where those few stand on the whole canvas, ascending; the same in all rows."""
    counts: SlotCounts
    """As how many each of them is attended to."""
    mask_token_id: int
    """What stands there."""


@runtime_checkable
class Cache(Protocol):
    """What a denoiser remembers of the settled context. Its content is the family's own affair."""

    @property
    def length(self) -> int:
        """Number of context positions held, padding included."""
        ...

    def select(self, rows: WholePerRow) -> "Cache":
        """The context of some rows.

        Args:
            rows: Which rows, in the order wanted.

        Returns:
            Their context; this one is not changed.
        """
        ...


@runtime_checkable
class Denoiser(Protocol):
    """p(x_0 | x_t, context): scores the clean token at every canvas position."""

    @property
    def vocab_size(self) -> int:
        """Number of token ids that ``denoise`` scores."""
        ...

    def encode(self, tokens: Tokens, cache: Cache | None = None, *, is_valid: TokenMask | None = None) -> Cache:
        """Take one settled segment into the context.

        A segment is bidirectional inside and sees only earlier segments, so what is cached stays exact.

        Args:
            tokens: The segment.
            cache: The context before it; None at the start. It is not changed.
            is_valid: False at padding, which nobody sees; None when there is none.

        Returns:
            The context with the segment in it.
        """
        ...

    def denoise(self, canvas: Tokens, cache: Cache | None = None, *, self_conditioning: Probs | None = None) -> Logits:
        """Score the clean token at every canvas position.

        The canvas is bidirectional inside and sees the whole context.

        Args:
            canvas: The tokens as they are now, masked or noised where open.
            cache: The settled context; None when there is none. It is not changed.
            self_conditioning: This denoiser's own last probabilities, for families that use them; others ignore it.

        Returns:
            Logits; a family with [MASK] may give it any score, the sampler never commits it.
        """
        ...


@runtime_checkable
class ScoresSome(Protocol):
    """A denoiser that can leave positions out, at less cost and with the same scores of the others, to the bit.

    That holds for a whole multiple of 8 positions: matrix products may take another way for the last few rows. The
    scores are finite, and whoever gets them may write on them.
    """

    def denoise_some(
        self,
        canvas: Tokens,
        places: Places | None,
        cache: Cache | None = None,
        *,
        self_conditioning: Probs | None = None,
        sketch: Sketch | None = None,
    ) -> SomeLogits:
        """Score the clean token at some canvas positions.

        Args:
            canvas: The tokens as they are now, all of them or all but those that are sketched.
            places: Which positions; None for all.
            cache: The settled context; None when there is none.
            self_conditioning: As in ``Denoiser.denoise``, for every position of the canvas.
            sketch: What is behind; never scored. Not together with ``self_conditioning``.

        Returns:
            Logits of those positions, in the order of ``places``.
        """
        ...
