"""Linear layers whose weights take one byte each; activations stay as they are.

Each output channel has a scale of its own, so that an outlier in one row costs the others nothing: a weight is
``round(w / scale)`` with ``scale = max|row| / 127``, and comes back within half a scale (LLM.int8, arXiv 2208.07339,
section 2, without its outlier columns). The product is computed in the type of the activations, from a slice of the
weight at a time. It saves memory, not time.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from redraft.errors import ConfigError

__all__ = ["Int8Linear", "quantise_", "quantise_rows"]

_SLICE_ELEMENTS = 1 << 24
"""Weights restored at once: 64 MiB in float32, a few layers' worth of nothing."""


class Int8Linear(nn.Module):
    """``F.linear`` with a weight of one byte per element.

    >>> exact = nn.Linear(3, 2)
    >>> _ = exact.weight.data.copy_(torch.tensor([[1.0, -1.0, 0.5], [0.0, 0.0, 0.25]])), exact.bias.data.zero_()
    >>> [round(float(y), 2) for y in Int8Linear.from_linear(exact)(torch.tensor([1.0, 0.0, 2.0]))]
    [2.01, 0.5]

    Args:
        weight: Whole numbers from -127 to 127, ``[out, in]``.
        scale: What each row is multiplied by, ``[out]``.
        bias: Added at the end; None for none.
    """

    def __init__(self, weight: Tensor, scale: Tensor, bias: Tensor | None = None) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.weight: Tensor
        self.scale: Tensor
        self.bias: Tensor | None
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale)
        self.register_buffer("bias", bias)

    @classmethod
    def from_linear(cls, linear: nn.Linear) -> "Int8Linear":
        """Return the layer that gives nearly what ``linear`` gives."""
        bias = None if linear.bias is None else linear.bias.detach().clone()
        return cls(*quantise_rows(linear.weight.detach()), bias)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply by the restored weight."""
        rows = max(1, _SLICE_ELEMENTS // self.in_features)
        parts = [F.linear(x, part.to(x.dtype)) for part in self.weight.split(rows)]
        y = (parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)) * self.scale.to(x.dtype)
        return y if self.bias is None else y + self.bias.to(x.dtype)

    def extra_repr(self) -> str:
        """Return sizes, for printing."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


def quantise_rows(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return a matrix as int8 and one float32 scale per row.

    Args:
        weight: Any matrix of finite numbers.

    Returns:
        The whole numbers and the scales.

    Raises:
        ConfigError: It is no matrix, or not finite.
    """
    if weight.dim() != 2:
        raise ConfigError(f"a weight of shape {tuple(weight.shape)} has no rows to quantise; a matrix is needed")
    whole = torch.empty(weight.shape, dtype=torch.int8, device=weight.device)
    scale = torch.empty(weight.shape[0], dtype=torch.float32, device=weight.device)
    rows = max(1, _SLICE_ELEMENTS // max(weight.shape[1], 1))
    # A slice at a time: the float32 copy of a large head would take more memory than is saved.
    for start in range(0, weight.shape[0], rows):
        part = weight[start : start + rows].float()
        largest = part.abs().amax(dim=1) if part.shape[1] else part.new_zeros(len(part))
        if not bool(torch.isfinite(largest).all()):
            raise ConfigError("a weight with NaN or infinity can't be quantised")
        scale[start : start + rows] = torch.where(largest > 0, largest / 127, 1.0)
        whole[start : start + rows] = (part / scale[start : start + rows, None]).round_().clamp_(-127, 127)
    return whole, scale


def quantise_(module: nn.Module, *, is_kept: Callable[[str], bool] = lambda name: False) -> int:
    """Replace every linear layer inside a module by an ``Int8Linear``, one after the other.

    Embeddings, norms, routers and a head that is tied to its embedding are no ``nn.Linear`` and stay as they are.

    Args:
        module: Changed in place.
        is_kept: Says by its dotted name which layer shall stay as it is.

    Returns:
        Number of layers replaced; one that stands in two places counts once.
    """
    found = [
        (parent, attribute, child)
        for parent_name, parent in module.named_modules()
        for attribute, child in parent.named_children()
        if isinstance(child, nn.Linear) and not is_kept(f"{parent_name}.{attribute}".lstrip("."))
    ]
    made: dict[int, Int8Linear] = {}  # a layer that stands in two places stays one layer
    while found:  # popping lets go of each weight at once, so that the peak is one layer above the result
        parent, attribute, child = found.pop()
        if id(child) not in made:
            made[id(child)] = Int8Linear.from_linear(child)
        setattr(parent, attribute, made[id(child)])
    return len(made)
