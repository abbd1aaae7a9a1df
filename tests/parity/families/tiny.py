"""Tiny random checkpoints in the published layouts: file names, configuration keys, weight names, special tokens.

The names and shapes are written down here once more, apart from the package's own tables, so that a test can compare.

    python tests/parity/families/tiny.py sdar FOLDER
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor

WIDTH, LAYERS, HEADS, KV_HEADS, HEAD_WIDTH, HIDDEN = 32, 2, 4, 2, 8, 48
VOCAB = 320
MERGES = [("t", "h"), ("th", "e"), ("i", "n"), ("Ġ", "a"), ("e", "r"), ("Ġ", "the")]

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
HEADERS = (
    "{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"
    " + message['content'] | trim + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
ROLES = (
    "{% for message in messages %}{{ '<role>' + ('HUMAN' if message['role'] == 'user' else 'ASSISTANT') + '</role>'"
    " + message['content'] }}{% endfor %}{% if add_generation_prompt %}{{ '<role>ASSISTANT</role>' }}{% endif %}"
)

TOKENS: Mapping[str, dict[str, Any]] = {
    "headers": {
        "bos_token": "<|startoftext|>",
        "eos_token": "<|endoftext|>",
        "mask_token": "<|mdm_mask|>",
        "others": ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
        "chat_template": HEADERS,
    },
    "roles": {
        "eos_token": "<|endoftext|>",
        "mask_token": "<|mask|>",
        "others": ["<role>", "</role>", "<|role_end|>"],
        "chat_template": ROLES,
    },
    "chatml": {
        "eos_token": "<|endoftext|>",
        "mask_token": "<|mask|>",
        "others": ["<|im_start|>", "<|im_end|>"],
        "chat_template": CHATML,
    },
}

SHARED = {
    "vocab_size": VOCAB,
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KV_HEADS,
    "hidden_act": "silu",
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "rope_scaling": None,
    "tie_word_embeddings": False,
    "torch_dtype": "float32",
}
QWEN = SHARED | {"intermediate_size": HIDDEN, "use_sliding_window": False, "sliding_window": None}

FAMILIES: Mapping[str, dict[str, Any]] = {
    "llada": {
        "tokens": TOKENS["headers"],
        "config": {
            "architectures": ["LLaDAModelLM"],
            "model_type": "llada",
            "d_model": WIDTH,
            "n_layers": LAYERS,
            "n_heads": HEADS,
            "n_kv_heads": KV_HEADS,
            "mlp_hidden_size": HIDDEN,
            "mlp_ratio": 4,
            "embedding_size": VOCAB,
            "vocab_size": VOCAB,
            "max_sequence_length": 512,
            "rms_norm_eps": 1e-5,
            "rope": True,
            "rope_full_precision": True,
            "rope_theta": 10000.0,
            "weight_tying": False,
            "include_bias": False,
            "include_qkv_bias": False,
            "bias_for_layer_norm": False,
            "alibi": False,
            "activation_type": "silu",
            "block_type": "llama",
            "block_group_size": 1,
            "layer_norm_type": "rms",
            "layer_norm_with_affine": True,
            "attention_layer_norm": False,
            "input_emb_norm": False,
            "multi_query_attention": None,
            "scale_logits": False,
        },
    },
    "llada_moe": {
        "tokens": TOKENS["roles"],
        "config": SHARED
        | {
            "architectures": ["LLaDAMoEModelLM"],
            "model_type": "llada",
            "num_key_value_heads": HEADS,
            "dense_intermediate_size": HIDDEN,
            "expert_intermediate_size": 16,
            "shared_expert_intermediate_size": None,
            "num_experts": 8,
            "num_experts_per_tok": 2,
            "norm_topk_prob": None,
            "qk_layernorm": True,
            "moe_layer_freq": [1] * LAYERS,
            "moe_router_enable_expert_bias": False,
            "moe_router_score_function": "softmax",
            "partial_rotary_factor": 1,
            "attention_bias": False,
            "clip_qkv": None,
        },
    },
    "dream": {
        "tokens": TOKENS["chatml"],
        "config": QWEN | {"architectures": ["DreamModel"], "model_type": "Dream"},
    },
    "open_dcoder": {
        "tokens": TOKENS["chatml"] | {"mask_token": "<M>"},
        "config": QWEN | {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "tie_word_embeddings": True},
    },
    "sdar": {
        "tokens": TOKENS["chatml"] | {"mask_token": "<|MASK|>"},
        "config": QWEN
        | {
            "architectures": ["SDARForCausalLM"],
            "model_type": "sdar",
            "head_dim": HEAD_WIDTH,
            "attention_bias": False,
            "block_size": 4,
        },
    },
    "sdar_moe": {
        "tokens": TOKENS["chatml"] | {"mask_token": "<|MASK|>"},
        "config": QWEN
        | {
            "architectures": ["SDARMoeForCausalLM"],
            "model_type": "sdar_moe",
            "head_dim": HEAD_WIDTH,
            "attention_bias": False,
            "block_size": 4,
            "num_experts": 8,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 16,
            "norm_topk_prob": True,
            "decoder_sparse_step": 1,
            "mlp_only_layers": [],
        },
    },
    "llada2_moe": {
        "tokens": TOKENS["roles"],
        "config": SHARED
        | {
            "architectures": ["LLaDA2MoeModelLM"],
            "model_type": "llada2_moe",
            "intermediate_size": HIDDEN,
            "moe_intermediate_size": 16,
            "head_dim": HEAD_WIDTH,
            "partial_rotary_factor": 0.5,
            "use_qkv_bias": False,
            "use_qk_norm": True,
            "use_bias": False,
            "norm_head": False,
            "num_experts": 8,
            "num_experts_per_tok": 2,
            "num_shared_experts": 1,
            "n_group": 4,
            "topk_group": 2,
            "norm_topk_prob": True,
            "routed_scaling_factor": 2.5,
            "score_function": "sigmoid",
            "moe_router_enable_expert_bias": True,
            "first_k_dense_replace": 1,
        },
    },
    "fast_dllm_v2": {
        "tokens": TOKENS["chatml"] | {"mask_token": "|<MASK>|"},
        "config": QWEN
        | {"architectures": ["Fast_dLLM_QwenForCausalLM"], "model_type": "Fast_dLLM_Qwen", "bd_size": 32},
    },
}
"""Every family whose weights run on the package's own backbone."""

MASK_IN_CONFIG = ("llada", "dream", "sdar", "sdar_moe")
"""Families whose published configuration holds ``mask_token_id``; the others leave it to the tokenizer."""


def tokenizer_of(family: str) -> Tokenizer:
    """Byte-level BPE with a few merges and the family's special tokens behind it."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {text: token for token, text in enumerate([*letters, *("".join(pair) for pair in MERGES)])}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=MERGES))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokens = FAMILIES[family]["tokens"]
    named = [tokens[name] for name in ("bos_token", "eos_token", "mask_token") if name in tokens]
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text in [*named, *tokens["others"]]])
    return tokenizer


def config_of(family: str) -> dict[str, Any]:
    """What stands in config.json."""
    tokenizer, tokens = tokenizer_of(family), FAMILIES[family]["tokens"]
    end = tokenizer.token_to_id(tokens["eos_token"])
    config = FAMILIES[family]["config"] | {"eos_token_id": end, "pad_token_id": end, "use_cache": False}
    if family in MASK_IN_CONFIG:
        config["mask_token_id"] = tokenizer.token_to_id(tokens["mask_token"])
    return config


def tokenizer_config_of(family: str) -> dict[str, Any]:
    """What stands in tokenizer_config.json."""
    tokenizer, tokens = tokenizer_of(family), FAMILIES[family]["tokens"]
    added = sorted(tokenizer.get_added_tokens_decoder().items())
    return {
        "added_tokens_decoder": {str(token): {"content": entry.content, "special": True} for token, entry in added},
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": tokens["eos_token"],
        "model_max_length": 512,
        **{name: text for name, text in tokens.items() if name != "others"},
    }


def shapes_of(family: str, config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The published name and shape of every weight."""
    if family == "llada":
        return _llada_shapes(config)
    embedding = "model.word_embeddings.weight" if family == "llada2_moe" else "model.embed_tokens.weight"
    shapes: dict[str, tuple[int, ...]] = {embedding: (VOCAB, WIDTH), "model.norm.weight": (WIDTH,)}
    if not config["tie_word_embeddings"]:
        shapes["lm_head.weight"] = (VOCAB, WIDTH)
    for layer in range(LAYERS):
        inside = _attention_shapes(family, config) | _mlp_shapes(family, config, layer)
        inside |= {"input_layernorm.weight": (WIDTH,), "post_attention_layernorm.weight": (WIDTH,)}
        shapes |= {f"model.layers.{layer}.{name}": shape for name, shape in inside.items()}
    return shapes


def _llada_shapes(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    kv_width = config["n_kv_heads"] * (config["d_model"] // config["n_heads"])
    shapes: dict[str, tuple[int, ...]] = {
        "model.transformer.wte.weight": (VOCAB, WIDTH),
        "model.transformer.ln_f.weight": (WIDTH,),
        "model.transformer.ff_out.weight": (VOCAB, WIDTH),
    }
    for layer in range(LAYERS):
        inside = {
            "attn_norm.weight": (WIDTH,),
            "ff_norm.weight": (WIDTH,),
            "q_proj.weight": (WIDTH, WIDTH),
            "k_proj.weight": (kv_width, WIDTH),
            "v_proj.weight": (kv_width, WIDTH),
            "attn_out.weight": (WIDTH, WIDTH),
            "ff_proj.weight": (HIDDEN, WIDTH),
            "up_proj.weight": (HIDDEN, WIDTH),
            "ff_out.weight": (WIDTH, HIDDEN),
        }
        shapes |= {f"model.transformer.blocks.{layer}.{name}": shape for name, shape in inside.items()}
    return shapes


def _attention_shapes(family: str, config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    kv_width = config["num_key_value_heads"] * HEAD_WIDTH
    if family == "llada2_moe":
        return {
            "attention.query_key_value.weight": (WIDTH + 2 * kv_width, WIDTH),
            "attention.dense.weight": (WIDTH, WIDTH),
            "attention.query_layernorm.weight": (HEAD_WIDTH,),
            "attention.key_layernorm.weight": (HEAD_WIDTH,),
        }
    widths = {"q_proj": WIDTH, "k_proj": kv_width, "v_proj": kv_width}
    shapes: dict[str, tuple[int, ...]] = {f"self_attn.{name}.weight": (out, WIDTH) for name, out in widths.items()}
    shapes["self_attn.o_proj.weight"] = (WIDTH, WIDTH)
    if family in ("dream", "open_dcoder", "fast_dllm_v2"):
        shapes |= {f"self_attn.{name}.bias": (out,) for name, out in widths.items()}
    else:
        shapes |= {"self_attn.q_norm.weight": (HEAD_WIDTH,), "self_attn.k_norm.weight": (HEAD_WIDTH,)}
    return shapes


def _mlp_shapes(family: str, config: Mapping[str, Any], layer: int) -> dict[str, tuple[int, ...]]:
    def gated(prefix: str, hidden: int) -> dict[str, tuple[int, ...]]:
        ups = {f"{prefix}.{name}.weight": (hidden, WIDTH) for name in ("gate_proj", "up_proj")}
        return {**ups, f"{prefix}.down_proj.weight": (WIDTH, hidden)}

    if "num_experts" not in config or layer < config.get("first_k_dense_replace", 0):
        return gated("mlp", HIDDEN)
    num_experts = config["num_experts"]
    shapes: dict[str, tuple[int, ...]] = {"mlp.gate.weight": (num_experts, WIDTH)}
    for expert in range(num_experts):
        shapes |= gated(f"mlp.experts.{expert}", 16)
    if family == "llada2_moe":
        shapes |= {"mlp.gate.expert_bias": (num_experts,)} | gated("mlp.shared_experts", 16)
    if family == "llada_moe" and config["shared_expert_intermediate_size"]:
        shapes |= gated("shared_expert", config["shared_expert_intermediate_size"])
    if family == "llada_moe" and config["moe_router_enable_expert_bias"]:
        shapes["mlp.expert_bias"] = (num_experts,)
    return shapes


def weights_of(family: str, config: Mapping[str, Any], *, seed: int = 0) -> dict[str, Tensor]:
    """Random weights everywhere, biases and norms included, large enough that every one of them matters."""
    rng = torch.Generator().manual_seed(seed)
    weights: dict[str, Tensor] = {}
    for name, shape in shapes_of(family, config).items():
        noise = torch.randn(shape, generator=rng)
        if len(shape) == 1:
            weights[name] = noise * 0.2 + (0.0 if name.endswith("bias") else 1.0)
        elif shape[0] == VOCAB:
            weights[name] = noise * (1.0 if "embed" in name or "wte" in name else 0.5)
        else:
            weights[name] = noise * 1.3 / shape[1] ** 0.5
    return weights


def write_tiny(
    folder: Path, family: str, *, num_shards: int = 1, dtype: torch.dtype = torch.float32, seed: int = 0
) -> Path:
    """Write a checkpoint folder as it would come from a hub.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = config_of(family)
    if dtype == torch.bfloat16:
        config["torch_dtype"] = "bfloat16"
    weights = {name: weight.to(dtype) for name, weight in weights_of(family, config, seed=seed).items()}
    if num_shards == 1:
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    else:
        _write_shards(folder, weights, num_shards)
    files = {
        "config.json": config,
        "generation_config.json": {"eos_token_id": config["eos_token_id"], "pad_token_id": config["pad_token_id"]},
        "tokenizer_config.json": tokenizer_config_of(family),
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=2))
    tokenizer_of(family).save(str(folder / "tokenizer.json"))
    return folder


def _write_shards(folder: Path, weights: dict[str, Tensor], num_shards: int) -> None:
    names, where = list(weights), {}
    for shard in range(num_shards):
        file = f"model-{shard + 1:05d}-of-{num_shards:05d}.safetensors"
        part = names[shard::num_shards]
        save_file({name: weights[name] for name in part}, folder / file, metadata={"format": "pt"})
        where |= dict.fromkeys(part, file)
    total = sum(weight.nbytes for weight in weights.values())
    index = {"metadata": {"total_size": total}, "weight_map": {name: where[name] for name in names}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))


if __name__ == "__main__":
    print(write_tiny(Path(sys.argv[2]), sys.argv[1]))
