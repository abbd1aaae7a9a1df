"""What corrupts a text, how to undo it exactly, and what that says about the loss.

Knows token ids, never a tokenizer, a network or a sampling rule.
"""

from redraft.noise.objective import LossParts, denoising_loss
from redraft.noise.schedule import Cosine, Linear, NoiseSchedule, Polynomial, kept_since, loss_weight
from redraft.noise.timesteps import low_discrepancy_times

__all__ = [
    "Cosine",
    "Linear",
    "LossParts",
    "NoiseSchedule",
    "Polynomial",
    "denoising_loss",
    "kept_since",
    "loss_weight",
    "low_discrepancy_times",
]
