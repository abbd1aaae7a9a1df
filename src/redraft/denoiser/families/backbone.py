"""One decoder for all public families: RMSNorm, rotary positions, grouped queries, gated MLPs or mixtures of experts.

Positions and sight come from the caller, so that the same weights run bidirectionally, block by block, or over a noised
and a clean copy at once, as training does. Letters: ``redraft.types``.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from redraft.denoiser.cache import HeadRows, KeyValueCache, SeenRows
from redraft.denoiser.families.moe import GatedMlp, Mixture, Projection
from redraft.denoiser.families.shape import BackboneConfig
from redraft.types import Hidden, Tokens

__all__ = ["Backbone", "Layer", "RmsNorm", "SelfAttention", "Sight", "parameter_shapes"]

Sight = Bool[Tensor, "batch_or_one positions seen"]
"""True where a position may look; each position must see at least one. No sight at all means that all see all."""

Rotation = Float[Tensor, "batch length one half_rotary_width"]
"""Cosines or sines of the rotary angles, in float32."""

PerHead = Float[Tensor, "batch length heads head_width"]
"""Keys or values, or either of queries and keys, before the transpose."""

PerQueryHead = Float[Tensor, "batch length query_heads head_width"]
"""Queries, of which there are more heads, before the transpose."""

QueryRows = Float[Tensor, "batch query_heads positions head_width"]
"""Queries of all heads."""

PastRows = Float[Tensor, "batch heads past head_width"]
"""Keys or values of earlier positions."""


class RmsNorm(nn.Module):
    """x over its root mean square, times a weight (arXiv 1910.07467); the mean is taken in float32."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.empty(width))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis."""
        return F.rms_norm(x.float(), (x.shape[-1],), eps=self.epsilon).to(x.dtype) * self.weight


class SelfAttention(nn.Module):
    """Attention with fewer key and value heads than query heads (arXiv 2305.13245)."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.config = config
        width, query_width = config.width, config.num_heads * config.head_width
        kv_width, has_bias = config.num_kv_heads * config.head_width, config.has_qkv_bias
        if config.has_fused_qkv:
            self.qkv = Projection(width, query_width + 2 * kv_width, bias=has_bias)
        else:
            self.query = Projection(width, query_width, bias=has_bias)
            self.key = Projection(width, kv_width, bias=has_bias)
            self.value = Projection(width, kv_width, bias=has_bias)
        self.out = Projection(query_width, width, bias=config.has_out_bias)
        if config.has_qk_norm:
            self.query_norm = RmsNorm(config.head_width, config.norm_epsilon)
            self.key_norm = RmsNorm(config.head_width, config.norm_epsilon)

    def forward(
        self,
        x_BLD: Hidden,
        cosine: Rotation,
        sine: Rotation,
        sight: Sight | None,
        past: tuple[PastRows, PastRows] | None,
    ) -> tuple[Hidden, HeadRows, HeadRows]:
        """Mix the positions.

        Args:
            x_BLD: Activations.
            cosine: Of the rotary angles of these positions.
            sine: Likewise.
            sight: Who sees whom, the past first; None when all see all.
            past: Rotated keys and values of earlier positions; None at the start.

        Returns:
            What each position gathered, and this layer's own rotated keys and values.
        """
        q_BLHK, k_BLHK, v_BLHK = self._projected(x_BLD)
        if self.config.has_qk_norm:
            q_BLHK, k_BLHK = self.query_norm(q_BLHK), self.key_norm(k_BLHK)
        q_BHLK = _rotated(q_BLHK, cosine, sine).transpose(1, 2)
        k_BHLK, v_BHLK = _rotated(k_BLHK, cosine, sine).transpose(1, 2), v_BLHK.transpose(1, 2)
        if past is None:
            gathered = _attend(q_BHLK, k_BHLK, v_BHLK, sight)
        else:
            seen = torch.cat([past[0], k_BHLK], dim=2), torch.cat([past[1], v_BHLK], dim=2)
            gathered = _attend(q_BHLK, *seen, sight)
        return self.out(gathered.transpose(1, 2).flatten(2)), k_BHLK, v_BHLK

    def _projected(self, x_BLD: Hidden) -> tuple[PerQueryHead, PerHead, PerHead]:
        num_heads, num_kv_heads = self.config.num_heads, self.config.num_kv_heads
        if self.config.has_fused_qkv:
            per_head = self.qkv(x_BLD).unflatten(2, (num_heads + 2 * num_kv_heads, -1))
            q_BLHK, k_BLHK, v_BLHK = per_head.split([num_heads, num_kv_heads, num_kv_heads], dim=2)
            return q_BLHK, k_BLHK, v_BLHK
        q_BLHK = self.query(x_BLD).unflatten(2, (num_heads, -1))
        return (
            q_BLHK,
            self.key(x_BLD).unflatten(2, (num_kv_heads, -1)),
            self.value(x_BLD).unflatten(2, (num_kv_heads, -1)),
        )


class Layer(nn.Module):
    """Attention, then the MLP or the mixture, each added to the residual stream."""

    def __init__(self, config: BackboneConfig, index: int) -> None:
        super().__init__()
        self.attention_norm = RmsNorm(config.width, config.norm_epsilon)
        self.attention = SelfAttention(config)
        self.mlp_norm = RmsNorm(config.width, config.norm_epsilon)
        if config.mixture is not None and index in config.mixture_layers:
            self.mlp: nn.Module = Mixture(config.width, config.mixture)
        else:
            self.mlp = GatedMlp(config.width, config.mlp_width)

    def forward(
        self,
        x_BLD: Hidden,
        cosine: Rotation,
        sine: Rotation,
        sight: Sight | None,
        past: tuple[PastRows, PastRows] | None,
    ) -> tuple[Hidden, HeadRows, HeadRows]:
        """One layer; see ``SelfAttention.forward``."""
        gathered, keys, values = self.attention(self.attention_norm(x_BLD), cosine, sine, sight, past)
        x_BLD = x_BLD + gathered
        return x_BLD + self.mlp(self.mlp_norm(x_BLD)), keys, values


class Backbone(nn.Module):
    """Embedding, layers, final norm and output head; weights are what the memory held until they are filled in."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(
            config.vocab_size, config.width, _weight=torch.empty(config.vocab_size, config.width)
        )
        self.layers = nn.ModuleList(Layer(config, index) for index in range(config.num_layers))
        self.norm = RmsNorm(config.width, config.norm_epsilon)
        self.head = None if config.is_tied else Projection(config.width, config.vocab_size, bias=False)

    def forward(
        self, tokens: Tokens, positions: Tokens, *, sight: Sight | None = None, past: KeyValueCache | None = None
    ) -> tuple[Hidden, list[HeadRows], list[HeadRows]]:
        """Run the layers.

        Args:
            tokens: Token ids.
            positions: Absolute position of each, from 0.
            sight: Who sees whom, the past's positions first; None when all see all.
            past: Keys and values of earlier positions.

        Returns:
            The normalised activations, and each layer's own rotated keys and values.
        """
        x_BLD = self.embedding(tokens)
        cosine, sine = self._rotation(positions)
        all_keys: list[HeadRows] = []
        all_values: list[HeadRows] = []
        for index, layer in enumerate(self.layers):
            before = None if past is None else (past.keys[index], past.values[index])
            x_BLD, keys, values = layer(x_BLD, cosine, sine, sight, before)
            all_keys.append(keys)
            all_values.append(values)
        return self.norm(x_BLD), all_keys, all_values

    def score(self, hidden: Tensor) -> Tensor:
        """Logits of normalised activations of any leading shape."""
        return F.linear(hidden, self.embedding.weight) if self.head is None else self.head(hidden)

    def _rotation(self, positions: Tokens) -> tuple[Rotation, Rotation]:
        # Computed when needed: a buffer would have to survive being built without storage.
        width = self.config.rotary_width
        exponents = torch.arange(0, width, 2, device=positions.device, dtype=torch.float32) / width
        angles = positions[..., None, None].float() * (1.0 / self.config.rope_base**exponents)
        return angles.cos(), angles.sin()


def parameter_shapes(config: BackboneConfig) -> dict[str, tuple[int, ...]]:
    """The name and shape of every weight, without making any.

    Args:
        config: The backbone's shape.

    Returns:
        Shapes by name: the embedding, the layers in order, the final norm, and the head unless it is tied.
    """
    shapes: dict[str, tuple[int, ...]] = {"embedding.weight": (config.vocab_size, config.width)}
    for index in range(config.num_layers):
        inside = _attention_shapes(config) | _mlp_shapes(config, index)
        shapes |= {f"layers.{index}.{name}": shape for name, shape in inside.items()}
    shapes["norm.weight"] = (config.width,)
    if not config.is_tied:
        shapes["head.weight"] = (config.vocab_size, config.width)
    return shapes


def _attention_shapes(config: BackboneConfig) -> dict[str, tuple[int, ...]]:
    """Of one layer's attention and of its two norms."""
    query_width, kv_width = config.num_heads * config.head_width, config.num_kv_heads * config.head_width
    outputs = {"query": query_width, "key": kv_width, "value": kv_width}
    if config.has_fused_qkv:
        outputs = {"qkv": query_width + 2 * kv_width}
    shapes: dict[str, tuple[int, ...]] = {"attention_norm.weight": (config.width,), "mlp_norm.weight": (config.width,)}
    shapes |= {f"attention.{name}.weight": (width, config.width) for name, width in outputs.items()}
    if config.has_qkv_bias:
        shapes |= {f"attention.{name}.bias": (width,) for name, width in outputs.items()}
    shapes["attention.out.weight"] = (config.width, query_width)
    if config.has_out_bias:
        shapes["attention.out.bias"] = (config.width,)
    if config.has_qk_norm:
        shapes |= {f"attention.{name}_norm.weight": (config.head_width,) for name in ("query", "key")}
    return shapes


def _mlp_shapes(config: BackboneConfig, index: int) -> dict[str, tuple[int, ...]]:
    """Of one layer's MLP or mixture."""
    mixture, width = config.mixture, config.width

    def gated(prefix: str, hidden_width: int) -> dict[str, tuple[int, ...]]:
        ups = {f"{prefix}.{name}.weight": (hidden_width, width) for name in ("gate", "up")}
        return {**ups, f"{prefix}.down.weight": (width, hidden_width)}

    if mixture is None or index not in config.mixture_layers:
        return gated("mlp", config.mlp_width)
    shapes: dict[str, tuple[int, ...]] = {"mlp.router.weight": (mixture.num_experts, width)}
    if mixture.has_bias:
        shapes["mlp.router.bias"] = (mixture.num_experts,)
    for expert in range(mixture.num_experts):
        shapes |= gated(f"mlp.experts.{expert}", mixture.expert_width)
    return shapes | (gated("mlp.shared", mixture.shared_width) if mixture.shared_width else {})


def _rotated(x_BLHK: PerHead, cosine: Rotation, sine: Rotation) -> PerHead:
    """Rotate the two halves of each head's leading part against each other, in float32; the rest passes."""
    half = cosine.shape[-1]
    first, second, rest = x_BLHK.split([half, half, x_BLHK.shape[-1] - 2 * half], dim=-1)
    turned = torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1).to(x_BLHK.dtype)
    return torch.cat([turned, rest], dim=-1) if rest.shape[-1] else turned


def _attend(q_BHLK: QueryRows, k_BHSK: SeenRows, v_BHSK: SeenRows, sight: Sight | None) -> QueryRows:
    """Softmax-weighted mean of the values.

    The query heads that share a key head are laid one after the other along the positions, so that no key is copied.
    """
    batch, num_heads, length, _ = q_BHLK.shape
    sharing = num_heads // k_BHSK.shape[1]
    q_BHLK = q_BHLK.reshape(batch, k_BHSK.shape[1], sharing * length, -1)
    mask = None if sight is None else sight.repeat(1, sharing, 1)[:, None]
    gathered = F.scaled_dot_product_attention(q_BHLK, k_BHSK, v_BHSK, attn_mask=mask)
    return gathered.reshape(batch, num_heads, length, -1)
