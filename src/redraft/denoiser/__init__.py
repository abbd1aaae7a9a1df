"""Denoisers: what scores the clean token at every position of a canvas."""

from redraft.denoiser.cache import KeyValueCache
from redraft.denoiser.config import TransformerConfig
from redraft.denoiser.fake import FakeCache, FakeDenoiser
from redraft.denoiser.lean import LeanTransformer
from redraft.denoiser.protocol import Cache, Denoiser, ScoresSome
from redraft.denoiser.threads import ThreadTuner
from redraft.denoiser.transformer import Transformer

__all__ = [
    "Cache",
    "Denoiser",
    "FakeCache",
    "FakeDenoiser",
    "KeyValueCache",
    "LeanTransformer",
    "ScoresSome",
    "ThreadTuner",
    "Transformer",
    "TransformerConfig",
]
