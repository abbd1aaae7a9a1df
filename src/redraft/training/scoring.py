"""The loss of one step, with the options of the noise section that change it."""

from dataclasses import replace

from redraft.noise import LossParts, denoising_loss
from redraft.noise.objective import FlatLogits, FlatMask, FlatTokens
from redraft.training.certainty import certainty_loss
from redraft.training.config import NoiseRecipe
from redraft.training.keep import lower_visible

__all__ = ["score"]


def score(
    logits: FlatLogits, truth: FlatTokens, seen: FlatTokens, is_corrupted: FlatMask, recipe: NoiseRecipe, mask: int
) -> LossParts:
    """Score the supervised positions of a diffusion step.

    Args:
        logits: What the network gives.
        truth: The clean tokens.
        seen: What stood there.
        is_corrupted: Where that is something else.
        recipe: Weights and options.
        mask: Id of [MASK].

    Returns:
        The loss and its parts.
    """
    is_masked = seen == mask
    weighted = logits
    if recipe.is_keep_calibrated:
        weighted = lower_visible(logits, seen, ~is_masked, recipe.clean_weight)
    parts = denoising_loss(weighted, truth, is_corrupted, clean_weight=recipe.clean_weight)
    if not recipe.certainty_weight:
        return parts
    certainty = certainty_loss(logits, truth, is_masked, recipe.certainty_temperature)
    return replace(parts, total=parts.total + recipe.certainty_weight * certainty)
