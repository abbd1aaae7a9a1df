"""Which positions of a batch of packed texts are hidden, block by block, in one copy or in two inverse ones."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from redraft.noise import low_discrepancy_times
from redraft.training.adapt_config import BlockNoiseRecipe
from redraft.training.packing import TextBatch

__all__ = ["CopyMasks", "NoisedCopies", "draw_masks"]

CopyMasks = Bool[Tensor, "copies batch length"]
"""Which positions each noised copy hides."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NoisedCopies:
    """What the model sees of a batch, and what is scored."""

    is_masked: CopyMasks
    """Hidden positions of each copy."""

    is_scored: CopyMasks
    """Those that the loss counts."""


def draw_masks(batch: TextBatch, recipe: BlockNoiseRecipe, rng: torch.Generator) -> NoisedCopies:
    """Hide positions: each block of each row has a share of its own, each position is hidden by itself.

    Args:
        batch: Clean rows.
        recipe: Shares, and whether there is a second, inverse copy.
        rng: Source of every draw.

    Returns:
        One or two copies.
    """
    num_rows, length = batch.tokens.shape
    num_blocks = length // recipe.block_length
    times = low_discrepancy_times(num_rows * num_blocks, rng, low=recipe.low_time, high=recipe.high_time)
    is_all = torch.rand(num_rows * num_blocks, generator=rng) < recipe.all_mask_share
    times = torch.where(is_all, 1.0, times).view(num_rows, num_blocks).repeat_interleave(recipe.block_length, dim=1)
    is_hidden = torch.rand(num_rows, length, generator=rng) < times
    is_masked = torch.stack([is_hidden, ~is_hidden] if recipe.is_complementary else [is_hidden])
    return NoisedCopies(is_masked=is_masked, is_scored=is_masked & batch.is_supervised)
