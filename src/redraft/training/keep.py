"""What the model says of a token that stands there: how probable it is that the token is right.

With weight w on clean visible tokens the loss alone is least where the odds that a token is wrong are 1/w times too
high. Lowering the logit of the token by -log w inside the loss takes that out again: what the network itself gives is
then the probability, and gradients keep their weights. The sampler's edit rule reads exactly this distribution.
"""

import math
from dataclasses import dataclass

import torch

from redraft.noise.objective import FlatLogits, FlatMask, FlatTokens, FlatWeights

__all__ = ["KeepFigures", "choose_threshold", "keep_error", "lower_visible", "measure_keep", "unweighted"]

_NUM_BINS = 10


def lower_visible(logits: FlatLogits, seen: FlatTokens, is_visible: FlatMask, clean_weight: float) -> FlatLogits:
    """Lower the logit of each visible token by -log(clean_weight), for the loss only.

    Args:
        logits: What the network gives.
        seen: What stands at each position.
        is_visible: False at [MASK], where nothing changes.
        clean_weight: Weight of clean visible tokens in the loss, above 0.

    Returns:
        Logits for a loss with these weights.
    """
    shift = is_visible.to(logits.dtype) * math.log(clean_weight)
    return logits.scatter_add(1, seen[:, None], shift[:, None])


def unweighted(keep: FlatWeights, clean_weight: float) -> FlatWeights:
    """The probability that a token is right, from one that a loss with weight w taught: q / (q + w (1 - q)).

    For models trained without ``noise.is_keep_calibrated``. It is exact where the loss is least.

    >>> round(float(unweighted(torch.tensor([0.5]), 0.1)), 4)  # at even odds it is right ten times out of eleven
    0.9091
    """
    return keep / (keep + clean_weight * (1.0 - keep))


@dataclass(frozen=True, kw_only=True, slots=True)
class KeepFigures:
    """What editing at one threshold does to the visible tokens of some canvases."""

    threshold: float
    """A token gives way to the likeliest other one where that is more probable than this."""

    damage: float
    """Share of right tokens that change."""

    repair: float
    """Share of wrong tokens that become the right one."""


def measure_keep(
    logits: FlatLogits, seen: FlatTokens, truth: FlatTokens, thresholds: tuple[float, ...]
) -> list[KeepFigures]:
    """Apply the sampler's edit rule to visible tokens at several thresholds.

    Args:
        logits: What the network gives.
        seen: What stands there.
        truth: What should.
        thresholds: In any order.

    Returns:
        One record each.
    """
    sure, best = torch.softmax(logits.float(), dim=-1).max(dim=-1)
    is_right = seen == truth
    figures = []
    for threshold in thresholds:
        is_edited = (best != seen) & (sure > threshold)
        damaged = int((is_edited & is_right).sum())
        repaired = int((is_edited & ~is_right & (best == truth)).sum())
        figures.append(
            KeepFigures(
                threshold=threshold,
                damage=damaged / max(1, int(is_right.sum())),
                repair=repaired / max(1, int((~is_right).sum())),
            )
        )
    return figures


def choose_threshold(figures: list[KeepFigures], max_damage: float) -> KeepFigures:
    """The lowest threshold whose damage is small enough; the highest of all where none is."""
    ordered = sorted(figures, key=lambda figure: figure.threshold)
    return next((figure for figure in ordered if figure.damage <= max_damage), ordered[-1])


def keep_error(keep: FlatWeights, is_right: FlatMask) -> float:
    """Expected calibration error: the mean distance between what is said and what holds, over ten equal intervals.

    >>> keep_error(torch.tensor([0.75, 0.75, 0.75, 0.75]), torch.tensor([True, True, True, False]))
    0.0

    Args:
        keep: Probability that each token is right.
        is_right: Whether it is.

    Returns:
        A value in [0, 1]; 0 without tokens.
    """
    if not len(keep):
        return 0.0
    index = (keep * _NUM_BINS).long().clamp_max(_NUM_BINS - 1)
    zeros = torch.zeros(_NUM_BINS, dtype=torch.float64)
    said = zeros.scatter_add(0, index, keep.double())
    holds = zeros.scatter_add(0, index, is_right.double())
    return float((said - holds).abs().sum() / len(keep))
