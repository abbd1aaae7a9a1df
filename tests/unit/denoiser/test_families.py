"""Families are told apart by their configuration, and a damaged one gets one clear error."""

import math
from typing import Any

import pytest

from redraft.denoiser.families import KNOWN_ARCHITECTURES, FamilySpec, detect_family, read_config
from redraft.errors import ConfigError

QWEN = {
    "architectures": ["SDARForCausalLM"],
    "vocab_size": 64,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "rope_theta": 10000.0,
}
LLADA = {
    "architectures": ["LLaDAModelLM"],
    "d_model": 32,
    "n_layers": 2,
    "n_heads": 4,
    "vocab_size": 64,
    "mlp_hidden_size": 48,
}
LLADA2 = {
    **QWEN,
    "architectures": ["LLaDA2MoeModelLM"],
    "num_experts": 8,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
    "n_group": 4,
    "topk_group": 2,
}
LLADA_MOE = {
    **QWEN,
    "architectures": ["LLaDAMoEModelLM"],
    "num_experts": 8,
    "num_experts_per_tok": 2,
    "expert_intermediate_size": 16,
    "moe_layer_freq": [1, 1],
}


def without(config: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key != name}


@pytest.mark.parametrize(
    ("config", "name", "block_length", "is_shifted"),
    [
        ({"architectures": ["LLaDAModelLM"], "model_type": "llada"}, "llada", None, False),
        ({"architectures": ["LLaDAMoEModelLM"], "model_type": "llada"}, "llada_moe", None, False),
        ({"architectures": ["DreamModel"], "model_type": "Dream"}, "dream", None, True),
        ({"architectures": ["SDARForCausalLM"]}, "sdar", 4, False),
        ({"architectures": ["SDARForCausalLM"], "block_size": 64}, "sdar", 64, False),
        ({"architectures": ["LLaDA2MoeModelLM"]}, "llada2_moe", 32, False),
        ({"architectures": ["Fast_dLLM_QwenForCausalLM"], "bd_size": 16}, "fast_dllm_v2", 16, True),
        ({"architectures": ["DiffusionGemmaForBlockDiffusion"], "canvas_length": 64}, "diffusion_gemma", 64, False),
        ({"model_type": "llada2_moe"}, "llada2_moe", 32, False),
    ],
)
def test_families_are_told_apart(config: dict[str, Any], name: str, block_length: int | None, is_shifted: bool) -> None:
    spec = detect_family(config)
    assert (spec.name, spec.block_length, spec.is_shifted) == (name, block_length, is_shifted)
    assert spec.noise == ("uniform" if name == "diffusion_gemma" else "masked")


def test_special_ids_come_from_the_checkpoint_before_any_default() -> None:
    tokenizer = {"mask_token": {"content": "<M>"}, "added_tokens_decoder": {"9": {"content": "<M>"}}}
    assert detect_family(LLADA2, tokenizer_config=tokenizer).mask_token_id == 9
    assert detect_family(LLADA2 | {"mask_token_id": 3}, tokenizer_config=tokenizer).mask_token_id == 3
    assert detect_family(LLADA2).mask_token_id == 156895
    ends = detect_family(QWEN | {"eos_token_id": 5}, generation_config={"eos_token_id": [7, 5]}).end_token_ids
    assert ends == (7, 5)
    assert detect_family({"architectures": ["Fast_dLLM_QwenForCausalLM"], "eos_token_id": 5}).end_token_ids == (
        151645,
        5,
    )


def test_a_qwen2_is_a_diffusion_model_only_with_a_mask_token() -> None:
    config = {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2"}
    tokenizer = {"mask_token": "<M>", "added_tokens_decoder": {"9": {"content": "<M>"}}}
    spec = detect_family(config, tokenizer_config=tokenizer)
    assert (spec.name, spec.mask_token_id, spec.is_shifted) == ("dream", 9, True)
    assert detect_family(config, tokenizer_config={"mask_token": "<M>"}).mask_token_id is None
    with pytest.raises(ConfigError, match="convert it first"):
        detect_family(config)
    with pytest.raises(ConfigError, match="Qwen3ForCausalLM is autoregressive; convert it first"):
        detect_family({"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3"})


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"},
        {"architectures": ["DreamForCausalLM"], "model_type": "Dream"},  # another model under Dream's type
        {"architectures": "LLaDAModelLM"},
        {"architectures": [["LLaDAModelLM"]]},
        {"model_type": {"llada": 1}},
    ],
)
def test_an_unknown_architecture_lists_the_known_ones(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"known: .*DreamModel.*SDARForCausalLM"):
        detect_family(config)


@pytest.mark.parametrize(
    "changes",
    [
        {"block_size": "4"},
        {"block_size": True},
        {"block_size": 0},
        {"block_size": 1 << 40},
        {"mask_token_id": -1},
        {"mask_token_id": 1 << 60},
        {"mask_token_id": [1]},
        {"eos_token_id": ["x"]},
        {"eos_token_id": 1.5},
    ],
)
def test_a_family_record_of_the_wrong_kind_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        detect_family(QWEN | changes)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (without(QWEN, "hidden_size"), "no hidden_size"),
        (QWEN | {"hidden_size": "32"}, "not a whole number"),
        (QWEN | {"hidden_size": True}, "not a whole number"),
        (QWEN | {"hidden_size": 1 << 40}, "width=.* is not in 1 to"),
        (QWEN | {"num_hidden_layers": 10**9}, "num_layers=.* is not in 1 to"),
        (QWEN | {"num_attention_heads": 0}, "is not in 1 to"),
        (QWEN | {"num_key_value_heads": 3}, "does not divide"),
        (QWEN | {"head_dim": 7}, "rotary_width=7 is odd"),
        (QWEN | {"rope_theta": math.nan}, "out of range"),
        (QWEN | {"rms_norm_eps": math.inf}, "out of range"),
        (QWEN | {"rope_theta": "10000"}, "not a number"),
        (QWEN | {"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}, "of type 'yarn' is not supported"),
        (QWEN | {"rope_scaling": [1]}, "is not supported"),
        (QWEN | {"use_sliding_window": True}, "use_sliding_window=True"),
        (QWEN | {"hidden_act": "gelu"}, "hidden_act=gelu"),
        (QWEN | {"tie_word_embeddings": "no"}, "not true or false"),
        (LLADA | {"alibi": True}, "alibi=True"),
        (LLADA | {"block_type": "sequential"}, "block_type=sequential"),
        (LLADA | {"n_heads": 0}, "is not in 1 to"),
        (without(LLADA, "d_model"), "no d_model"),
        (LLADA_MOE | {"moe_layer_freq": [1]}, "moe_layer_freq"),
        (LLADA_MOE | {"moe_layer_freq": 1}, "moe_layer_freq"),
        (LLADA_MOE | {"clip_qkv": 3.0}, "must be unset"),
        (LLADA_MOE | {"partial_rotary_factor": math.inf}, "partial_rotary_factor"),
        (LLADA2 | {"partial_rotary_factor": math.nan}, "partial_rotary_factor"),
        (LLADA2 | {"num_experts_per_tok": 9}, "experts_per_token=9"),
        (LLADA2 | {"n_group": 3}, "do not split"),
        (LLADA2 | {"topk_group": 5}, "do not split"),
        (LLADA2 | {"n_group": 8, "topk_group": 2}, "can't give a token"),
        (LLADA2 | {"routed_scaling_factor": math.inf}, "out of range"),
        (LLADA2 | {"score_function": "softmax"}, "score_function=softmax"),
        (LLADA2 | {"num_hidden_layers": 999, "num_experts": 8192}, "more than 65536 experts"),
    ],
)
def test_a_shape_that_can_not_be_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_config(detect_family(config), config)


def test_newer_rope_records_are_read() -> None:
    config = without(QWEN, "rope_theta") | {"rope_parameters": {"rope_type": "default", "rope_theta": 5e5}}
    assert read_config(detect_family(config), config).rope_base == 5e5


def test_published_sizes_are_what_the_names_say() -> None:
    llada = LLADA | {"d_model": 4096, "n_heads": 32, "embedding_size": 126464, "mlp_hidden_size": 12288}
    shape = read_config(detect_family(llada), llada)
    assert (shape.vocab_size, shape.head_width, shape.num_kv_heads, shape.norm_epsilon) == (126464, 128, 32, 1e-5)


def test_a_block_family_needs_a_length() -> None:
    with pytest.raises(ConfigError, match="needs a block_length"):
        FamilySpec(
            name="x",
            layout="qwen3",
            attention="block",
            is_shifted=False,
            noise="masked",
            block_length=None,
            mask_token_id=1,
        )
    assert all(spec.name for spec in KNOWN_ARCHITECTURES.values())
