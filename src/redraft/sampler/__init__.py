"""The one loop that draws a canvas, for masked and uniform families, made of small rules.

Token ids in, token ids out: nothing here knows a tokenizer, a prompt or a task.
"""

from redraft.sampler.canvas import Canvas, SpecialIds
from redraft.sampler.loop import sample
from redraft.sampler.settings import SamplerSettings
from redraft.sampler.step import Step

__all__ = ["Canvas", "SamplerSettings", "SpecialIds", "Step", "sample"]
