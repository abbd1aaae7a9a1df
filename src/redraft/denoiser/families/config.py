"""The shape of a public model's backbone, read from its published configuration.

Only what the published weights of a family use is read; a setting that would change the computation and is not
supported is refused, never ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from redraft.denoiser.families.family import FamilySpec
from redraft.errors import ConfigError

__all__ = ["BackboneConfig", "MixtureConfig", "read_config"]

_LARGEST = {
    "vocab_size": 1 << 21,
    "width": 1 << 16,
    "num_layers": 1000,
    "num_heads": 1024,
    "num_kv_heads": 1024,
    "head_width": 1 << 12,
    "rotary_width": 1 << 12,
    "mlp_width": 1 << 20,
    "num_experts": 1 << 13,
    "expert_width": 1 << 20,
    "context_length": 1 << 24,
}
"""Bounds for numbers from a file, an order of magnitude above any published model."""

_MOST_EXPERTS = 1 << 16
"""Routed experts of all layers together: each is three modules, made before a weight is read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MixtureConfig:
    """How a layer's experts are chosen and weighed."""

    num_experts: int
    """Routed experts of a layer."""

    experts_per_token: int
    """Experts that one token visits."""

    expert_width: int
    """Hidden width of one routed expert."""

    shared_width: int = 0
    """Hidden width of the expert that every token visits; 0 when there is none."""

    score: Literal["softmax", "sigmoid"] = "softmax"
    """How router outputs become scores."""

    is_normalised: bool = False
    """Whether the chosen experts' weights are made to sum to one."""

    scale: float = 1.0
    """Factor on the chosen experts' weights."""

    num_groups: int = 1
    """Groups of experts; a token first chooses groups, by the sum of each group's two best scores."""

    kept_groups: int = 1
    """Groups that a token may choose experts from; no effect with one group."""

    has_bias: bool = False
    """Whether a bias per expert is added to the scores before choosing."""

    is_bias_weighed: bool = False
    """Whether that bias counts in the weights as well (LLaDA-MoE), not in the choice alone (LLaDA2.x)."""

    def __post_init__(self) -> None:
        _check_bounds(self, ("num_experts", "expert_width"))
        if not 1 <= self.experts_per_token <= self.num_experts:
            raise ConfigError(
                f"experts_per_token={self.experts_per_token} is not in 1 to {self.num_experts}, the number of experts"
            )
        if not 0 <= self.shared_width <= _LARGEST["expert_width"]:
            raise ConfigError(f"shared_width={self.shared_width} is not in 0 to {_LARGEST['expert_width']}")
        if not 0.0 < self.scale < 1e6:
            raise ConfigError(f"the scale {self.scale} of the experts' weights is out of range")
        if self.num_groups < 1 or self.num_experts % self.num_groups or not 1 <= self.kept_groups <= self.num_groups:
            raise ConfigError(
                f"{self.num_experts} experts do not split into num_groups={self.num_groups} "
                f"of which kept_groups={self.kept_groups} are kept"
            )
        in_group = self.num_experts // self.num_groups
        if self.num_groups > 1 and (in_group < 2 or self.kept_groups * in_group < self.experts_per_token):
            raise ConfigError(
                f"{self.kept_groups} groups of {in_group} experts can't give a token {self.experts_per_token} experts"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class BackboneConfig:
    """Everything that fixes a backbone's weights and what its forward pass does with them."""

    vocab_size: int
    """Rows of the embedding, all of which are scored."""

    width: int
    """Size of the residual stream."""

    num_layers: int
    """Layers."""

    num_heads: int
    """Query heads."""

    num_kv_heads: int
    """Key and value heads; divides ``num_heads``."""

    head_width: int
    """Width of one head."""

    rotary_width: int
    """Leading part of each head that is rotated (RoPE, arXiv 2104.09864); even, at most ``head_width``."""

    rope_base: float
    """Base of the rotary frequencies."""

    norm_epsilon: float
    """Added to the mean square in each RMSNorm."""

    mlp_width: int
    """Hidden width of a dense layer's MLP; no effect when every layer is a mixture."""

    context_length: int
    """Positions that the model was made for."""

    has_qkv_bias: bool = False
    """Whether queries, keys and values have biases."""

    has_out_bias: bool = False
    """Whether the attention's output projection has a bias."""

    has_qk_norm: bool = False
    """Whether each query and key head goes through an RMSNorm of its own."""

    has_fused_qkv: bool = False
    """Whether the weights of queries, keys and values are one matrix, as LLaDA2.x publishes them."""

    is_tied: bool = False
    """Whether the embedding is the output head as well."""

    mixture: MixtureConfig | None = None
    """Experts of the layers in ``mixture_layers``; None when every layer is dense."""

    mixture_layers: tuple[int, ...] = ()
    """Layers whose MLP is a mixture of experts."""

    def __post_init__(self) -> None:
        names = ("vocab_size", "width", "num_layers", "num_heads", "num_kv_heads", "head_width", "rotary_width")
        _check_bounds(self, (*names, "mlp_width", "context_length"))
        if self.num_heads % self.num_kv_heads:
            raise ConfigError(f"num_kv_heads={self.num_kv_heads} does not divide num_heads={self.num_heads}")
        if self.rotary_width % 2 or self.rotary_width > self.head_width:
            raise ConfigError(f"rotary_width={self.rotary_width} is odd or above head_width={self.head_width}")
        if not (0.0 < self.norm_epsilon < 1.0 and 1.0 < self.rope_base < 1e15):
            raise ConfigError(f"norm_epsilon={self.norm_epsilon} or rope_base={self.rope_base} is out of range")
        if bool(self.mixture_layers) != (self.mixture is not None):
            raise ConfigError("mixture and mixture_layers go together; give both or neither")
        if any(not 0 <= layer < self.num_layers for layer in self.mixture_layers):
            raise ConfigError(f"mixture_layers={self.mixture_layers} leaves the {self.num_layers} layers")
        if self.mixture is not None and self.mixture.num_experts * len(self.mixture_layers) > _MOST_EXPERTS:
            raise ConfigError(f"the layers have more than {_MOST_EXPERTS} experts together; config.json is damaged")


def _check_bounds(record: BackboneConfig | MixtureConfig, names: tuple[str, ...]) -> None:
    for name in names:
        if not 1 <= getattr(record, name) <= _LARGEST[name]:
            raise ConfigError(f"{name}={getattr(record, name)} is not in 1 to {_LARGEST[name]}")


class _Published:
    """Typed access to a published configuration; a wrong type is one clear error."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def whole(self, *names: str, default: int | None = None) -> int:
        """The first of these keys that is there and not null."""
        for name in names:
            value = self.values.get(name)
            if value is not None:
                if type(value) is not int:
                    raise ConfigError(f"{name}={str(value)[:80]} in config.json is not a whole number")
                return value
        if default is None:
            raise ConfigError(f"config.json has no {names[0]}")
        return default

    def real(self, name: str, default: float | None = None) -> float:
        value = self.values.get(name)
        value = default if value is None else value
        if value is None:
            raise ConfigError(f"config.json has no {name}")
        if type(value) not in (int, float):
            raise ConfigError(f"{name}={str(value)[:80]} in config.json is not a number")
        return float(value)

    def flag(self, name: str, default: bool) -> bool:
        value = self.values.get(name)
        value = default if value is None else value
        if type(value) is not bool:
            raise ConfigError(f"{name}={str(value)[:80]} in config.json is not true or false")
        return value

    def layers(self, name: str) -> list[int]:
        """A list of whole numbers; empty when absent."""
        value = self.values.get(name) or []
        if not isinstance(value, list) or any(type(item) is not int for item in value):
            raise ConfigError(f"{name} in config.json is not a list of whole numbers")
        return value

    def require(self, **allowed: tuple[Any, ...]) -> None:
        """Refuse a setting that would change the computation; an absent key is fine."""
        for name, values in allowed.items():
            value = self.values.get(name)
            if value is not None and not any(value is one or value == one for one in values):
                shown = f"only {' or '.join(map(str, values))} is" if values else "it must be unset"
                raise ConfigError(f"{name}={str(value)[:80]} in config.json is not supported here; {shown}")

    def rope_base(self, default: float | None = None) -> float:
        """The base of the rotary frequencies, under its older or its newer key; scaled frequencies are refused."""
        for name in ("rope_scaling", "rope_parameters"):
            scaling = self.values.get(name) or {}
            kind = scaling.get("rope_type", scaling.get("type", "default")) if isinstance(scaling, Mapping) else scaling
            if kind != "default":
                raise ConfigError(f"{name} of type {str(kind)[:80]!r} is not supported; none of the families uses it")
        newer = self.values.get("rope_parameters") or {}
        if newer.get("rope_theta") is not None:
            return _Published(newer).real("rope_theta")
        return self.real("rope_theta", default)


def read_config(spec: FamilySpec, config: Mapping[str, Any]) -> BackboneConfig:
    """The backbone's shape.

    Args:
        spec: The checkpoint's family.
        config: Content of its ``config.json``.

    Returns:
        The checked record.

    Raises:
        ConfigError: If a value is missing, of the wrong type, out of range or not supported.
    """
    if spec.layout == "transformers":
        raise ConfigError(f"the family {spec.name} has no backbone of ours; it runs through its adapter")
    published = _Published(config)
    if spec.layout == "llada":
        return _read_llada(published)
    if spec.layout == "llada_moe":
        return _read_llada_moe(published)
    if spec.layout == "llada2_moe":
        return _read_llada2(published)
    return _read_qwen(published, spec.layout)


def _read_llada(published: _Published) -> BackboneConfig:
    """LLaDA 8B and 1.5 (arXiv 2502.09992): a Llama with every setting of its own training code in the record."""
    published.require(
        block_type=("llama",),
        activation_type=("silu",),
        layer_norm_type=("rms",),
        layer_norm_with_affine=(True,),
        rope=(True,),
        alibi=(False,),
        attention_layer_norm=(False,),
        input_emb_norm=(False,),
        scale_logits=(False,),
        include_bias=(False,),
        bias_for_layer_norm=(False,),
        multi_query_attention=(False,),
    )
    width, num_heads = published.whole("d_model"), published.whole("n_heads")
    mlp_width = published.whole("mlp_hidden_size", default=published.whole("mlp_ratio", default=4) * width)
    head_width = width // max(num_heads, 1)
    return BackboneConfig(
        vocab_size=published.whole("embedding_size", "vocab_size"),
        width=width,
        num_layers=published.whole("n_layers"),
        num_heads=num_heads,
        num_kv_heads=published.whole("n_kv_heads", default=num_heads),
        head_width=head_width,
        rotary_width=head_width,
        rope_base=published.rope_base(10000.0),
        norm_epsilon=published.real("rms_norm_eps", 1e-5),
        mlp_width=mlp_width,
        context_length=published.whole("max_sequence_length", default=4096),
        has_qkv_bias=published.flag("include_qkv_bias", False),
        is_tied=published.flag("weight_tying", False),
    )


def _common(published: _Published, *, rope_base: float, mlp_width: int, rotary_share: float = 1.0) -> dict[str, Any]:
    """What the transformers-style configurations share."""
    published.require(hidden_act=("silu",), use_sliding_window=(False,))
    if not 0.0 < rotary_share <= 1.0:
        raise ConfigError(f"partial_rotary_factor={rotary_share} in config.json is not in (0, 1]")
    width, num_heads = published.whole("hidden_size"), published.whole("num_attention_heads")
    head_width = published.whole("head_dim", default=width // max(num_heads, 1))
    return {
        "vocab_size": published.whole("vocab_size"),
        "width": width,
        "num_layers": published.whole("num_hidden_layers"),
        "num_heads": num_heads,
        "num_kv_heads": published.whole("num_key_value_heads", default=num_heads),
        "head_width": head_width,
        "rotary_width": int(head_width * rotary_share),
        "rope_base": published.rope_base(rope_base),
        "norm_epsilon": published.real("rms_norm_eps", 1e-6),
        "mlp_width": mlp_width,
        "context_length": published.whole("max_position_embeddings", default=32768),
        "is_tied": published.flag("tie_word_embeddings", False),
    }


def _read_qwen(published: _Published, layout: str) -> BackboneConfig:
    """Qwen2 (biases on queries, keys, values), Qwen3 (normalised queries and keys), Qwen3-MoE, Llama (neither)."""
    is_mixture = layout == "qwen3_moe"
    shared = _common(
        published, rope_base=10000.0, mlp_width=published.whole("intermediate_size", default=1 if is_mixture else None)
    )
    has_bias = layout == "qwen2" or published.flag("attention_bias", False)
    settings: dict[str, Any] = {
        **shared,
        "has_qkv_bias": has_bias,
        "has_out_bias": has_bias and layout != "qwen2",
        "has_qk_norm": layout in ("qwen3", "qwen3_moe"),
    }
    if not is_mixture:
        return BackboneConfig(**settings)
    step, dense = published.whole("decoder_sparse_step", default=1), published.layers("mlp_only_layers")
    layers = range(shared["num_layers"] if shared["num_layers"] <= _LARGEST["num_layers"] else 0)
    mixture = MixtureConfig(
        num_experts=published.whole("num_experts"),
        experts_per_token=published.whole("num_experts_per_tok"),
        expert_width=published.whole("moe_intermediate_size"),
        is_normalised=published.flag("norm_topk_prob", False),
    )
    mixture_layers = tuple(layer for layer in layers if layer not in dense and (layer + 1) % max(step, 1) == 0)
    return BackboneConfig(**settings, mixture=mixture, mixture_layers=mixture_layers)


def _read_llada_moe(published: _Published) -> BackboneConfig:
    """LLaDA-MoE (arXiv 2509.24389): OLMoE with queries and keys normalised per head."""
    # The published code reads neither the record's score function, nor its groups, nor its scale: it always takes
    # the softmax and never normalises the chosen weights.
    published.require(clip_qkv=())
    share = published.real("partial_rotary_factor", 1.0)
    width, dense_width = published.whole("hidden_size"), published.whole("dense_intermediate_size", default=1)
    shared = _common(published, rope_base=10000.0, mlp_width=max(dense_width, 1), rotary_share=share)
    frequency, has_bias = published.layers("moe_layer_freq"), published.flag("attention_bias", False)
    if len(frequency) != shared["num_layers"]:
        raise ConfigError("moe_layer_freq in config.json is not a list of one number per layer")
    mixture = MixtureConfig(
        num_experts=published.whole("num_experts"),
        experts_per_token=published.whole("num_experts_per_tok"),
        expert_width=published.whole("expert_intermediate_size"),
        shared_width=published.whole("shared_expert_intermediate_size", default=0),
        has_bias=published.flag("moe_router_enable_expert_bias", False),
        is_bias_weighed=True,
    )
    mixture_layers = tuple(layer for layer, is_mixture in enumerate(frequency) if is_mixture)
    return BackboneConfig(
        **shared | {"head_width": width // max(shared["num_heads"], 1)},
        has_qkv_bias=has_bias,
        has_out_bias=has_bias,
        has_qk_norm=published.flag("qk_layernorm", False),
        mixture=mixture if mixture_layers else None,
        mixture_layers=mixture_layers,
    )


def _read_llada2(published: _Published) -> BackboneConfig:
    """LLaDA2.0 and 2.1 (arXiv 2512.15745): sigmoid scores, groups, a shared expert, half-rotated heads."""
    published.require(score_function=("sigmoid",), norm_head=(False,), moe_router_enable_expert_bias=(True,))
    share = published.real("partial_rotary_factor", 0.5)
    shared = _common(
        published, rope_base=10000.0, mlp_width=published.whole("intermediate_size", default=1), rotary_share=share
    )
    first = published.whole("first_k_dense_replace", default=0)
    expert_width = published.whole("moe_intermediate_size")
    per_token = published.whole("num_experts_per_tok")
    published.require(norm_topk_prob=(True,))
    mixture = MixtureConfig(
        num_experts=published.whole("num_experts"),
        experts_per_token=per_token,
        expert_width=expert_width,
        shared_width=expert_width * published.whole("num_shared_experts", default=0),
        score="sigmoid",
        is_normalised=per_token > 1,
        scale=published.real("routed_scaling_factor", 2.5),
        num_groups=published.whole("n_group", default=1),
        kept_groups=published.whole("topk_group", default=1),
        has_bias=True,
    )
    num_layers = shared["num_layers"] if shared["num_layers"] <= _LARGEST["num_layers"] else 0
    mixture_layers = tuple(range(max(first, 0), num_layers))
    return BackboneConfig(
        **shared,
        has_qkv_bias=published.flag("use_qkv_bias", False),
        has_out_bias=published.flag("use_bias", False),
        has_qk_norm=published.flag("use_qk_norm", True),
        has_fused_qkv=True,
        mixture=mixture if mixture_layers else None,
        mixture_layers=mixture_layers,
    )
