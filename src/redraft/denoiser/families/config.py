"""A backbone's shape, read from a published configuration.

Only what the published weights of a family use is read; a setting that would change the computation and is not
supported is refused, never ignored.
"""

from collections.abc import Mapping
from typing import Any

from redraft.denoiser.families.family import FamilySpec
from redraft.denoiser.families.shape import MOST_LAYERS, BackboneConfig, MixtureConfig
from redraft.errors import ConfigError

__all__ = ["read_config"]


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
    layers = range(min(shared["num_layers"], MOST_LAYERS))  # more is refused below, and must not take memory here
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
    mixture_layers = tuple(range(max(first, 0), min(shared["num_layers"], MOST_LAYERS)))
    return BackboneConfig(
        **shared,
        has_qkv_bias=published.flag("use_qkv_bias", False),
        has_out_bias=published.flag("use_bias", False),
        has_qk_norm=published.flag("use_qk_norm", True),
        has_fused_qkv=True,
        mixture=mixture if mixture_layers else None,
        mixture_layers=mixture_layers,
    )
