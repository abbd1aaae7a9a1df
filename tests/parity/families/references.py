"""What each published model computes, by other means: transformers' own classes, or a plain loop for LLaDA2.x.

A reference takes the published weights, tokens, positions and who sees whom, and gives the logits of every position.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3MoeConfig,
    Qwen3MoeForCausalLM,
)

Reference = Callable[[Tensor, Tensor, Tensor], Tensor]


def reference_of(family: str, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Reference:
    """Give the family's reference: tokens, positions and sight (batch, queries, keys) to logits."""
    if family == "llada2_moe":
        return lambda tokens, positions, sight: torch.stack(
            [_llada2(config, weights, *row) for row in zip(tokens, positions, sight, strict=True)]
        )
    model = _MODELS[family](config, dict(weights)).eval()

    def logits(tokens: Tensor, positions: Tensor, sight: Tensor) -> Tensor:
        mask = torch.zeros(sight.shape).masked_fill(~sight, torch.finfo(torch.float32).min)[:, None]
        with torch.inference_mode():
            return model(input_ids=tokens, position_ids=positions, attention_mask=mask, use_cache=False).logits

    return logits


def _settings(config: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    kept = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    kept = (*kept, "num_key_value_heads", "rms_norm_eps", "tie_word_embeddings", "max_position_embeddings")
    shared = {name: config[name] for name in kept if name in config}
    rope = {"rope_type": "default", "rope_theta": config["rope_theta"]}
    return shared | {"rope_parameters": rope, "attn_implementation": "eager", "pad_token_id": None} | more


def _llama(config: Mapping[str, Any], weights: dict[str, Tensor]) -> PreTrainedModel:
    """LLaDA is a Llama under its own names."""
    settings = {
        "vocab_size": config["embedding_size"],
        "hidden_size": config["d_model"],
        "intermediate_size": config["mlp_hidden_size"],
        "num_hidden_layers": config["n_layers"],
        "num_attention_heads": config["n_heads"],
        "num_key_value_heads": config["n_kv_heads"],
        "rms_norm_eps": config["rms_norm_eps"],
        "tie_word_embeddings": config["weight_tying"],
        "rope_theta": config["rope_theta"],
    }
    model = LlamaForCausalLM(LlamaConfig(**_settings(settings)))
    theirs = {
        r"^model\.transformer\.wte\.": "model.embed_tokens.",
        r"^model\.transformer\.ln_f\.": "model.norm.",
        r"^model\.transformer\.ff_out\.": "lm_head.",
        r"^model\.transformer\.blocks\.": "model.layers.",
        r"\.attn_norm\.": ".input_layernorm.",
        r"\.ff_norm\.": ".post_attention_layernorm.",
        r"\.([qkv])_proj\.": r".self_attn.\1_proj.",
        r"\.attn_out\.": ".self_attn.o_proj.",
        r"\.ff_proj\.": ".mlp.gate_proj.",
        r"\.up_proj\.": ".mlp.up_proj.",
        r"(layers\.\d+)\.ff_out\.": r"\1.mlp.down_proj.",
    }
    renamed = {}
    for name, weight in weights.items():
        for pattern, replacement in theirs.items():
            name = re.sub(pattern, replacement, name)
        renamed[name] = weight
    model.load_state_dict(renamed)
    return model


def _qwen2(config: Mapping[str, Any], weights: dict[str, Tensor]) -> PreTrainedModel:
    model = Qwen2ForCausalLM(Qwen2Config(**_settings(config)))
    if config["tie_word_embeddings"]:
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
    model.load_state_dict(weights)
    return model


def _qwen3(config: Mapping[str, Any], weights: dict[str, Tensor]) -> PreTrainedModel:
    model = Qwen3ForCausalLM(Qwen3Config(**_settings(config, head_dim=config["head_dim"], attention_bias=False)))
    model.load_state_dict(weights)
    return model


def _qwen3_moe(config: Mapping[str, Any], weights: dict[str, Tensor]) -> PreTrainedModel:
    """Also LLaDA-MoE, whose queries and keys are normalised per head, as Qwen3's are and OLMoE's are not."""
    is_llada = "expert_intermediate_size" in config
    settings = _settings(
        config,
        head_dim=config["hidden_size"] // config["num_attention_heads"],
        attention_bias=False,
        moe_intermediate_size=config["expert_intermediate_size" if is_llada else "moe_intermediate_size"],
        num_experts=config["num_experts"],
        num_experts_per_tok=config["num_experts_per_tok"],
        norm_topk_prob=not is_llada,
        decoder_sparse_step=1,
        mlp_only_layers=[],
    )
    model = Qwen3MoeForCausalLM(Qwen3MoeConfig(**settings))
    packed = {name: weight for name, weight in weights.items() if ".experts." not in name}
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}.mlp.experts"
        ups = [
            torch.cat([weights[f"{prefix}.{expert}.{part}.weight"] for part in ("gate_proj", "up_proj")])
            for expert in range(config["num_experts"])
        ]
        downs = [weights[f"{prefix}.{expert}.down_proj.weight"] for expert in range(config["num_experts"])]
        packed |= {f"{prefix}.gate_up_proj": torch.stack(ups), f"{prefix}.down_proj": torch.stack(downs)}
    model.load_state_dict(packed)
    return model


_MODELS: Mapping[str, Callable[[Mapping[str, Any], dict[str, Tensor]], PreTrainedModel]] = {
    "llada": _llama,
    "llada_moe": _qwen3_moe,
    "dream": _qwen2,
    "open_dcoder": _qwen2,
    "sdar": _qwen3,
    "sdar_moe": _qwen3_moe,
    "fast_dllm_v2": _qwen2,
}


def _llada2(
    config: Mapping[str, Any], weights: Mapping[str, Tensor], tokens: Tensor, positions: Tensor, sight: Tensor
) -> Tensor:
    """LLaDA2.x over one row, one head, one token and one expert at a time (arXiv 2512.15745 and its configuration)."""
    epsilon, head_width = config["rms_norm_eps"], config["head_dim"]
    num_heads, num_kv_heads = config["num_attention_heads"], config["num_key_value_heads"]

    def norm(x: Tensor, name: str) -> Tensor:
        return x / (x.pow(2).mean(dim=-1, keepdim=True) + epsilon).sqrt() * weights[name]

    def gated(x: Tensor, name: str) -> Tensor:
        gate, up, down = (weights[f"{name}.{part}_proj.weight"] for part in ("gate", "up", "down"))
        inner = gate @ x
        return down @ (inner * inner.sigmoid() * (up @ x))

    def turned(x: Tensor) -> Tensor:
        """Rotate the pairs (i, i + r/2) of the first r axes of each position's vector."""
        rotary_width = int(head_width * config["partial_rotary_factor"])
        half, x = rotary_width // 2, x.clone()
        for axis in range(half):
            angle = positions / config["rope_theta"] ** (2 * axis / rotary_width)
            first, second = x[:, axis].clone(), x[:, axis + half].clone()
            x[:, axis] = first * angle.cos() - second * angle.sin()
            x[:, axis + half] = second * angle.cos() + first * angle.sin()
        return x

    def attention(x: Tensor, name: str) -> Tensor:
        everything = x @ weights[f"{name}.query_key_value.weight"].T
        parts = everything.split(head_width, dim=1)  # first all queries, then all keys, then all values
        gathered = []
        for head in range(num_heads):
            shared = head // (num_heads // num_kv_heads)
            query = turned(norm(parts[head], f"{name}.query_layernorm.weight"))
            key = turned(norm(parts[num_heads + shared], f"{name}.key_layernorm.weight"))
            scores = (query @ key.T / head_width**0.5).masked_fill(~sight, -torch.inf)
            gathered.append(scores.softmax(dim=1) @ parts[num_heads + num_kv_heads + shared])
        return torch.cat(gathered, dim=1) @ weights[f"{name}.dense.weight"].T

    def mixture(x: Tensor, name: str) -> Tensor:
        scores = (weights[f"{name}.gate.weight"] @ x).sigmoid()
        biased = (scores + weights[f"{name}.gate.expert_bias"]).tolist()
        size = config["num_experts"] // config["n_group"]
        groups = [range(start, start + size) for start in range(0, config["num_experts"], size)]
        groups.sort(key=lambda group: -sum(sorted((biased[expert] for expert in group), reverse=True)[:2]))
        allowed = [expert for group in groups[: config["topk_group"]] for expert in group]
        chosen = sorted(allowed, key=lambda expert: -biased[expert])[: config["num_experts_per_tok"]]
        total = sum(float(scores[expert]) for expert in chosen)
        result = gated(x, f"{name}.shared_experts")
        for expert in chosen:
            share = config["routed_scaling_factor"] * float(scores[expert]) / total
            result = result + share * gated(x, f"{name}.experts.{expert}")
        return result

    x = weights["model.word_embeddings.weight"][tokens]
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}"
        x = x + attention(norm(x, f"{prefix}.input_layernorm.weight"), f"{prefix}.attention")
        normed = norm(x, f"{prefix}.post_attention_layernorm.weight")
        feed = gated if layer < config["first_k_dense_replace"] else mixture
        x = x + torch.stack([feed(position, f"{prefix}.mlp") for position in normed])
    return norm(x, "model.norm.weight") @ weights["lm_head.weight"].T
