"""What a pass leaves out of a canvas, seen through a few positions that stand for the rest.

Masked positions far behind the text say little but how much room is left. Without them a model that only ever saw whole
canvases takes the canvas to end there, and writes as if the answer had to fit. Dropping most of them, the further away
the more, is DPad's finding (arXiv 2508.14148); here those that stay count in the attention as many as they stand for,
and without that the rest is worth nothing (``docs/speed.md``).
"""

from dataclasses import dataclass
from functools import lru_cache

import torch

from redraft.denoiser.protocol import Sketch
from redraft.sampler.canvas import Canvas
from redraft.sampler.ending import place_numbers, up_to
from redraft.types import WholePerRow

__all__ = ["Sketching", "sketch_behind"]


_GOLDEN_RATIO = (5**0.5 - 1) / 2
"""Its multiples, without whole parts, are spread as evenly as those of any number."""


@lru_cache(maxsize=256)
def sketch_behind(width: int, length: int, size: int, mask_token_id: int, device: torch.device) -> Sketch:
    """Divide the positions behind ``width`` into stretches of nearly equal length, and take one of each.

    Which one changes from stretch to stretch by the golden ratio: text has a period of its own (the digits of a number
    and what parts it from the next), and positions at equal distances may all stand at the same place in it.

    >>> sketch_behind(4, 14, 2, 9, torch.device("cpu"))
    Sketch(places=tensor([6, 9]), counts=tensor([5., 5.]), mask_token_id=9)

    Args:
        width: Positions that are taken one by one.
        length: Positions of the canvas.
        size: Number of stretches; where there are fewer positions, each is one.
        mask_token_id: What stands there.
        device: Where the canvas lives.

    Returns:
        The sketch.
    """
    size = min(size, length - width)
    edges = width + (length - width) * torch.arange(size + 1) // size
    counts = edges.diff()
    offsets = ((0.5 + _GOLDEN_RATIO * torch.arange(size, dtype=torch.float64)) % 1.0 * counts).long()
    return Sketch(
        places=(edges[:-1] + offsets).to(device), counts=counts.float().to(device), mask_token_id=mask_token_id
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Sketching:
    """How much of a canvas a pass takes position by position."""

    size: int
    """How many positions stand for the rest; a multiple of 8."""
    lookahead: int
    """Open positions that may settle in a pass; they are taken one by one."""
    margin: int
    """Positions behind those that are, too."""

    def widths(self, canvas: Canvas) -> WholePerRow:
        """How many positions of each row to take one by one.

        All that stands, all that may settle, and some behind it; the whole canvas where a sketch would spare nothing.

        Args:
            canvas: The rows.

        Returns:
            Widths.
        """
        place = place_numbers(canvas.length, canvas.tokens.device)
        is_near = canvas.is_open & (canvas.is_open.cumsum(dim=1) <= self.lookahead)
        near = (place * is_near).amax(dim=1) + self.margin
        standing = (place * canvas.is_settled).amax(dim=1)
        widths = up_to(torch.maximum(near, standing), canvas.length)
        return widths.masked_fill(widths + self.size >= canvas.length, canvas.length)  # nothing would be spared
