"""Segment-causal attention: who sees whom, in three situations.

A settled segment is bidirectional inside and sees earlier segments; the canvas is bidirectional inside and sees every
segment. With ``is_causal`` a position of the canvas also sees nothing to its right, and one of a segment neither
unless the segments of such a model are read both ways.
"""

import math
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from redraft.denoiser.cache import HeadRows, KeyValueCache, SeenRows
from redraft.denoiser.elementwise import with_prefix
from redraft.types import ContextMask, TokenMask

__all__ = [
    "Attend",
    "Bias",
    "CanvasAttention",
    "SegmentAttention",
    "TrainingAttention",
    "attention",
    "causal_bias",
    "keep_self_visible",
    "padding_bias",
]

Bias = Float[Tensor, "batch_or_one one rows columns"]
"""Added to the attention scores: 0 where a query may see a key, minus infinity where not."""

PerQueryBias = Float[Tensor, "batch_or_one one queries columns"]
"""A bias with a row for each query, never one for all."""


@runtime_checkable
class Attend(Protocol):
    """Turns one layer visit's queries, keys and values into what each position gathered."""

    def __call__(self, q_BHLK: HeadRows, k_BHLK: HeadRows, v_BHLK: HeadRows) -> HeadRows:
        """Gather values; called once per layer visit, in order."""
        ...


def attention(q_BHLK: HeadRows, k_BHSK: SeenRows, v_BHSK: SeenRows, bias: Bias | None) -> HeadRows:
    """Softmax-weighted mean of the values (arXiv 1706.03762, equation 1)."""
    return F.scaled_dot_product_attention(q_BHLK, k_BHSK, v_BHSK, attn_mask=bias)


def padding_bias(is_valid: TokenMask, dtype: torch.dtype) -> Bias:
    """Hide padding from every query."""
    bias = torch.zeros(is_valid.shape, dtype=dtype, device=is_valid.device).masked_fill(~is_valid, -math.inf)
    return bias[:, None, None, :]


def causal_bias(num_queries: int, num_keys: int, like: Tensor) -> Bias:
    """Hide what is to the right; the queries are the last ``num_queries`` of the keys."""
    full = torch.full((num_queries, num_keys), -math.inf, dtype=like.dtype, device=like.device)
    return full.triu(num_keys - num_queries + 1)[None, None]


def keep_self_visible(bias: Bias, num_queries: int) -> PerQueryBias:
    """Let each position see itself: a padding query that sees nobody would turn into NaN."""
    batch, _, _, num_keys = bias.shape
    bias = bias.expand(batch, 1, num_queries, num_keys).clone()
    bias[..., num_keys - num_queries :].diagonal(dim1=-2, dim2=-1).zero_()
    return bias


class SegmentAttention:
    """A new segment over itself and the cache; keeps its keys and values."""

    def __init__(
        self,
        cache: KeyValueCache | None,
        is_valid: TokenMask | None,
        segment_length: int,
        like: Tensor,
        *,
        is_causal: bool,
    ) -> None:
        self.cache = cache
        self.bias = _segment_bias(cache, is_valid, segment_length, like, is_causal=is_causal)
        self.keys: list[HeadRows] = []
        self.values: list[HeadRows] = []

    def __call__(self, q_BHLK: HeadRows, k_BHLK: HeadRows, v_BHLK: HeadRows) -> HeadRows:
        """Gather values and remember this visit's keys and values."""
        visit = len(self.keys)
        self.keys.append(k_BHLK)
        self.values.append(v_BHLK)
        return attention(q_BHLK, *_seen(self.cache, visit, k_BHLK, v_BHLK), self.bias)


def _segment_bias(
    cache: KeyValueCache | None, is_valid: TokenMask | None, segment_length: int, like: Tensor, *, is_causal: bool
) -> Bias | None:
    """The bias of all layer visits of a segment."""
    num_keys = segment_length + (0 if cache is None else cache.length)
    bias = causal_bias(segment_length, num_keys, like) if is_causal else None
    if is_valid is None:
        return bias
    earlier = [] if cache is None else [cache.is_valid]
    hidden = padding_bias(torch.cat([*earlier, is_valid], dim=1), like.dtype)
    return keep_self_visible(hidden if bias is None else hidden + bias, segment_length)


def _seen(cache: KeyValueCache | None, visit: int, k_BHLK: HeadRows, v_BHLK: HeadRows) -> tuple[SeenRows, SeenRows]:
    """Keys and values of the context, then the new ones."""
    if cache is None:
        return k_BHLK, v_BHLK
    return torch.cat([cache.keys[visit], k_BHLK], dim=2), torch.cat([cache.values[visit], v_BHLK], dim=2)


class CanvasAttention:
    """The open canvas over itself and the cache."""

    def __init__(self, cache: KeyValueCache | None, canvas_length: int, like: Tensor, *, is_causal: bool) -> None:
        self.cache = cache
        self.visit = 0
        self.bias: Bias | None = None
        if cache is not None and cache.has_padding:
            on_canvas = cache.is_valid.new_ones(cache.is_valid.shape[0], canvas_length)
            self.bias = padding_bias(torch.cat([cache.is_valid, on_canvas], dim=1), like.dtype)
        if is_causal:
            num_keys = canvas_length + (0 if cache is None else cache.length)
            causal = causal_bias(canvas_length, num_keys, like)
            self.bias = causal if self.bias is None else self.bias + causal

    def __call__(self, q_BHLK: HeadRows, k_BHLK: HeadRows, v_BHLK: HeadRows) -> HeadRows:
        """Gather values from the canvas and the context."""
        seen = _seen(self.cache, self.visit, k_BHLK, v_BHLK)
        self.visit += 1
        return attention(q_BHLK, *seen, self.bias)


class TrainingAttention:
    """A context segment and its canvas in one pass: the same sight as encoding first and denoising after."""

    def __init__(
        self,
        context_is_valid: ContextMask,
        canvas_length: int,
        like: Tensor,
        *,
        is_causal: bool,
        is_context_causal: bool,
    ) -> None:
        self.num_context = context_is_valid.shape[1]
        on_canvas = context_is_valid.new_ones(context_is_valid.shape[0], canvas_length)
        self.context_bias = padding_bias(context_is_valid, like.dtype)
        self.canvas_bias = padding_bias(torch.cat([context_is_valid, on_canvas], dim=1), like.dtype)
        if is_context_causal:
            self.context_bias = self.context_bias + causal_bias(self.num_context, self.num_context, like)
        if is_causal:
            self.canvas_bias = self.canvas_bias + causal_bias(canvas_length, self.num_context + canvas_length, like)
        self.context_bias = keep_self_visible(self.context_bias, self.num_context)

    def __call__(self, q_BHLK: HeadRows, k_BHLK: HeadRows, v_BHLK: HeadRows) -> HeadRows:
        """Gather values: the context from the context, the canvas from both."""
        split = self.num_context
        q_context, q_canvas = q_BHLK.split([split, q_BHLK.shape[2] - split], dim=2)
        k_BHLK, k_context = with_prefix(k_BHLK, split)
        v_BHLK, v_context = with_prefix(v_BHLK, split)
        in_context = attention(q_context, k_context, v_context, self.context_bias)
        on_canvas = attention(q_canvas, k_BHLK, v_BHLK, self.canvas_bias)
        return torch.cat([in_context, on_canvas], dim=2)
