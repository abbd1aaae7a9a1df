"""The training loss, as a pure function of logits: it knows no model, no schedule and no optimiser."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from redraft.errors import ConfigError

__all__ = ["Count", "FlatLogits", "FlatMask", "FlatTokens", "FlatWeights", "LossParts", "Scalar", "denoising_loss"]

FlatLogits = Float[Tensor, "positions vocab"]
"""Logits of the supervised positions of a whole batch, in any order."""

FlatTokens = Int[Tensor, " positions"]
"""One token id per supervised position."""

FlatMask = Bool[Tensor, " positions"]
"""A claim about each supervised position."""

FlatWeights = Float[Tensor, " positions"]
"""One weight per supervised position."""

Scalar = Float[Tensor, ""]
"""One real number, still a tensor."""

Count = Int[Tensor, ""]
"""One whole number, still a tensor."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LossParts:
    """The loss and what it is made of; all tensors, so that nothing waits for the device."""

    total: Scalar
    """Weighted mean loss in nats; the only part that carries a gradient."""

    corrupted_nats: Scalar
    """Plain mean cross-entropy of the corrupted positions; 0 where there are none."""

    clean_nats: Scalar
    """Plain mean cross-entropy of the clean positions; 0 where there are none."""

    num_corrupted: Count
    """Number of corrupted positions."""

    num_clean: Count
    """Number of clean positions."""


def denoising_loss(
    logits: FlatLogits,
    targets: FlatTokens,
    is_corrupted: FlatMask,
    *,
    clean_weight: float = 0.1,
    weights: FlatWeights | None = None,
    focal_gamma: float = 0.0,
) -> LossParts:
    """Weighted mean cross-entropy of the clean tokens, every noise time counting the same.

    total = sum_i w_i (1 - p_i)^gamma (-log p_i) / sum_i w_i, with p_i the probability of the target and
    w_i = weights_i * (1 if is_corrupted_i else clean_weight). There is no 1/t: the weighting that makes this a
    likelihood bound is in ``redraft.noise.bound``. The small weight on clean positions teaches to keep what is right.

    >>> parts = denoising_loss(torch.zeros(3, 4), torch.tensor([0, 1, 2]), torch.tensor([True, False, False]))
    >>> round(parts.total.item(), 4), int(parts.num_corrupted), int(parts.num_clean)  # log 4
    (1.3863, 1, 2)

    Args:
        logits: Scores of the supervised positions only, in any float type; the loss is computed in float32.
        targets: The clean token at each position.
        is_corrupted: Positions where the model saw something else than the target.
        clean_weight: Weight of the others, relative to 1; at 0 they are only reported.
        weights: A further factor per position, at least 0; None counts all alike.
        focal_gamma: Above 0, positions that are already sure count less (Focal Loss, arXiv 1708.02002, eq. 4).
            The divisor stays the same, so the loss itself becomes smaller.

    Returns:
        The loss and its parts. Where the weights sum to zero (no position at all, say), the total is 0, not NaN.

    Raises:
        ConfigError: A weight or gamma is negative.
    """
    if clean_weight < 0.0:
        raise ConfigError(f"clean_weight={clean_weight} is negative; use 0 or more, for example 0.1")
    if focal_gamma < 0.0:
        raise ConfigError(f"focal_gamma={focal_gamma} is negative; use 0 (off) or more, for example 1")
    # 1. One cross-entropy for all. In bfloat16 the normaliser over the vocabulary would lose the small probabilities.
    nats = F.cross_entropy(logits.float(), targets.long(), reduction="none")
    # 2. What each position counts.
    position_weights = torch.where(is_corrupted, 1.0, clean_weight)
    if weights is not None:
        position_weights = position_weights * weights.float()
    # 3. The loss. The floor only acts on a sum of exactly zero: the numerator is then zero too.
    weighted = position_weights * nats
    if focal_gamma > 0.0:
        # Below the floor the power has an infinite slope when gamma < 1, and inf * 0 is NaN in the gradient.
        doubt = (-torch.expm1(-nats)).clamp_min(torch.finfo(torch.float32).eps)
        weighted = weighted * doubt**focal_gamma
    total = weighted.sum() / position_weights.sum().clamp_min(torch.finfo(torch.float32).tiny)
    # 4. The report.
    plain = nats.detach()
    num_corrupted = is_corrupted.sum()
    num_clean = (~is_corrupted).sum()
    return LossParts(
        total=total,
        corrupted_nats=(plain * is_corrupted).sum() / num_corrupted.clamp_min(1),
        clean_nats=(plain * ~is_corrupted).sum() / num_clean.clamp_min(1),
        num_corrupted=num_corrupted,
        num_clean=num_clean,
    )
