"""A denoiser without weights, for tests and examples.

It ships with the package so that whoever writes a rule, an engine or an interface can test it without a model.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from redraft.denoiser.protocol import Cache
from redraft.types import Logits, Probs, TokenMask, Tokens, WholePerRow

__all__ = ["FakeCache", "FakeDenoiser"]


@dataclass(frozen=True, slots=True)
class FakeCache:
    """Remembers the context tokens as they came."""

    tokens: Tokens

    @property
    def length(self) -> int:
        """Number of context positions."""
        return self.tokens.shape[1]

    def select(self, rows: WholePerRow) -> "FakeCache":
        """The context of some rows, in the given order."""
        return FakeCache(self.tokens[rows])


@dataclass(kw_only=True, slots=True)
class FakeDenoiser:
    """Scores a canvas by a function that the test supplies, and counts the calls.

    >>> fake = FakeDenoiser(vocab_size=3, logits_of=lambda canvas, context: torch.zeros(*canvas.shape, 3))
    >>> fake.denoise(torch.tensor([[2, 2]])).shape
    torch.Size([1, 2, 3])
    """

    vocab_size: int
    logits_of: Callable[[Tokens, Tokens | None], Logits]
    nfe: int = 0

    def encode(self, tokens: Tokens, cache: Cache | None = None, *, is_valid: TokenMask | None = None) -> FakeCache:
        """Append the segment; padding is kept as it came."""
        del is_valid
        if cache is None:
            return FakeCache(tokens)
        assert isinstance(cache, FakeCache), f"a FakeDenoiser takes a FakeCache, not {type(cache).__name__}"
        return FakeCache(torch.cat([cache.tokens, tokens], dim=1))

    def denoise(self, canvas: Tokens, cache: Cache | None = None, *, self_conditioning: Probs | None = None) -> Logits:
        """Call the supplied function."""
        del self_conditioning
        assert cache is None or isinstance(cache, FakeCache), "a FakeDenoiser takes a FakeCache"
        self.nfe += 1
        return self.logits_of(canvas, None if cache is None else cache.tokens)
