"""What stands between the matrix products of a layer, with gradients that make fewer passes over memory.

A training step of a small model spends more time here than in its products: every operation reads and writes whole
activations. Autograd would derive each gradient from its parts, several passes for one; here it is written out.
``docs/log.md`` has the times. A compiler derives and joins such passes itself, so it is given the plain parts. Letters
as in ``redraft.types``.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Complex, Float
from torch import Tensor

from redraft.types import Hidden

__all__ = ["Projections", "Rotations", "normalised", "product", "squared_relu", "turned", "with_prefix"]

Rotations = Complex[Tensor, "batch_or_one length pairs"]
"""Complex numbers of length 1: the angle of each place and pair of axes."""

Projections = Float[Tensor, "batch length three heads head_width"]
"""Queries, keys and values as the product leaves them."""

_PerHead = Float[Tensor, "batch length heads head_width"]

_Inputs = Float[Tensor, "batch length inputs"]
_Weight = Float[Tensor, "outputs inputs"]
_Outputs = Float[Tensor, "batch length outputs"]

_LEAST_LENGTH = 1e-4
"""Shorter rows are not stretched to full length."""


def normalised(x: Tensor) -> Tensor:
    """RMSNorm over the last axis, without parameters (arXiv 1910.07467); a row of zeros stays one.

    By way of the Euclidean length, which takes one pass where torch's own takes several (``docs/log.md``).
    """
    if torch.compiler.is_compiling():
        return _plainly_normalised(x)
    return _Normalised.apply(x)  # pyright: ignore[reportReturnType]


def product(x: _Inputs, weight: _Weight, dtype: torch.dtype | None) -> _Outputs:
    """The rows of ``x`` times a weight, multiplied in ``dtype``, which is also the result's; None: as they are."""
    return F.linear(x, weight) if dtype is None else F.linear(x.to(dtype), weight.to(dtype))


def squared_relu(x: Hidden) -> Hidden:
    """The square of what is above zero (Primer, arXiv 2109.08668)."""
    if torch.compiler.is_compiling():
        return x.relu().square()
    return _SquaredRelu.apply(x)  # pyright: ignore[reportReturnType]


def turned(qkv: Projections, rotations: Rotations) -> tuple[_PerHead, _PerHead, _PerHead]:
    """Queries and keys, normalised and rotated by their places (RoPE, arXiv 2104.09864); values as they are.

    Args:
        qkv: All three; of queries and keys axis 2 i goes with axis 2 i + 1.
        rotations: By how much each pair is turned.

    Returns:
        The three apart.
    """
    if torch.compiler.is_compiling():
        q, k, v = qkv.unbind(dim=2)
        angles = rotations[:, :, None]
        return _plainly_rotated(_plainly_normalised(q), angles), _plainly_rotated(_plainly_normalised(k), angles), v
    return _Turned.apply(qkv, rotations)  # pyright: ignore[reportReturnType]


def with_prefix(x: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """A tensor ``[batch, heads, positions, width]`` and its first positions, for who sees all and who less."""
    if torch.compiler.is_compiling():
        return x, x[:, :, :length]
    return _WithPrefix.apply(x, length)  # pyright: ignore[reportReturnType]


class _Normalised(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        length, scale = _length_and_scale(x)
        y = x * scale
        ctx.save_for_backward(y, scale, length)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        y, scale, length = ctx.saved_tensors
        return torch.addcmul(grad, y, _along(grad, y, length)).mul_(scale)


class _SquaredRelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        positive = x.relu()
        ctx.save_for_backward(positive)
        return positive.square()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        (positive,) = ctx.saved_tensors
        return (grad * positive).mul_(2.0)


class _Turned(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, qkv: Tensor, rotations: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = qkv[:, :, :2]
        length, scale = _length_and_scale(x)
        y = _rotated_(x * scale, rotations)
        ctx.save_for_backward(y, scale, length, rotations)
        q, k = y.unbind(dim=2)
        return q, k, qkv[:, :, 2].clone()

    @staticmethod
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, grad_q: Tensor, grad_k: Tensor, grad_v: Tensor
    ) -> tuple[Tensor, None]:
        y, scale, length, rotations = ctx.saved_tensors
        grad = torch.empty(*y.shape[:2], 3, *y.shape[3:], dtype=y.dtype, device=y.device)
        back = rotations.conj()
        for place, part in enumerate((grad_q, grad_k)):
            # A rotation changes no inner product, so the norm's gradient may be taken after it and turned back.
            along = _along(part, y[:, :, place], length[:, :, place])
            across = torch.addcmul(part.contiguous(), y[:, :, place], along)
            torch.mul(_rotated_(across[:, :, None], back)[:, :, 0], scale[:, :, place], out=grad[:, :, place])
        grad[:, :, 2] = grad_v
        return grad, None


class _WithPrefix(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, length: int) -> tuple[Tensor, Tensor]:
        ctx.length = length
        return x.view_as(x), x[:, :, :length]

    @staticmethod
    def backward(ctx: Any, grad: Tensor, grad_prefix: Tensor) -> tuple[Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        grad = grad.clone()
        grad[:, :, : ctx.length] += grad_prefix
        return grad, None


def _length_and_scale(x: Tensor) -> tuple[Tensor, Tensor]:
    """Each row's Euclidean length, and what a norm multiplies it by."""
    length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return length, math.sqrt(x.shape[-1]) / length.clamp_min(_LEAST_LENGTH)


def _along(grad: Tensor, y: Tensor, length: Tensor) -> Tensor:
    """What takes away the part of a gradient along its row, which a norm does not let through."""
    shares = (grad * y).sum(dim=-1, keepdim=True) / -y.shape[-1]
    return shares.masked_fill_(length < _LEAST_LENGTH, 0.0)


def _plainly_normalised(x: Tensor) -> Tensor:
    """What ``normalised`` comes to, for a compiler."""
    return x * _length_and_scale(x)[1]


def _plainly_rotated(x: Tensor, angles: Tensor) -> Tensor:
    """Each pair of the last axis turned by an angle that fits, in real numbers: compilers do not join complex ones."""
    first, second = x.unflatten(-1, (-1, 2)).unbind(-1)
    cosine, sine = angles.real.to(x.dtype), angles.imag.to(x.dtype)
    return torch.stack([first * cosine - second * sine, first * sine + second * cosine], dim=-1).flatten(-2)


def _rotated_(x: Tensor, rotations: Tensor) -> Tensor:
    """Rotate each pair of axes ``[batch, length, any, heads, head_width]`` by its angle; in place where complex is."""
    angles = rotations[:, :, None, None]
    if x.dtype not in (torch.float32, torch.float64):
        return _plainly_rotated(x, angles)  # there are no complex numbers of half precision
    torch.view_as_complex(x.unflatten(-1, (-1, 2))).mul_(angles)
    return x
