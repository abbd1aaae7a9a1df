"""Products in whole numbers: a matrix of bytes, and rows that are rounded to bytes when they come.

Each column of the matrix and each row of activations has a scale of its own (LLM.int8, arXiv 2208.07339, section 2,
without its outlier columns). Sums of products of bytes are exact, so a row gets the same bits whoever stands beside it
and however many threads there are. Where a processor has VNNI such a product takes a quarter of the time that
float32 takes; without it, thirty times as long (``docs/speed.md``).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int8
from torch import Tensor

from redraft.denoiser.int8 import quantise_rows
from redraft.errors import ConfigError

__all__ = ["ExactMatrix", "Int8Matrix", "Matrix", "Rows", "add_product_", "has_fast_int8", "product"]

Rows = Float[Tensor, "rows width"]
"""Activations, one position per row."""

RowScales = Float[Tensor, "rows 1"]
"""What each row is multiplied by."""

ExactMatrix = Float[Tensor, "_ _"]
"""A matrix in float32."""

WholeNumbers = Int8[Tensor, "_ _"]
"""A matrix of bytes."""

ColumnScales = Float[Tensor, " columns"]
"""What each column is multiplied by."""

_multiply: Callable[[Tensor, Tensor], Tensor] | None = getattr(torch, "_int_mm", None)
"""torch's product of bytes, summed in 32 bits; private, so it may be gone one day."""

_LEAST_SIZE = 1e-30
"""Rows that are smaller everywhere count as zero."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Int8Matrix:
    """A matrix that stands on the right of a product."""

    whole: WholeNumbers
    """Whole numbers from -127 to 127."""
    scale: ColumnScales
    """What each column is multiplied by."""

    @classmethod
    def of(cls, weight: ExactMatrix) -> "Int8Matrix":
        """The nearest such matrix.

        Args:
            weight: Finite numbers.

        Returns:
            It, no element further away than half its column's scale.

        Raises:
            ConfigError: Not all numbers are finite, or this torch has no product of whole numbers.
        """
        if _multiply is None:
            raise ConfigError(
                f"torch {torch.__version__} has no product of whole numbers; use float32 in place of int8"
            )
        whole, scale = quantise_rows(weight.t())
        return cls(whole=whole.t().contiguous(), scale=scale)

    def columns(self, start: int, stop: int | None = None) -> "Int8Matrix":
        """Some of the columns, without a copy."""
        return Int8Matrix(whole=self.whole[:, start:stop], scale=self.scale[start:stop])

    def unscaled(self, x: Rows) -> tuple[Tensor, RowScales]:
        """The product with rows, but for the scale of each row, which comes beside it."""
        scale = x.abs().amax(dim=-1, keepdim=True).clamp_min_(_LEAST_SIZE).div_(127)
        whole = x.div(scale).round_().to(torch.int8)
        assert _multiply is not None, "there is no such matrix without it"
        return _multiply(whole, self.whole).to(torch.float32).mul_(self.scale), scale


Matrix = ExactMatrix | Int8Matrix
"""Weights, ready to stand on the right of a product."""


def product(x: Rows, matrix: Matrix) -> Tensor:
    """Rows times a matrix, in the numbers of the matrix.

    >>> exact = torch.tensor([[1.0, -0.5], [0.25, 2.0]])
    >>> x = torch.tensor([[1.0, 0.5]])
    >>> product(x, exact), product(x, Int8Matrix.of(exact))
    (tensor([[1.1250, 0.5000]]), tensor([[1.1270, 0.5039]]))

    Args:
        x: The rows.
        matrix: What they are multiplied by.

    Returns:
        New rows.
    """
    if isinstance(matrix, Tensor):
        return torch.mm(x, matrix)
    rows, scale = matrix.unscaled(x)
    return rows.mul_(scale)


def add_product_(total: Tensor, x: Rows, matrix: Matrix) -> Tensor:
    """Add ``product(x, matrix)`` to what is there, in place.

    Args:
        total: Written to.
        x: The rows.
        matrix: What they are multiplied by.

    Returns:
        ``total``.
    """
    if isinstance(matrix, Tensor):
        return total.addmm_(x, matrix)
    return total.addcmul_(*matrix.unscaled(x))


def has_fast_int8() -> bool:
    """Whether this processor multiplies bytes faster than float32, told by its instructions.

    Nothing is timed: what it took would hang on what else the machine does, and the same seed would not give the same
    text (``docs/decisions/0006-float32-where-bf16-is-no-faster.md``).
    """
    return _multiply is not None and torch.cpu._is_vnni_supported()
