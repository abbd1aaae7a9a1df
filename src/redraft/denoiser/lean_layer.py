"""One layer of the native transformer as answering needs it: few operations, most of them in place.

Letters as in ``redraft.types``; N counts the positions of all rows. Three things are folded into the weights once: the
size that a norm gives its rows, the transpose, and the order of the rotary axes, which puts the two of each pair side
by side, so that rotating them is one complex product.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Complex
from torch import Tensor

from redraft.denoiser.cache import HeadRows, SeenRows
from redraft.denoiser.int8_matrix import ExactMatrix, Int8Matrix, Matrix, Rows, add_product_, product
from redraft.denoiser.transformer import Layer

__all__ = ["HeadRotations", "LeanLayer", "Rows", "unit"]

HeadRotations = Complex[Tensor, "_ length 1 1 pairs"]
"""By how much each pair of axes is turned, the same in all heads; one row for all where no row has padding. Their size,
K^(1/4), becomes that of a query or key, so that two agree by sqrt(K) at most, as rows of length sqrt(K) do at the usual
scale of 1 / sqrt(K)."""

_LEAST_LENGTH = 1e-4
"""As in the transformer: shorter rows are not stretched to full length."""


def unit(x: Tensor) -> Tensor:
    """Rows of Euclidean length 1."""
    return x / torch.linalg.vector_norm(x, dim=-1, keepdim=True).clamp_min_(_LEAST_LENGTH)


@dataclass(frozen=True, kw_only=True, slots=True)
class LeanLayer:
    """The matrices of one layer."""

    num_heads: int
    """Attention heads."""
    qkv: Matrix
    """Queries, keys and values at once."""
    q: Matrix
    """Its columns of queries alone."""
    kv: Matrix
    """And of keys and values."""
    out: ExactMatrix
    """From attention back to the residual stream; too small to gain from whole numbers."""
    mlp_in: Matrix
    """Into the MLP."""
    mlp_out: Matrix
    """And out of it."""

    @classmethod
    def of(cls, layer: Layer, *, is_int8: bool) -> "LeanLayer":
        """Copy, fold, transpose and, if asked to, round the weights of a layer."""
        width = layer.attention.qkv.weight.shape[1]
        stretch = math.sqrt(width)
        qkv = (layer.attention.qkv.weight.detach().index_select(0, layer.attention.order) * stretch).t().contiguous()
        mlp_in = (layer.mlp_in.weight.detach() * stretch).t().contiguous()
        mlp_out = layer.mlp_out.weight.detach().t().contiguous()
        whole = Int8Matrix.of(qkv) if is_int8 else None
        return cls(
            num_heads=layer.attention.num_heads,
            qkv=whole or qkv,
            q=whole.columns(0, width) if whole else qkv[:, :width],
            kv=whole.columns(width) if whole else qkv[:, width:],
            out=layer.attention.out.weight.detach().t().contiguous(),
            mlp_in=Int8Matrix.of(mlp_in) if is_int8 else mlp_in,
            mlp_out=Int8Matrix.of(mlp_out) if is_int8 else mlp_out,
        )

    def queries_keys_values(
        self, x_ND: Rows, rotations: HeadRotations, batch: int
    ) -> tuple[HeadRows, HeadRows, HeadRows]:
        """All three, of unit rows ``x_ND``."""
        qkv = product(x_ND, self.qkv).view(batch, -1, 3, self.num_heads, self.out.shape[0] // self.num_heads)
        _turn_(qkv[:, :, :2], rotations)
        q_BHLK, k_BHLK, v_BHLK = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        return q_BHLK, k_BHLK, v_BHLK

    def keys_values(self, x_ND: Rows, rotations: HeadRotations, batch: int) -> tuple[HeadRows, HeadRows]:
        """Just these two, where not every position has a question."""
        width = self.out.shape[0]
        kv = product(x_ND, self.kv).view(batch, -1, 2, self.num_heads, width // self.num_heads)
        _turn_(kv[:, :, :1], rotations)
        k_BHLK, v_BHLK = kv.permute(2, 0, 3, 1, 4).unbind(0)
        return k_BHLK, v_BHLK

    def queries(self, x_ND: Rows, rotations: HeadRotations, batch: int) -> HeadRows:
        """Just these, of the positions that have one."""
        width = self.out.shape[0]
        q = product(x_ND, self.q).view(batch, -1, 1, self.num_heads, width // self.num_heads)
        _turn_(q, rotations)
        return q[:, :, 0].transpose(1, 2)

    def finish_(self, x_ND: Rows, q_BHLK: HeadRows, k_BHSK: SeenRows, v_BHSK: SeenRows, bias: Tensor | None) -> Rows:
        """Gather values, and add what attention and then the MLP write to the residual stream, in place."""
        x_ND.addmm_(_gathered(q_BHLK, k_BHSK, v_BHSK, bias).transpose(1, 2).reshape(x_ND.shape), self.out)
        return add_product_(x_ND, product(unit(x_ND), self.mlp_in).relu_().square_(), self.mlp_out)


def _gathered(q_BHLK: HeadRows, k_BHSK: SeenRows, v_BHSK: SeenRows, bias: Tensor | None) -> HeadRows:
    """Attention, written out: scores are bounded by sqrt(K), so no maximum has to be taken off before ``exp``."""
    agreement = torch.bmm(q_BHLK.flatten(0, 1), k_BHSK.flatten(0, 1).transpose(1, 2))
    if bias is not None:
        agreement.view(*q_BHLK.shape[:3], -1).add_(bias)
    weights = agreement.exp_()
    mixed = torch.bmm(weights, v_BHSK.flatten(0, 1)).div_(weights.sum(dim=2, keepdim=True))
    return mixed.view(q_BHLK.shape)


def _turn_(x: Tensor, rotations: HeadRotations) -> None:
    """Bring queries or keys ``[batch, length, any, heads, head_width]`` to length 1 and rotate (and stretch) them."""
    x.div_(torch.linalg.vector_norm(x, dim=-1, keepdim=True).clamp_min_(_LEAST_LENGTH))
    torch.view_as_complex(x.unflatten(-1, (-1, 2))).mul_(rotations)
