"""Masks as decoding by confidence leaves them.

A mask drawn at random hides easy and hard tokens alike. A sampler never meets that: what the model is surest of has
settled, and exactly the hard part is open. Training on such canvases is training on the states that are decoded from.
"""

import torch

from redraft.training.data import Batch
from redraft.training.guess import Guess, Rows
from redraft.types import TokenMask

__all__ = ["confident_mask"]

LEAST_SHOWN = 0.25
"""Smallest share of the hidden positions that is shown: less is what the all-mask canvas already trains."""


def confident_mask(
    batch: Batch,
    rows: Rows,
    before: TokenMask,
    *,
    mask: int,
    rng: torch.Generator,
    guess: Guess,
) -> TokenMask:
    """Draw masks that hide what the model is least sure of.

    The model looks once at the canvas with ``before`` hidden. A share of that, uniform between a quarter and all, is
    then shown in the order of its confidence, the probability of its likeliest token. The slack goes with the end.

    Args:
        batch: Clean canvases.
        rows: For which rows masks are wanted, one or more of them.
        before: What is hidden when the model looks.
        mask: Id of [MASK].
        rng: Source of every draw.
        guess: Asks the model for its logits.

    Returns:
        The masks; rows that are not wanted are all False.
    """
    hidden = before & rows[:, None]
    wanted = hidden & batch.is_content
    share = LEAST_SHOWN + (1.0 - LEAST_SHOWN) * torch.rand(len(rows), 1, generator=rng)
    logits = guess(rows, batch.canvas.masked_fill(hidden, mask), wanted[rows]).float().cpu()
    # [MASK] is no token of a text; the sampler never commits it.
    logits[:, mask] = -torch.inf
    confidence = torch.full(wanted.shape, -1.0)
    confidence[wanted] = torch.softmax(logits, dim=-1).amax(dim=-1)
    rank = confidence.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    is_hidden = wanted & (rank >= share * wanted.sum(dim=1, keepdim=True))
    end = batch.is_content.sum(dim=1, keepdim=True) - 1
    return is_hidden | (hidden & ~batch.is_content & is_hidden.gather(1, end))
