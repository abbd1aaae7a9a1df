"""Certainty loss: where the model is right already, it shall be sure, so that more tokens settle in one pass.

The second stage of dParallel (arXiv 2509.26488): beside the cross-entropy, the entropy of what is predicted rightly. It
raises confidence, not accuracy, so what it costs on hard problems has to be measured.
"""

import torch

from redraft.noise.objective import FlatLogits, FlatMask, FlatTokens, Scalar

__all__ = ["certainty_loss"]


def certainty_loss(logits: FlatLogits, targets: FlatTokens, is_masked: FlatMask, temperature: float) -> Scalar:
    """Mean entropy, in nats, of softmax(logits / temperature) at masked positions whose likeliest token is right.

    >>> logits = torch.zeros(2, 4)
    >>> logits[:, 0] = 1e-3
    >>> round(certainty_loss(logits, torch.tensor([0, 1]), torch.tensor([True, True]), 0.5).item(), 3)  # log 4
    1.386

    Args:
        logits: Scores of some positions.
        targets: The right token of each.
        is_masked: Whether it is hidden.
        temperature: Divides the logits.

    Returns:
        The mean; 0 where no position counts.
    """
    counts = is_masked & (logits.argmax(dim=-1) == targets)
    log_probs = torch.log_softmax(logits.float() / temperature, dim=-1)
    entropy = -(log_probs.exp() * log_probs).sum(dim=-1)
    return (entropy * counts).sum() / counts.sum().clamp_min(1)
