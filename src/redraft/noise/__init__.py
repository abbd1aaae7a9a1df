"""What corrupts a text, how to undo it exactly, and what that says about the loss.

Knows token ids, never a tokenizer, a network or a sampling rule.
"""

from redraft.noise.bound import continuous_bound, continuous_rate, discrete_bound, step_divergence
from redraft.noise.hybrid import Hybrid
from redraft.noise.masked import Masked
from redraft.noise.objective import LossParts, denoising_loss
from redraft.noise.process import MixtureProcess, Process
from redraft.noise.schedule import Cosine, Linear, NoiseSchedule, Polynomial, kept_since, loss_weight
from redraft.noise.timesteps import low_discrepancy_times
from redraft.noise.uniform import Uniform

__all__ = [
    "Cosine",
    "Hybrid",
    "Linear",
    "LossParts",
    "Masked",
    "MixtureProcess",
    "NoiseSchedule",
    "Polynomial",
    "Process",
    "Uniform",
    "continuous_bound",
    "continuous_rate",
    "denoising_loss",
    "discrete_bound",
    "kept_since",
    "loss_weight",
    "low_discrepancy_times",
    "step_divergence",
]
