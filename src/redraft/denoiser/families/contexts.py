"""What the public families remember of the settled context."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from redraft.denoiser.cache import KeyValueCache
from redraft.types import ContextMask, ContextTokens, WholePerRow

__all__ = ["BlockContext", "FullContext", "RowStates"]

RowStates = Float[Tensor, "batch width"]
"""One activation per row."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FullContext:
    """The context of a full-attention family: tokens, since nothing computed from them stays exact."""

    tokens: ContextTokens
    """Token ids, padding included."""

    is_valid: ContextMask
    """False at padding."""

    has_padding: bool
    """Whether any position is padding."""

    @property
    def length(self) -> int:
        """Number of context positions held, padding included."""
        return self.tokens.shape[1]

    def select(self, rows: WholePerRow) -> "FullContext":
        """The context of some rows, in the given order."""
        return FullContext(tokens=self.tokens[rows], is_valid=self.is_valid[rows], has_padding=self.has_padding)


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockContext:
    """The context of a block family: exact keys and values of whole blocks, and the tokens that are left over."""

    settled: KeyValueCache
    """Keys and values of whole blocks, padded on the left; each row holds a multiple of the block length."""

    tail: ContextTokens
    """What is left over of each row, padded on the left; shorter than a block."""

    tail_is_valid: ContextMask
    """False at padding."""

    last_hidden: RowStates
    """Activation of each row's last settled position, which a shifted family scores the next one by; zeros without."""

    has_padding: bool
    """Whether any position is padding."""

    @property
    def length(self) -> int:
        """Number of context positions held, padding included."""
        return self.settled.length + self.tail.shape[1]

    @property
    def num_settled(self) -> WholePerRow:
        """Number of tokens of each row in whole blocks."""
        return self.settled.num_valid

    def select(self, rows: WholePerRow) -> "BlockContext":
        """The context of some rows, in the given order."""
        return BlockContext(
            settled=self.settled.select(rows),
            tail=self.tail[rows],
            tail_is_valid=self.tail_is_valid[rows],
            last_hidden=self.last_hidden[rows],
            has_padding=self.has_padding,
        )
