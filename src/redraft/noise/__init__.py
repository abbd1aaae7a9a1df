"""What corrupts a text, how to undo it exactly, and what that says about the loss.

Knows token ids, never a tokenizer, a network or a sampling rule.
"""

from redraft.noise.objective import LossParts, denoising_loss
from redraft.noise.timesteps import low_discrepancy_times

__all__ = ["LossParts", "denoising_loss", "low_discrepancy_times"]
