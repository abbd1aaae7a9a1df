"""Logits of every family against an independent implementation, in float32."""

import pytest
import torch
from tests.parity.families.references import Reference, reference_of
from tests.parity.families.tiny import FAMILIES, VOCAB, config_of, tokenizer_config_of, weights_of
from torch import Tensor

from redraft.denoiser import Denoiser
from redraft.denoiser.families import build_denoiser, detect_family, read_config

TOLERANCE = 1e-4
FULL = [family for family in FAMILIES if family in ("llada", "llada_moe", "dream", "open_dcoder")]
BLOCK = [family for family in FAMILIES if family not in FULL]


def both(family: str, **changes: object) -> tuple[Denoiser, Reference, bool, int]:
    """Return our denoiser, the reference, whether the family is shifted, and its block length (0: none)."""
    config = config_of(family) | changes
    weights = weights_of(family, config)
    spec = detect_family(config, tokenizer_config=tokenizer_config_of(family))
    ours = build_denoiser(spec, config, weights)
    return ours, reference_of(family, config, weights), spec.is_shifted, spec.block_length or 0


def draw(batch: int, length: int, seed: int = 0) -> Tensor:
    return torch.randint(0, VOCAB, (batch, length), generator=torch.Generator().manual_seed(seed))


def expected_logits(reference: Reference, tokens: Tensor, context: int, block_length: int, is_shifted: bool) -> Tensor:
    """Return the canvas logits from one pass over everything."""
    positions = torch.arange(tokens.shape[1]).expand_as(tokens)
    block = positions // block_length if block_length else torch.zeros_like(positions)
    logits = reference(tokens, positions, block[:, :, None] >= block[:, None, :])
    if is_shifted:
        logits = torch.cat([logits[:, :1], logits[:, :-1]], dim=1)
    return logits[:, context:]


def check(ours: Tensor, theirs: Tensor) -> None:
    assert theirs.std() > 0.5, "the reference barely says anything, so that agreement would mean little"
    torch.testing.assert_close(ours, theirs, rtol=0.0, atol=TOLERANCE)


@pytest.mark.parametrize("family", FULL)
@pytest.mark.parametrize("context", [0, 1, 13])
def test_full_attention_families(family: str, context: int) -> None:
    ours, reference, is_shifted, _ = both(family)
    tokens = draw(2, context + 11)
    cache = ours.encode(tokens[:, :context]) if context else None
    check(
        ours.denoise(tokens[:, context:], cache),
        expected_logits(reference, tokens, context, 0, is_shifted),
    )


@pytest.mark.parametrize("family", BLOCK)
@pytest.mark.parametrize("num_whole", [0, 1, 2])
@pytest.mark.parametrize("left_over", [0, 1, 3])
def test_block_families(family: str, num_whole: int, left_over: int) -> None:
    ours, reference, is_shifted, block_length = both(family)
    context = num_whole * block_length + left_over
    tokens = draw(2, (num_whole + 1) * block_length)
    cache = ours.encode(tokens[:, :context]) if context else None
    check(
        ours.denoise(tokens[:, context:], cache),
        expected_logits(reference, tokens, context, block_length, is_shifted),
    )


@pytest.mark.parametrize("block_length", [4, 8, 16, 32, 64])
def test_sdar_of_every_published_block_length(block_length: int) -> None:
    ours, reference, is_shifted, found = both("sdar", block_size=block_length)
    assert found == block_length
    tokens = draw(1, 2 * block_length)
    check(
        ours.denoise(tokens[:, block_length:], ours.encode(tokens[:, :block_length])),
        expected_logits(reference, tokens, block_length, block_length, is_shifted),
    )


@pytest.mark.parametrize("family", BLOCK)
def test_a_canvas_of_several_blocks_is_causal_from_block_to_block(family: str) -> None:
    ours, reference, is_shifted, block_length = both(family)
    context = block_length + 2
    tokens = draw(2, 3 * block_length)
    check(
        ours.denoise(tokens[:, context:], ours.encode(tokens[:, :context])),
        expected_logits(reference, tokens, context, block_length, is_shifted),
    )


def test_llada2_with_every_layer_sparse_and_one_group() -> None:
    ours, reference, _, block_length = both("llada2_moe", first_k_dense_replace=0, n_group=1, topk_group=1)
    tokens = draw(1, block_length)
    check(ours.denoise(tokens), expected_logits(reference, tokens, 0, block_length, False))


def test_published_details_that_the_reference_has_no_switch_for() -> None:
    """LLaDA-MoE's optional shared expert and router bias, worked out by hand for one layer's mixture."""
    changes = {"shared_expert_intermediate_size": 24, "moe_router_enable_expert_bias": True}
    config = config_of("llada_moe") | changes
    weights = weights_of("llada_moe", config)
    ours = build_denoiser(detect_family(config, tokenizer_config=tokenizer_config_of("llada_moe")), config, weights)
    x = torch.randn(1, 1, 32, generator=torch.Generator().manual_seed(1))
    prefix = "model.layers.0"

    def gated(name: str) -> Tensor:
        gate, up, down = (weights[f"{prefix}.{name}.{part}_proj.weight"] for part in ("gate", "up", "down"))
        return down @ (torch.nn.functional.silu(gate @ x[0, 0]) * (up @ x[0, 0]))

    scores = (weights[f"{prefix}.mlp.gate.weight"] @ x[0, 0]).softmax(0) + weights[f"{prefix}.mlp.expert_bias"]
    best = scores.topk(config["num_experts_per_tok"])
    expected = gated("shared_expert")
    for weight, expert in zip(best.values, best.indices.tolist(), strict=True):
        expected = expected + weight * gated(f"mlp.experts.{expert}")
    torch.testing.assert_close(ours.backbone.layers[0].mlp(x)[0, 0], expected, rtol=0.0, atol=1e-5)
    assert read_config(ours.spec, config).mixture is not None
