"""Reads a canvas left to right, a slot per pass, on the keys and values of all earlier slots.

The autoregressive arm sees what the diffusion arm sees: slot i has the same embedding of its own and the same rotary
position in both. Where diffusion puts [MASK] at slot i and asks what belongs there, this reader puts the token of slot
i - 1 there (at slot 0, [MASK]) and asks the same. So the position that goes in is always that of the token that is
asked for, and never one off.
"""

import torch
from torch import Tensor

from redraft.denoiser.attention import attention
from redraft.denoiser.cache import HeadRows, KeyValueCache
from redraft.denoiser.transformer import Transformer
from redraft.errors import ConfigError
from redraft.types import Logits, Tokens

__all__ = ["SlotReader", "shifted"]


def shifted(canvas: Tokens, first: int) -> Tokens:
    """What a reader from left to right sees at each slot: the token before.

    >>> shifted(torch.tensor([[5, 6, 7]]), first=0)
    tensor([[0, 5, 6]])

    Args:
        canvas: The tokens by slot.
        first: Stands before slot 0: [MASK], since nothing is known there.

    Returns:
        A canvas of the same length.
    """
    return torch.cat([torch.full_like(canvas[:, :1], first), canvas[:, :-1]], dim=1)


class SlotReader:
    """Takes one token per row and pass, and scores what belongs at the next slot.

    Args:
        model: A causal transformer.
        context: The settled context of each row, without padding; None when there is none.
        num_rows: Rows that are read together.
        num_slots: Most slots.
    """

    def __init__(self, model: Transformer, context: KeyValueCache | None, *, num_rows: int, num_slots: int) -> None:
        if not model.config.is_causal:
            raise ConfigError("this model sees its whole canvas at once and can't be read left to right")
        assert context is None or not context.has_padding, "rows of one reader have contexts of one length"
        self._model = model
        self._num_context = 0 if context is None else context.length
        self._slot = 0
        self._attend = _Remembering(model, context, num_rows, num_slots)

    def read(self, before: Tokens) -> Logits:
        """Score the next slot of each row.

        Args:
            before: The token of the slot before; one per row.

        Returns:
            Logits of the one slot.
        """
        assert before.shape[1] == 1, "one token per row and pass"
        position = torch.full_like(before, self._num_context + self._slot)
        logits = self._model.read(before, first_slot=self._slot, positions=position, attend=self._attend.next())
        self._slot += 1
        return logits


class _Remembering:
    """One query per row over all that was remembered; the room is taken once, so that nothing is copied as it fills."""

    def __init__(self, model: Transformer, context: KeyValueCache | None, num_rows: int, num_slots: int) -> None:
        config = model.config
        self._length = 0 if context is None else context.length
        shape = (num_rows, config.num_heads, self._length + num_slots, config.head_width)
        like = model.head.weight
        self._keys = [like.new_empty(shape) for _ in range(config.num_visits)]
        self._values = [like.new_empty(shape) for _ in range(config.num_visits)]
        if context is not None:
            for room, held in zip([*self._keys, *self._values], [*context.keys, *context.values], strict=True):
                room[:, :, : self._length] = held
        self._visit = 0

    def next(self) -> "_Remembering":
        """Begin a pass: one more slot is held from now on."""
        self._visit = 0
        self._length += 1
        return self

    def __call__(self, q_BHLK: HeadRows, k_BHLK: HeadRows, v_BHLK: HeadRows) -> HeadRows:
        """Remember this visit's key and value and gather over all of them."""
        keys, values = self._held(self._keys, k_BHLK), self._held(self._values, v_BHLK)
        self._visit += 1
        return attention(q_BHLK, keys, values, None)

    def _held(self, rooms: list[Tensor], new: HeadRows) -> Tensor:
        room = rooms[self._visit]
        room[:, :, self._length - 1 : self._length] = new
        return room[:, :, : self._length]
