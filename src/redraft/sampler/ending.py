"""End of text: everything after the first one is end of text too, settled and not worth a pass.

Denoisers are trained on canvases whose tail is filled with it, so the fill only says what they would say. It lasts as
long as the end before it: when that is revised away, the tail opens again.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Int
from torch import Tensor

from redraft.sampler.canvas import Canvas
from redraft.types import Logits, TokenMask, Tokens, WholePerRow

__all__ = ["Ending", "PlaceNumbers", "place_numbers", "up_to", "width_of"]

PlaceNumbers = Int[Tensor, " canvas"]
"""A number for each position."""

_WIDTH_UNIT = 8
"""A power of two; widths are rounded up to a multiple of it, so that few shapes occur and the fill is seen to go on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """Where an end of text may stand on these canvases, and what follows from one that does."""

    ends: tuple[int, ...]
    """The token ids that end a text; what follows one of them is filled with the first."""
    may_end: TokenMask
    """Editable positions with no pinned text behind them: text can't end before text that has to stay."""
    is_restricted: bool
    """Whether pinned text forbids an end anywhere."""

    @classmethod
    def of(cls, canvas: Canvas, ends: tuple[int, ...]) -> "Ending":
        """Look where pinned text stands.

        Args:
            canvas: The canvas before the first pass.
            ends: The token ids that end a text.

        Returns:
            The rule for this canvas.
        """
        is_pinned_text = ~canvas.is_editable & ~_is_one_of(canvas.tokens, ends)
        pinned_from_here = is_pinned_text.flip(1).cumsum(dim=1).flip(1)
        may_end = canvas.is_editable & (pinned_from_here == 0)
        is_restricted = bool((canvas.is_editable & ~may_end).any())
        return cls(ends=ends, may_end=may_end, is_restricted=is_restricted)

    @property
    def fill(self) -> int:
        """The token id behind an end."""
        return self.ends[0]

    def forbid(self, logits: Logits, may_end: TokenMask, least: float) -> Logits:
        """Take the end of text out of the running where it may not stand.

        Args:
            logits: Scores; written to.
            may_end: This rule's ``may_end`` for the rows and positions scored.
            least: The score that means never.

        Returns:
            The same scores.
        """
        if self.is_restricted:
            for end in self.ends:
                logits[..., end].masked_fill_(~may_end, least)
        return logits

    def is_end(self, tokens: Tokens, is_settled: TokenMask, may_end: TokenMask) -> TokenMask:
        """Settled, unpinned ends of text.

        Args:
            tokens: The canvas.
            is_settled: Where its tokens stand.
            may_end: This rule's ``may_end`` for the same rows and positions.

        Returns:
            Where the text may have ended; the first of each row is where it has.
        """
        return _is_one_of(tokens, self.ends) & is_settled & may_end

    def after_end(self, tokens: Tokens, is_settled: TokenMask, was_after_end: TokenMask) -> TokenMask:
        """Positions behind the first end of text.

        Args:
            tokens: The canvas after a pass.
            is_settled: Where its tokens stand.
            was_after_end: The answer after the last pass: those ends only follow from the first one, and must not
                outlive it.

        Returns:
            All positions behind, pinned ones too.
        """
        ends = self.is_end(tokens, is_settled, self.may_end) & ~was_after_end
        return (ends.cumsum(dim=1) - ends.long()) > 0

    def predicted_width(self, proposed: Tokens, is_open: TokenMask, width: WholePerRow) -> WholePerRow:
        """How much of each row the next pass should take, where it follows the predicted end.

        Up to the last position that is proposed to hold text, and one more. Where text reaches the last position that
        was taken, no end is in sight, and where nothing would be open, the expected end did not come: then all.

        Args:
            proposed: The canvas after a pass, with its proposal where open.
            is_open: Where it is.
            width: How much of each row that pass took.

        Returns:
            Widths, at most the canvas's.
        """
        length = proposed.shape[1]
        place = place_numbers(length, proposed.device)
        is_taken = place <= width.unsqueeze(1)
        is_text = ~(_is_one_of(proposed, self.ends) & self.may_end) & is_taken
        content = (place * is_text).amax(dim=1)
        following = up_to(content + 1, length)
        has_work = (is_open & (place <= following.unsqueeze(1))).any(dim=1)
        return following.masked_fill((content >= width) | ~has_work, length)


@lru_cache(maxsize=64)
def place_numbers(length: int, device: torch.device) -> PlaceNumbers:
    """The positions of a canvas, counted from 1.

    >>> place_numbers(3, torch.device("cpu"))
    tensor([1, 2, 3])

    Args:
        length: How many.
        device: Where canvases live.

    Returns:
        The numbers; the same tensor each time, so never to be written to.
    """
    return torch.arange(1, length + 1, device=device)


def up_to(content: WholePerRow, length: int) -> WholePerRow:
    """Numbers of positions, rounded up to the unit of widths, at most a whole canvas.

    >>> up_to(torch.tensor([1, 8, 9, 30]), 20)
    tensor([ 8,  8, 16, 20])
    """
    return ((content + (_WIDTH_UNIT - 1)) & -_WIDTH_UNIT).clamp_max(length)


def _is_one_of(tokens: Tokens, ids: tuple[int, ...]) -> TokenMask:
    """Whether each token is one of a few ids."""
    is_one = tokens == ids[0]
    for id in ids[1:]:
        is_one = is_one | (tokens == id)
    return is_one


def width_of(is_after_end: TokenMask) -> WholePerRow:
    """How much of each row is worth scoring: up to its end of text, rounded up.

    Args:
        is_after_end: Positions behind the end.

    Returns:
        Widths, at most the canvas's.
    """
    return up_to((~is_after_end).sum(dim=1), is_after_end.shape[1])
