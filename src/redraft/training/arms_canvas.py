"""What the arms that diffusion is compared with see on a canvas, in place of a noised one."""

import torch

from redraft.denoiser.causal import shifted
from redraft.training.arms import ArmRecipe
from redraft.training.corruption import Noised, TokenTable
from redraft.training.data import Batch

__all__ = ["seen_by_arm"]


def seen_by_arm(batch: Batch, arm: ArmRecipe, table: TokenTable) -> Noised:
    """Lay out clean canvases for an arm; nothing is drawn.

    An autoregressive arm sees at each slot the token of the slot before, so what is scored there is the next token: of
    the text, the [NULL] slots and the end alike. The one-shot arm sees nothing but [MASK].

    Args:
        batch: Clean canvases.
        arm: Any but diffusion.
        table: What is known of the vocabulary.

    Returns:
        The canvases; every position counts as corrupted, since none shows what is asked for.
    """
    assert arm.name != "diffusion", "diffusion sees what its noise leaves"
    if arm.name == "one_shot":
        canvas = torch.full_like(batch.canvas, table.mask)
    else:
        canvas = shifted(batch.canvas, first=table.mask)
    return Noised(
        canvas=canvas,
        is_corrupted=torch.ones_like(batch.is_content),
        sees_context=torch.ones(batch.num_rows, dtype=torch.bool),
    )
