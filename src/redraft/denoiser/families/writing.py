"""The published configuration of a backbone: ``read_config`` the other way round, for checkpoints written here."""

from typing import Any

from redraft.denoiser.families.family import FamilySpec
from redraft.denoiser.families.shape import BackboneConfig
from redraft.errors import ConfigError

__all__ = ["write_config"]

_CLASSES = {
    ("llada", "llada"): ("LLaDAModelLM", "llada"),
    ("llada_moe", "llada_moe"): ("LLaDAMoEModelLM", "llada"),
    ("dream", "qwen2"): ("DreamModel", "Dream"),
    ("sdar", "qwen3"): ("SDARForCausalLM", "sdar"),
    ("sdar", "qwen3_moe"): ("SDARMoeForCausalLM", "sdar_moe"),
    ("llada2_moe", "llada2_moe"): ("LLaDA2MoeModelLM", "llada2_moe"),
    ("fast_dllm_v2", "qwen2"): ("Fast_dLLM_QwenForCausalLM", "Fast_dLLM_Qwen"),
}
"""Class name and model type that each family publishes, by its name and layout."""


def write_config(spec: FamilySpec, shape: BackboneConfig) -> dict[str, Any]:
    """What ``config.json`` holds so that ``detect_family`` and ``read_config`` give the same records back.

    The mask token's id is always written, also for families whose published configuration leaves it to the tokenizer.

    Args:
        spec: The family.
        shape: The backbone's shape.

    Returns:
        Plain values, ready for JSON.

    Raises:
        ConfigError: If the family publishes no such layout, or its configuration can't express the shape.
    """
    if (spec.name, spec.layout) not in _CLASSES:
        raise ConfigError(f"the family {spec.name} has no published layout {spec.layout!r}; convert to a known family")
    architecture, model_type = _CLASSES[spec.name, spec.layout]
    values: dict[str, Any] = {"architectures": [architecture], "model_type": model_type}
    values |= _llada(shape) if spec.layout == "llada" else _shared(spec, shape)
    if spec.mask_token_id is not None:
        values["mask_token_id"] = spec.mask_token_id
    if spec.end_token_ids:
        values["eos_token_id"] = spec.end_token_ids[0] if len(spec.end_token_ids) == 1 else list(spec.end_token_ids)
    block_key = {"sdar": "block_size", "fast_dllm_v2": "bd_size"}.get(spec.name)
    if block_key is not None:
        values[block_key] = spec.block_length
    return values


def _llada(shape: BackboneConfig) -> dict[str, Any]:
    return {
        "d_model": shape.width,
        "n_layers": shape.num_layers,
        "n_heads": shape.num_heads,
        "n_kv_heads": shape.num_kv_heads,
        "mlp_hidden_size": shape.mlp_width,
        "vocab_size": shape.vocab_size,
        "embedding_size": shape.vocab_size,
        "max_sequence_length": shape.context_length,
        "rms_norm_eps": shape.norm_epsilon,
        "rope_theta": shape.rope_base,
        "weight_tying": shape.is_tied,
        "include_bias": False,
        "include_qkv_bias": shape.has_qkv_bias,
        "block_type": "llama",
        "activation_type": "silu",
        "layer_norm_type": "rms",
        "rope": True,
        "alibi": False,
    }


def _shared(spec: FamilySpec, shape: BackboneConfig) -> dict[str, Any]:
    """What the transformers-style configurations share, then each layout's own."""
    values: dict[str, Any] = {
        "vocab_size": shape.vocab_size,
        "hidden_size": shape.width,
        "num_hidden_layers": shape.num_layers,
        "num_attention_heads": shape.num_heads,
        "num_key_value_heads": shape.num_kv_heads,
        "head_dim": shape.head_width,
        "intermediate_size": shape.mlp_width,
        "hidden_act": "silu",
        "max_position_embeddings": shape.context_length,
        "rms_norm_eps": shape.norm_epsilon,
        "rope_theta": shape.rope_base,
        "tie_word_embeddings": shape.is_tied,
    }
    if spec.layout in ("qwen3", "qwen3_moe", "llada_moe"):
        values["attention_bias"] = shape.has_qkv_bias
    if spec.layout in ("llada_moe", "llada2_moe"):
        values["partial_rotary_factor"] = shape.rotary_width / shape.head_width
    mixture = shape.mixture
    if spec.layout in ("qwen2", "qwen3") or mixture is None:
        return values
    values |= {"num_experts": mixture.num_experts, "num_experts_per_tok": mixture.experts_per_token}
    if spec.layout == "qwen3_moe":
        dense = [layer for layer in range(shape.num_layers) if layer not in shape.mixture_layers]
        return values | {
            "moe_intermediate_size": mixture.expert_width,
            "norm_topk_prob": mixture.is_normalised,
            "mlp_only_layers": dense,
            "decoder_sparse_step": 1,
        }
    if spec.layout == "llada_moe":
        return values | {
            "dense_intermediate_size": values.pop("intermediate_size"),
            "expert_intermediate_size": mixture.expert_width,
            "shared_expert_intermediate_size": mixture.shared_width or None,
            "moe_layer_freq": [int(layer in shape.mixture_layers) for layer in range(shape.num_layers)],
            "moe_router_enable_expert_bias": mixture.has_bias,
            "moe_router_score_function": "softmax",
            "qk_layernorm": shape.has_qk_norm,
        }
    return values | {
        "moe_intermediate_size": mixture.expert_width,
        "num_shared_experts": mixture.shared_width // mixture.expert_width,
        "first_k_dense_replace": shape.mixture_layers[0],
        "n_group": mixture.num_groups,
        "topk_group": mixture.kept_groups,
        "norm_topk_prob": True,
        "routed_scaling_factor": mixture.scale,
        "score_function": "sigmoid",
        "use_qkv_bias": shape.has_qkv_bias,
        "use_bias": shape.has_out_bias,
        "use_qk_norm": shape.has_qk_norm,
    }
