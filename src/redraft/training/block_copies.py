"""Block diffusion over whole rows in one pass: noised copies and the clean copy side by side.

A model that decodes block by block sees the clean blocks before and its own block as it stands. To train all blocks of
a row at once, the row goes in twice (BD3-LM, arXiv 2503.09573, section 3): a noised position sees its own noised block
and the clean blocks before it; a clean one sees the clean blocks up to its own. With complementary masks a second
noised copy stands beside the first, and the clean copy serves both.
"""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from redraft.denoiser.families import Backbone
from redraft.training.block_noise import NoisedCopies
from redraft.training.packing import TextBatch
from redraft.types import ScoredLogits, Tokens

__all__ = ["copies_sight", "score_copies", "scored_by"]

CopySight = Bool[Tensor, "batch positions seen"]
"""True where a position of the copies, laid one behind the other, may look."""

Places = Int[Tensor, "copies batch length"]
"""A place in the copies laid one behind the other."""


def copies_sight(document: Tokens, position: Tokens, *, block_length: int, num_copies: int) -> CopySight:
    """Who sees whom among N noised copies and the clean one behind them.

    >>> sight = copies_sight(torch.zeros(1, 2).long(), torch.tensor([[0, 1]]), block_length=1, num_copies=1)
    >>> sight.int().tolist()  # the second noised position sees itself and the clean first one
    [[[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 1, 1]]]

    Args:
        document: Number of the text at each position; no text sees another.
        position: Place within the text.
        block_length: Positions of a block, counted from the text's begin.
        num_copies: Noised copies.

    Returns:
        True where a position may look.
    """
    total = num_copies + 1
    copy = torch.arange(total, device=position.device).repeat_interleave(position.shape[1])
    block, text = (position // block_length).repeat(1, total), document.repeat(1, total)
    is_own = (copy[:, None] == copy) & (block[:, :, None] == block[:, None, :])
    is_earlier = (copy == num_copies) & (block[:, None, :] < block[:, :, None])
    return (is_own | is_earlier) & (text[:, :, None] == text[:, None, :])


def scored_by(position: Tokens, *, block_length: int, num_copies: int, is_shifted: bool) -> Places:
    """Where the output lies that scores each position of each noised copy.

    As when decoding: a shifted family scores a position by its left neighbour; the first one of a block by the last one
    of the settled block before it, which is in the clean copy; and the very first one of a text by itself.

    Args:
        position: Place within the text.
        block_length: Positions of a block.
        num_copies: Noised copies.
        is_shifted: Whether the family is shifted.

    Returns:
        Indices into the copies laid one behind the other, for the noised ones.
    """
    length = position.shape[1]
    itself = torch.arange(length, device=position.device)
    first = (torch.arange(num_copies, device=position.device) * length)[:, None, None]
    own = (first + itself).expand(num_copies, *position.shape)
    if not is_shifted:
        return own
    before = torch.where(position % block_length == 0, num_copies * length + itself - 1, first + itself - 1)
    return torch.where(position == 0, own, before)


def score_copies(
    backbone: Backbone,
    batch: TextBatch,
    noised: NoisedCopies,
    *,
    mask_token_id: int,
    block_length: int,
    is_shifted: bool,
) -> ScoredLogits:
    """Run the copies and score what is to be scored.

    Args:
        backbone: The model, or its compiled self.
        batch: Clean rows, on the model's device.
        noised: What is hidden and what counts, on the model's device.
        mask_token_id: Id of the mask.
        block_length: Positions of a block.
        is_shifted: Whether the family is shifted.

    Returns:
        One row of logits for each scored position, copy by copy and row by row.
    """
    num_copies = noised.is_masked.shape[0]
    x_t = batch.tokens.masked_fill(noised.is_masked, mask_token_id)
    tokens = torch.cat([*x_t, batch.tokens], dim=1)
    positions = batch.position.repeat(1, num_copies + 1)
    sight = copies_sight(batch.document, batch.position, block_length=block_length, num_copies=num_copies)
    hidden, _, _ = backbone(tokens, positions, sight=sight)
    places = scored_by(batch.position, block_length=block_length, num_copies=num_copies, is_shifted=is_shifted)
    _, row, _ = noised.is_scored.nonzero(as_tuple=True)
    return backbone.score(hidden[row, places[noised.is_scored]])
