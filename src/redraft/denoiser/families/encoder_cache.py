"""The settled context of a model whose encoder writes keys and values and whose canvas reads them.

Each row's tokens stand at the right end, padding at the left. So the last tokens of every row are the last columns, and
a layer with a sliding window can keep just those, whatever the lengths of the rows.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from redraft.types import ContextMask, WholePerRow

__all__ = ["EncoderCache", "KnownMask", "LayerShape", "LayerStates"]

LayerStates = Float[Tensor, "batch _ _ _"]
"""Keys or values of one layer: batch, heads, columns held, head width. Only the batch is the same in all layers."""

KnownMask = Bool[Tensor, "batch _"]
"""A claim about each position of a context and a segment behind it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerShape:
    """What one layer holds of a context."""

    num_heads: int
    """Key and value heads."""
    head_width: int
    """Numbers per head."""
    window: int | None
    """A token sees itself and the ``window - 1`` before it, so that is how many are kept; None keeps all."""

    def columns(self, length: int) -> int:
        """How many columns the layer holds of a context of some length."""
        return length if self.window is None else min(length, self.window - 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderCache:
    """One context per row; never changed in place, so that requests can share a prefix."""

    shapes: tuple[LayerShape, ...]
    """One per layer."""
    keys: tuple[LayerStates, ...]
    """Rotated keys, one entry per layer."""
    values: tuple[LayerStates, ...]
    """Values, one entry per layer."""
    num_valid: WholePerRow
    """Context tokens of each row; they fill its right end."""
    length: int
    """Number of context positions held, padding included: that of the longest row."""

    @classmethod
    def empty(
        cls, shapes: tuple[LayerShape, ...], batch: int, *, dtype: torch.dtype, device: torch.device
    ) -> "EncoderCache":
        """No context at all.

        Args:
            shapes: One per layer.
            batch: Number of rows.
            dtype: That of keys and values.
            device: Where they live.

        Returns:
            The cache.
        """
        states = tuple(
            torch.zeros(batch, shape.num_heads, 0, shape.head_width, dtype=dtype, device=device) for shape in shapes
        )
        num_valid = torch.zeros(batch, dtype=torch.int64, device=device)
        return cls(shapes=shapes, keys=states, values=states, num_valid=num_valid, length=0)

    @property
    def is_valid(self) -> ContextMask:
        """False at padding."""
        columns = torch.arange(self.length, device=self.num_valid.device)
        return columns >= (self.length - self.num_valid).unsqueeze(1)

    @property
    def has_padding(self) -> bool:
        """Whether rows differ in length; costs a host round trip on an accelerator."""
        return bool((self.num_valid < self.length).any())

    def select(self, rows: WholePerRow) -> "EncoderCache":
        """The context of some rows, in the given order, no wider than the longest of them."""
        num_valid = self.num_valid[rows]
        length = int(num_valid.max()) if len(num_valid) else 0
        return EncoderCache(
            shapes=self.shapes,
            keys=tuple(
                _last(layer[rows], shape.columns(length)) for layer, shape in zip(self.keys, self.shapes, strict=True)
            ),
            values=tuple(
                _last(layer[rows], shape.columns(length)) for layer, shape in zip(self.values, self.shapes, strict=True)
            ),
            num_valid=num_valid,
            length=length,
        )

    def replaced(self, keys: list[Tensor], values: list[Tensor], is_valid: KnownMask) -> "EncoderCache":
        """A new cache of everything that is known after one more segment.

        Args:
            keys: Of each layer: what it held, then the segment's.
            values: The same for values.
            is_valid: For the whole context and the segment: False at padding, wherever it stands.

        Returns:
            The cache, with padding moved to the left.
        """
        num_valid = is_valid.sum(dim=1)
        length = int(num_valid.max()) if len(num_valid) else 0
        is_dense = bool(is_valid.all())

        def keep(layer: Tensor, shape: LayerShape) -> Tensor:
            if not is_dense:
                # Stable, so that tokens keep their order and padding, which is False, comes first.
                order = is_valid[:, is_valid.shape[1] - layer.shape[2] :].long().argsort(dim=1, stable=True)
                layer = layer.gather(2, order[:, None, :, None].expand_as(layer))
            return _last(layer, shape.columns(length))

        return EncoderCache(
            shapes=self.shapes,
            keys=tuple(keep(layer, shape) for layer, shape in zip(keys, self.shapes, strict=True)),
            values=tuple(keep(layer, shape) for layer, shape in zip(values, self.shapes, strict=True)),
            num_valid=num_valid,
            length=length,
        )


def _last(layer: Tensor, count: int) -> Tensor:
    """The last columns of a layer."""
    return layer[:, :, layer.shape[2] - count :]
