"""Keys and values of the settled context, exact because a settled segment never sees what comes after it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from redraft.types import TokenMask, WholePerRow

__all__ = ["HeadRows", "KeyValueCache", "SeenRows"]

HeadRows = Float[Tensor, "batch heads positions head_width"]
"""Queries, keys or values of all heads."""

SeenRows = Float[Tensor, "batch heads seen head_width"]
"""Keys or values that queries look at: the cached ones and their own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyValueCache:
    """One context per row; never changed in place, so that requests can share a prefix."""

    keys: tuple[HeadRows, ...]
    """Rotated keys, one entry per layer visit."""

    values: tuple[HeadRows, ...]
    """Values, one entry per layer visit."""

    is_valid: TokenMask
    """False at padding."""

    has_padding: bool
    """Whether any position is padding. Said once, when the context is made: looking costs a host round trip."""

    @property
    def length(self) -> int:
        """Number of context positions held, padding included."""
        return self.is_valid.shape[1]

    @property
    def num_valid(self) -> WholePerRow:
        """Number of context tokens of each row."""
        return self.is_valid.sum(dim=1)

    def extended(self, keys: list[HeadRows], values: list[HeadRows], is_valid: TokenMask) -> "KeyValueCache":
        """A new cache with one more segment at the end."""
        return KeyValueCache(
            keys=tuple(torch.cat(pair, dim=2) for pair in zip(self.keys, keys, strict=True)),
            values=tuple(torch.cat(pair, dim=2) for pair in zip(self.values, values, strict=True)),
            is_valid=torch.cat([self.is_valid, is_valid], dim=1),
            has_padding=self.has_padding or not bool(is_valid.all()),
        )

    def select(self, rows: WholePerRow) -> "KeyValueCache":
        """The cache of some rows, in the given order."""
        is_valid = self.is_valid[rows]
        return KeyValueCache(
            keys=tuple(layer[rows] for layer in self.keys),
            values=tuple(layer[rows] for layer in self.values),
            is_valid=is_valid,
            has_padding=self.has_padding and not bool(is_valid.all()),
        )
