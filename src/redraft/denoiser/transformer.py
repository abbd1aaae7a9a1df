"""The native denoiser: one pre-norm transformer, used as diffusion canvas, editor and autoregressive baseline.

RMSNorm without parameters, rotary positions, normalised queries and keys, ReLU² MLPs, zero-initialised output
projections, no time input (RADD, arXiv 2406.03736: the number of masks tells the time). Letters: ``redraft.types``.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from redraft.denoiser.attention import Attend, CanvasAttention, SegmentAttention, TrainingAttention
from redraft.denoiser.cache import KeyValueCache
from redraft.denoiser.config import TransformerConfig
from redraft.denoiser.elementwise import Rotations, normalised, product, squared_relu, turned
from redraft.errors import ContextLengthError
from redraft.types import (
    ContextMask,
    ContextTokens,
    Hidden,
    Logits,
    Probs,
    ScoredLogits,
    TokenMask,
    Tokens,
    WholePerRow,
)

__all__ = ["Layer", "SelfAttention", "SelfConditioning", "Transformer"]


class SelfAttention(nn.Module):
    """Multi-head attention; who sees whom is the ``Attend``'s affair.

    By the weights, axis i of a head's queries and keys goes with axis i + K / 2; their rows are taken in an order that
    puts each pair side by side, because rotating it is then one complex product.
    """

    order: Tensor

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)
        self.register_buffer("order", _pairs_side_by_side(config.width, config.num_heads), persistent=False)
        self.dtype: torch.dtype | None = None

    def forward(self, x_BLD: Hidden, rotations: Rotations, attend: Attend) -> Hidden:
        """Mix the positions."""
        batch, length, width = x_BLD.shape
        qkv = product(x_BLD, self.qkv.weight.index_select(0, self.order), self.dtype).to(x_BLD.dtype)
        # Normalise and rotate before the transpose: on a permuted view the same work takes several times as long.
        q_BLHK, k_BLHK, v_BLHK = turned(qkv.view(batch, length, 3, self.num_heads, -1), rotations)
        gathered = attend(q_BLHK.transpose(1, 2), k_BLHK.transpose(1, 2), v_BLHK.transpose(1, 2))
        return product(gathered.transpose(1, 2).reshape(batch, length, width), self.out.weight, self.dtype)


class Layer(nn.Module):
    """Attention, then the MLP, each added to the residual stream."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.attention = SelfAttention(config)
        self.mlp_in = nn.Linear(config.width, config.mlp_multiple * config.width, bias=False)
        self.mlp_out = nn.Linear(config.mlp_multiple * config.width, config.width, bias=False)
        self.dtype: torch.dtype | None = None

    def forward(self, x_BLD: Hidden, rotations: Rotations, attend: Attend) -> Hidden:
        """One layer visit."""
        x_BLD = x_BLD + self.attention(normalised(x_BLD), rotations, attend)
        hidden = squared_relu(product(normalised(x_BLD), self.mlp_in.weight, self.dtype))
        return x_BLD + product(hidden, self.mlp_out.weight, self.dtype)


class SelfConditioning(nn.Module):
    """Feeds the last pass's probabilities back as an expected embedding (DiffusionGemma, arXiv 2608.00146)."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.gate = nn.Linear(config.width, config.width, bias=False)
        self.up = nn.Linear(config.width, config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)

    def forward(self, expected_BLD: Hidden) -> Hidden:
        """What to add to the canvas embeddings."""
        expected_BLD = normalised(expected_BLD)
        return self.out(F.silu(self.gate(expected_BLD)) * self.up(expected_BLD))


def _empty_embedding(num: int, width: int) -> nn.Embedding:
    """A table whose rows ``reset_parameters`` draws or a checkpoint brings.

    ``nn.Embedding`` would draw them first, and a draw on the meta device brings the whole compiler along.
    """
    return nn.Embedding.from_pretrained(torch.empty(num, width), freeze=False)


class Transformer(nn.Module):
    """p(x_0 | x_t, context) over a canvas; implements ``redraft.denoiser.Denoiser``."""

    rope_frequencies: Tensor
    is_digit: Tensor

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = _empty_embedding(config.vocab_size, config.width)
        self.canvas_position = _empty_embedding(config.canvas_length, config.width)
        # The last row means "no digit, or on the canvas, where the position itself tells the place".
        self.place_value = _empty_embedding(config.num_place_values + 1, config.width)
        self.prelude = nn.ModuleList(Layer(config) for _ in range(config.num_prelude_layers))
        self.loop = nn.ModuleList(Layer(config) for _ in range(config.num_loop_layers))
        self.coda = nn.ModuleList(Layer(config) for _ in range(config.num_coda_layers))
        self.loop_injection = nn.Parameter(torch.ones(())) if config.num_loop_layers else None
        self.self_conditioning = SelfConditioning(config) if config.uses_self_conditioning else None
        self.head = nn.Linear(config.width, config.vocab_size, bias=False)
        self._register_tables()
        if not self.head.weight.is_meta:
            self.reset_parameters(torch.Generator().manual_seed(0))

    @classmethod
    def without_weights(cls, config: TransformerConfig) -> "Transformer":
        """A model to load weights into, by ``load_state_dict(..., assign=True)``; none are drawn before."""
        with torch.device("meta"):
            return cls(config)

    def _register_tables(self) -> None:
        """What follows from the configuration alone, with values even where the weights have none yet."""
        config = self.config
        angles = config.rope_base ** (-torch.arange(0, config.head_width, 2, device="cpu") / config.head_width)
        self.register_buffer("rope_frequencies", angles, persistent=False)
        is_digit = torch.zeros(config.vocab_size, dtype=torch.bool, device="cpu")
        is_digit[list(config.digit_token_ids)] = True
        self.register_buffer("is_digit", is_digit, persistent=False)

    @property
    def vocab_size(self) -> int:
        """Number of token ids that ``denoise`` scores."""
        return self.config.vocab_size

    @property
    def uses_self_conditioning(self) -> bool:
        """Whether ``denoise`` makes use of the last pass's probabilities."""
        return self.self_conditioning is not None

    @contextmanager
    def multiplying_in(self, dtype: torch.dtype) -> Iterator[None]:
        """Round what the layers multiply to ``dtype``, and what of an MLP stands between two products, inside a block.

        The residual stream, norms, attention, head and gradients of weights stay in float32, unlike under autocast.

        Args:
            dtype: bfloat16, or float32 for no rounding at all.
        """
        parts = [part for part in self.modules() if isinstance(part, SelfAttention | Layer)]
        for part in parts:
            part.dtype = dtype if dtype != torch.float32 else None
        try:
            yield
        finally:
            for part in parts:
                part.dtype = None

    @torch.no_grad()
    def reset_parameters(self, rng: torch.Generator) -> None:
        """Draw fresh weights; what writes to the residual stream starts at zero."""
        for name, weight in self.named_parameters():
            if name.endswith(("out.weight", "head.weight")):
                weight.zero_()
            elif weight.dim() == 2 and "embedding" not in name and "position" not in name and "place" not in name:
                weight.uniform_(-math.sqrt(3 / weight.shape[1]), math.sqrt(3 / weight.shape[1]), generator=rng)
            elif weight.dim() == 2:
                weight.normal_(0.0, 0.5, generator=rng)

    def encode(
        self, tokens: Tokens, cache: KeyValueCache | None = None, *, is_valid: TokenMask | None = None
    ) -> KeyValueCache:
        """Take one settled segment into the context; see ``Denoiser.encode``.

        Args:
            tokens: The segment.
            cache: The context before it; not changed.
            is_valid: False at padding; None when there is none.

        Returns:
            The context with the segment in it.

        Raises:
            ContextLengthError: If the context would outgrow the model.
        """
        num_before = 0 if cache is None else cache.length
        if num_before + tokens.shape[1] > self.config.context_length:
            raise ContextLengthError(
                f"the context would hold {num_before + tokens.shape[1]} tokens; this model takes "
                f"{self.config.context_length}; shorten the prompt"
            )
        valid = torch.ones_like(tokens, dtype=torch.bool) if is_valid is None else is_valid
        has_padding = is_valid is not None or (cache is not None and cache.has_padding)
        x_BLD = self._embed_context(tokens)
        attend = SegmentAttention(
            cache, valid if has_padding else None, tokens.shape[1], x_BLD, is_causal=self.config.has_causal_context
        )
        first = torch.zeros_like(tokens[:, 0]) if cache is None else cache.num_valid
        positions = first[:, None] + valid.cumsum(dim=1) - 1
        self._visit_all(x_BLD, positions, attend)
        if cache is None:
            keys, values = tuple(attend.keys), tuple(attend.values)
            has_padding = is_valid is not None and not bool(is_valid.all())
            return KeyValueCache(keys=keys, values=values, is_valid=valid, has_padding=has_padding)
        return cache.extended(attend.keys, attend.values, valid)

    def denoise(
        self, canvas: Tokens, cache: KeyValueCache | None = None, *, self_conditioning: Probs | None = None
    ) -> Logits:
        """Score the clean token at every canvas position; see ``Denoiser.denoise``."""
        x_BCD = self._embed_canvas(canvas, self_conditioning)
        first = torch.zeros_like(canvas[:, 0]) if cache is None else cache.num_valid
        positions = first[:, None] + torch.arange(canvas.shape[1], device=canvas.device)
        attend = CanvasAttention(cache, canvas.shape[1], x_BCD, is_causal=self.config.is_causal)
        return self.head(normalised(self._visit_all(x_BCD, positions, attend)))

    def forward(
        self,
        context: ContextTokens,
        canvas: Tokens,
        *,
        context_is_valid: ContextMask | None = None,
        scored: TokenMask | None = None,
        self_conditioning: Probs | None = None,
    ) -> ScoredLogits:
        """Encode one context segment and denoise its canvas in a single pass, for training.

        Args:
            context: The settled segment, padded on the left.
            canvas: The noised canvas.
            context_is_valid: False at padding; None when there is none.
            scored: Canvas positions whose logits are wanted; None for all.
            self_conditioning: Probabilities of an earlier pass over this canvas.

        Returns:
            Logits: of all canvas positions, or one row per scored position, in reading order.
        """
        valid = torch.ones_like(context, dtype=torch.bool) if context_is_valid is None else context_is_valid
        x_BLD = torch.cat([self._embed_context(context), self._embed_canvas(canvas, self_conditioning)], dim=1)
        on_canvas = torch.ones_like(canvas, dtype=torch.bool)
        positions = torch.cat([valid, on_canvas], dim=1).cumsum(dim=1) - 1
        attend = TrainingAttention(
            valid,
            canvas.shape[1],
            x_BLD,
            is_causal=self.config.is_causal,
            is_context_causal=self.config.has_causal_context,
        )
        hidden = self._visit_all(x_BLD, positions, attend)[:, context.shape[1] :]
        return self.head(normalised(hidden if scored is None else hidden[scored]))

    def read(self, tokens: Tokens, *, first_slot: int, positions: Tokens, attend: Attend) -> Logits:
        """Score a stretch of a canvas that is read left to right; see ``redraft.denoiser.causal``.

        Args:
            tokens: What stands at the slots of the stretch.
            first_slot: Where on the canvas it begins.
            positions: Places in the whole text, context included.
            attend: Who is seen, and what is remembered.

        Returns:
            Logits of the stretch.
        """
        x_BCD = self._embed_canvas(tokens, None, first_slot)
        return self.head(normalised(self._visit_all(x_BCD, positions, attend)))

    def place_values(self, tokens: Tokens) -> Tokens:
        """Place of each digit in its run, units 0, clipped to the last; ``num_place_values`` where no digit is."""
        is_digit = self.is_digit[tokens]
        run, place = is_digit, torch.zeros_like(tokens)
        for _ in range(self.config.num_place_values - 1):
            run = is_digit & F.pad(run[:, 1:], (0, 1))
            place = place + run
        return place.masked_fill(~is_digit, self.config.num_place_values)

    def _embed_context(self, tokens: Tokens) -> Hidden:
        return normalised(self.embedding(tokens) + self.place_value(self.place_values(tokens)))

    def _embed_canvas(self, canvas: Tokens, self_conditioning: Probs | None, first_slot: int = 0) -> Hidden:
        end = first_slot + canvas.shape[1]
        if end > self.config.canvas_length:
            raise ContextLengthError(f"the canvas has {end} positions; this model takes {self.config.canvas_length}")
        x_BCD = self.embedding(canvas) + self.canvas_position.weight[first_slot:end]
        if self.self_conditioning is not None and self_conditioning is not None:
            x_BCD = x_BCD + self.self_conditioning(self_conditioning.to(x_BCD.dtype) @ self.embedding.weight)
        return normalised(x_BCD)

    def _visit_all(self, x_BLD: Hidden, positions: Tokens, attend: Attend) -> Hidden:
        rotations = self._rotations(positions)
        for layer in self.prelude:
            x_BLD = layer(x_BLD, rotations, attend)
        injected = x_BLD
        for loop in range(self.config.num_loops if self.loop else 0):
            # Input injection keeps a shared core from forgetting the question (algorithms.md fact 5).
            if self.loop_injection is not None and loop > 0:
                x_BLD = x_BLD + self.loop_injection * injected
            for layer in self.loop:
                x_BLD = layer(x_BLD, rotations, attend)
        for layer in self.coda:
            x_BLD = layer(x_BLD, rotations, attend)
        return x_BLD

    def _rotations(self, positions: WholePerRow | Tokens) -> Rotations:
        angles = positions[..., None].float() * self.rope_frequencies.float()
        return torch.polar(torch.ones_like(angles), angles)


def _pairs_side_by_side(width: int, num_heads: int) -> Tensor:
    """The rows of a weight for queries, keys and values, those of the first two by pairs of axes."""
    rows = torch.arange(3 * width, device="cpu").view(3, num_heads, 2, -1)
    paired = rows[:2].transpose(2, 3).flatten()
    return torch.cat([paired, rows[2].flatten()])
