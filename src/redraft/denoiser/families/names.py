"""Where each of our weights stands in a published checkpoint: a name for a name, so that the table reads both ways."""

from collections.abc import Mapping

from redraft.denoiser.families.backbone import parameter_shapes
from redraft.denoiser.families.family import FamilySpec
from redraft.denoiser.families.shape import BackboneConfig
from redraft.errors import ConfigError

__all__ = ["published_names", "redundant_names"]

_QWEN: Mapping[str, str] = {
    "embedding": "model.embed_tokens",
    "norm": "model.norm",
    "head": "lm_head",
    "layers": "model.layers",
    "attention_norm": "input_layernorm",
    "attention.query": "self_attn.q_proj",
    "attention.key": "self_attn.k_proj",
    "attention.value": "self_attn.v_proj",
    "attention.out": "self_attn.o_proj",
    "attention.query_norm": "self_attn.q_norm",
    "attention.key_norm": "self_attn.k_norm",
    "mlp_norm": "post_attention_layernorm",
    "mlp.gate": "mlp.gate_proj",
    "mlp.up": "mlp.up_proj",
    "mlp.down": "mlp.down_proj",
    "mlp.router": "mlp.gate",
    "mlp.experts": "mlp.experts",
}
"""Our modules and theirs: first those of the whole model, then those inside a layer."""

_LAYOUTS: Mapping[str, Mapping[str, str]] = {
    "llama": _QWEN,
    "qwen2": _QWEN,
    "qwen3": _QWEN,
    "qwen3_moe": _QWEN,
    "llada_moe": {**_QWEN, "mlp.shared": "shared_expert", "mlp.router.bias": "mlp.expert_bias"},
    "llada2_moe": {
        **_QWEN,
        "embedding": "model.word_embeddings",
        "attention.qkv": "attention.query_key_value",
        "attention.out": "attention.dense",
        "attention.query_norm": "attention.query_layernorm",
        "attention.key_norm": "attention.key_layernorm",
        "mlp.shared": "mlp.shared_experts",
        "mlp.router.bias": "mlp.gate.expert_bias",
    },
    "llada": {
        "embedding": "model.transformer.wte",
        "norm": "model.transformer.ln_f",
        "head": "model.transformer.ff_out",
        "layers": "model.transformer.blocks",
        "attention_norm": "attn_norm",
        "attention.query": "q_proj",
        "attention.key": "k_proj",
        "attention.value": "v_proj",
        "attention.out": "attn_out",
        "mlp_norm": "ff_norm",
        "mlp.gate": "ff_proj",
        "mlp.up": "up_proj",
        "mlp.down": "ff_out",
    },
}

_IN_EXPERT: Mapping[str, str] = {"gate": "gate_proj", "up": "up_proj", "down": "down_proj"}


def published_names(spec: FamilySpec, config: BackboneConfig) -> dict[str, str]:
    """The published name of each of our weights; no two share one, so that the way back is the same table.

    Args:
        spec: The checkpoint's family.
        config: The backbone's shape.

    Returns:
        Published names by our names, in the order of the layers.

    Raises:
        ConfigError: If the family has no weights of ours.
    """
    if spec.layout not in _LAYOUTS:
        raise ConfigError(f"the family {spec.name} has no weight names of ours; it runs through its adapter")
    table = _LAYOUTS[spec.layout]
    return {name: _published_name(name, table) for name in parameter_shapes(config)}


def redundant_names(spec: FamilySpec, config: BackboneConfig) -> frozenset[str]:
    """Published weights that may be there and hold nothing new: a tied head, frequencies computed from the shape.

    Args:
        spec: The checkpoint's family.
        config: The backbone's shape.

    Returns:
        Their published names.
    """
    table = _LAYOUTS.get(spec.layout, _QWEN)
    inside = [f"{table['layers']}.{layer}.self_attn.rotary_emb.inv_freq" for layer in range(config.num_layers)]
    tied = [f"{table['head']}.weight"] if config.is_tied else []
    return frozenset([*inside, "model.rotary_emb.inv_freq", *tied])


def _published_name(name: str, table: Mapping[str, str]) -> str:
    """One name, by the longest part of it that the table knows."""
    parts = name.split(".")
    if parts[0] != "layers":
        return f"{table[parts[0]]}.{parts[1]}"
    inside = ".".join(parts[2:])
    prefix = f"{table['layers']}.{parts[1]}"
    if inside in table:  # a bias that the published layout keeps under a name of its own
        return f"{prefix}.{table[inside]}"
    if parts[2:4] == ["mlp", "experts"]:
        return f"{prefix}.{table['mlp.experts']}.{parts[4]}.{_IN_EXPERT[parts[5]]}.{parts[6]}"
    if parts[2:4] == ["mlp", "shared"]:
        return f"{prefix}.{table['mlp.shared']}.{_IN_EXPERT[parts[4]]}.{parts[5]}"
    module, _, weight = inside.rpartition(".")
    return f"{prefix}.{table[module]}.{weight}"
