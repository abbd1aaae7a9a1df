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

    @classmethod
    def tangled(cls, *, vocab_size: int, length: int, seed: int, scale: int = 1) -> "FakeDenoiser":
        """A denoiser whose every score depends on every token of the canvas and on the context, at random but for good.

        Scores are multiples of 1/64, so that their sums are exact: a row scores the same to the bit in any batch.

        Args:
            vocab_size: Number of token ids.
            length: Most canvas positions.
            seed: Picks one of many such denoisers.
            scale: Makes it surer of itself.

        Returns:
            The denoiser.
        """
        rng = torch.Generator().manual_seed(seed)
        shape = (length, vocab_size, length, vocab_size)  # from a token at a position to a score at a position
        influence = torch.randint(-32, 33, shape, generator=rng).float() / 64 * scale

        # Plain tensors, because the context has a length of its own.
        def logits_of(canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
            width = canvas.shape[1]
            logits = sum(influence[place, canvas[:, place], :width] for place in range(width))
            assert isinstance(logits, torch.Tensor), "a canvas has at least one position"
            if context is None:
                return logits
            return logits + influence[0, context.sum(dim=1) % vocab_size, :width]

        return cls(vocab_size=vocab_size, logits_of=logits_of)

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
