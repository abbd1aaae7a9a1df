"""Texts as rows of equal length: each ended, filled up to a whole block, laid behind the one before, cut at the row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from redraft.types import TokenMask, Tokens

__all__ = ["TextBatch", "pack"]

_PADDING = -1
"""Document number of what fills a row that no text reaches the end of."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TextBatch:
    """Packed rows, on the CPU."""

    tokens: Tokens
    """Clean tokens."""

    document: Tokens
    """Number of the text within its row; -1 behind the last one."""

    position: Tokens
    """Place within the text, from 0; a text that goes on in the next row starts anew there."""

    is_supervised: TokenMask
    """Whether the loss scores a position: the text, its end, and a few ends behind it."""

    @property
    def num_rows(self) -> int:
        """Rows."""
        return self.tokens.shape[0]

    @property
    def num_tokens(self) -> int:
        """Positions of the clean copy, padding included."""
        return self.tokens.numel()

    def rows(self, begin: int, end: int) -> "TextBatch":
        """Some of the rows."""
        return self._each(lambda field: field[begin:end])

    def chosen(self, numbers: Sequence[int]) -> "TextBatch":
        """The rows with these numbers, in their order."""
        return self._each(lambda field: field[torch.tensor(numbers)])

    def to(self, device: torch.device) -> "TextBatch":
        """The same on a device."""
        return self._each(lambda field: field.to(device))

    def _each(self, change: Callable[[Tensor], Tensor]) -> "TextBatch":
        return TextBatch(**{field.name: change(getattr(self, field.name)) for field in fields(self)})


def pack(texts: Sequence[list[int]], *, row_length: int, block_length: int, end: int, end_tokens: int) -> TextBatch:
    """Lay ended texts one behind the other, each from a block of its own on, cut where a row ends.

    Args:
        texts: Ids of each text, without its end.
        row_length: Tokens of a row, a multiple of ``block_length``.
        block_length: Positions of a block.
        end: Id of the end of text, which also fills up blocks and the last row.
        end_tokens: Ends after the first that are supervised, as far as the block has room for them.

    Returns:
        All rows; the last one may be partly empty.
    """
    tokens, document, position, is_supervised = [], [], [], []
    number = 0
    for text in texts:
        length = len(text) + 1
        padded = -(-length // block_length) * block_length
        ids = text + [end] * (padded - len(text))
        scored = [place < length + end_tokens for place in range(padded)]
        begin = 0
        while begin < padded:
            room = row_length - len(tokens) % row_length
            taken = min(room, padded - begin)
            tokens += ids[begin : begin + taken]
            is_supervised += scored[begin : begin + taken]
            document += [number] * taken
            position += range(taken)
            number = 0 if taken == room else number + 1
            begin += taken
    left = -len(tokens) % row_length
    tokens += [end] * left
    document += [_PADDING] * left
    position += range(left)
    is_supervised += [False] * left
    return TextBatch(
        tokens=torch.tensor(tokens).view(-1, row_length),
        document=torch.tensor(document).view(-1, row_length),
        position=torch.tensor(position).view(-1, row_length),
        is_supervised=torch.tensor(is_supervised).view(-1, row_length),
    )
