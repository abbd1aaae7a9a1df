"""The native denoiser: exact cache, who sees whom, positions."""

import dataclasses

import pytest
import torch
from tests.unit.denoiser.randomised import randomised

from redraft.denoiser import Denoiser, Transformer, TransformerConfig
from redraft.errors import ConfigError, ContextLengthError

CONFIG = TransformerConfig(
    vocab_size=40,
    width=32,
    num_heads=2,
    num_prelude_layers=1,
    num_loop_layers=1,
    num_loops=3,
    num_coda_layers=1,
    context_length=64,
    canvas_length=16,
    digit_token_ids=tuple(range(10)),
)


def draw(*shape: int, seed: int = 5) -> torch.Tensor:
    return torch.randint(0, CONFIG.vocab_size, shape, generator=torch.Generator().manual_seed(seed))


def test_it_is_a_denoiser() -> None:
    assert isinstance(randomised(CONFIG), Denoiser)


@pytest.mark.parametrize("is_causal", [False, True])
@torch.no_grad()
def test_cached_passes_equal_one_full_pass_to_the_bit(is_causal: bool) -> None:
    model = randomised(dataclasses.replace(CONFIG, is_causal=is_causal))
    context, canvas = draw(3, 9), draw(3, 12, seed=6)
    full = model(context, canvas)
    assert torch.equal(full, model.denoise(canvas, model.encode(context)))


@torch.no_grad()
def test_padding_changes_no_logit_beyond_rounding() -> None:
    model = randomised(CONFIG)
    context, canvas = draw(2, 9), draw(2, 12, seed=6)
    is_valid = torch.ones(2, 9, dtype=torch.bool)
    is_valid[0, :4] = False
    together = model.denoise(canvas, model.encode(context, is_valid=is_valid))
    assert torch.equal(together, model(context, canvas, context_is_valid=is_valid))
    alone = model.denoise(canvas[:1], model.encode(context[:1, 4:]))
    torch.testing.assert_close(together[:1], alone, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_what_hides_in_padding_is_never_seen() -> None:
    model = randomised(CONFIG)
    context, canvas = draw(1, 9), draw(1, 12, seed=6)
    is_valid = torch.ones(1, 9, dtype=torch.bool)
    is_valid[0, :4] = False
    other = context.clone()
    other[0, :4] = (other[0, :4] + 11) % CONFIG.vocab_size
    # Place values look to the right only, so padding on the left can't leak through them either.
    assert torch.equal(
        model.denoise(canvas, model.encode(context, is_valid=is_valid)),
        model.denoise(canvas, model.encode(other, is_valid=is_valid)),
    )


@torch.no_grad()
def test_a_settled_segment_never_sees_a_later_one() -> None:
    model = randomised(CONFIG)
    first, second = draw(1, 5), draw(1, 6, seed=8)
    before = model.encode(first)
    after = model.encode(second, before)
    assert after.length == 11
    assert before.length == 5
    for kept, key in zip(before.keys, after.keys, strict=True):
        assert torch.equal(kept, key[:, :, :5])


@torch.no_grad()
def test_a_segment_sees_the_earlier_ones_and_the_canvas_sees_all() -> None:
    model = randomised(CONFIG)
    first, second, canvas = draw(1, 5), draw(1, 6, seed=8), draw(1, 7, seed=9)
    changed = first.clone()
    changed[0, 0] = (changed[0, 0] + 1) % CONFIG.vocab_size
    cache, other = (model.encode(second, model.encode(start)) for start in (first, changed))
    assert not torch.equal(cache.keys[-1][:, :, 5:], other.keys[-1][:, :, 5:])
    assert not torch.allclose(model.denoise(canvas, cache), model.denoise(canvas, other))


@torch.no_grad()
def test_canvas_is_bidirectional_unless_causal() -> None:
    canvas = draw(1, 8)
    changed = canvas.clone()
    changed[0, -1] = (changed[0, -1] + 1) % CONFIG.vocab_size
    both_ways = randomised(CONFIG)
    assert not torch.allclose(both_ways.denoise(canvas)[:, 0], both_ways.denoise(changed)[:, 0])
    causal = randomised(dataclasses.replace(CONFIG, is_causal=True))
    assert torch.equal(causal.denoise(canvas)[:, :-1], causal.denoise(changed)[:, :-1])


@torch.no_grad()
def test_causal_decoding_step_by_step_equals_one_pass() -> None:
    model = randomised(dataclasses.replace(CONFIG, is_causal=True))
    # No digits: a digit's place is known only when its whole run is there.
    prompt, answer = draw(1, 6) % 30 + 10, draw(1, 5, seed=2) % 30 + 10
    whole = model.encode(torch.cat([prompt, answer], dim=1))
    cache = model.encode(prompt)
    for position in range(answer.shape[1]):
        cache = model.encode(answer[:, position : position + 1], cache)
    for key, other in zip(whole.keys, cache.keys, strict=True):
        torch.testing.assert_close(key, other, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_an_all_mask_canvas_is_not_blind_to_position() -> None:
    canvas = torch.full((1, 8), 39)
    logits = randomised(CONFIG).denoise(canvas)
    assert not torch.allclose(logits[0, 1], logits[0, 5], atol=1e-3)


@torch.no_grad()
def test_scored_picks_rows_in_reading_order() -> None:
    model = randomised(CONFIG)
    context, canvas = draw(2, 4), draw(2, 8, seed=6)
    scored = torch.rand(2, 8, generator=torch.Generator().manual_seed(1)) < 0.5
    torch.testing.assert_close(model(context, canvas, scored=scored), model(context, canvas)[scored])


def test_products_in_bfloat16_stay_near_and_end_with_the_block() -> None:
    model = randomised(CONFIG)
    context, canvas = draw(3, 9), draw(3, 12, seed=6)

    def scored() -> tuple[torch.Tensor, torch.Tensor]:
        model.zero_grad()
        logits = model(context, canvas)
        logits.square().mean().backward()
        return logits.detach(), torch.cat([weight.grad.flatten() for weight in model.parameters()])

    exact, slope = scored()
    with model.multiplying_in(torch.bfloat16):
        near, near_slope = scored()
    with pytest.raises(ContextLengthError), model.multiplying_in(torch.bfloat16):
        model(context, draw(3, 17))
    assert near.dtype == near_slope.dtype == torch.float32
    assert not torch.equal(near, exact)
    assert torch.nn.functional.cosine_similarity(near.flatten(), exact.flatten(), dim=0) > 0.999
    assert torch.nn.functional.cosine_similarity(near_slope, slope, dim=0) > 0.99
    with model.multiplying_in(torch.float32):
        assert torch.equal(model(context, canvas), exact)
    assert torch.equal(model(context, canvas), exact)


def test_place_values_count_from_the_units() -> None:
    tokens = torch.tensor([[1, 2, 3, 20, 4, 5, 30, 6, 0, 0, 0, 0, 7]])
    assert randomised(CONFIG).place_values(tokens).tolist() == [[2, 1, 0, 4, 1, 0, 4, 3, 3, 3, 2, 1, 0]]


@torch.no_grad()
def test_self_conditioning_matters_only_when_given() -> None:
    model = randomised(dataclasses.replace(CONFIG, uses_self_conditioning=True))
    canvas = draw(1, 8)
    plain = model.denoise(canvas)
    fed = model.denoise(canvas, self_conditioning=plain.softmax(dim=-1))
    assert model.uses_self_conditioning
    assert not torch.allclose(plain, fed)


@torch.no_grad()
def test_selected_rows_keep_their_context() -> None:
    model = randomised(CONFIG)
    context, canvas = draw(3, 5), draw(3, 8, seed=4)
    rows = torch.tensor([2, 0])
    picked = model.denoise(canvas[rows], model.encode(context).select(rows))
    torch.testing.assert_close(picked, model.denoise(canvas, model.encode(context))[rows])


def test_fresh_weights_are_the_same_every_time_and_predict_nothing() -> None:
    first, second = Transformer(CONFIG), Transformer(CONFIG)
    for left, right in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(left, right)
    assert torch.equal(first.denoise(draw(1, 4)), torch.zeros(1, 4, CONFIG.vocab_size))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 30, "num_heads": 4}, "multiple of 8"),
        ({"num_prelude_layers": 0, "num_loop_layers": 0, "num_coda_layers": 0}, "no layer"),
        ({"digit_token_ids": (1, 2)}, "ten digits"),
        ({"digit_token_ids": tuple(range(35, 45))}, "leaves the vocabulary"),
        ({"vocab_size": 0}, "vocab_size=0"),
        ({"num_coda_layers": -1}, "num_coda_layers=-1"),
    ],
)
def test_impossible_shapes_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        dataclasses.replace(CONFIG, **change)


def test_config_survives_a_round_trip_and_names_the_nearest_key() -> None:
    assert TransformerConfig.from_dict(CONFIG.to_dict()) == CONFIG
    with pytest.raises(ConfigError, match="did you mean 'num_heads'"):
        TransformerConfig.from_dict(CONFIG.to_dict() | {"num_head": 2})
    with pytest.raises(ConfigError, match="incomplete"):
        TransformerConfig.from_dict({"width": 4})
    with pytest.raises(ConfigError, match="not of type"):
        TransformerConfig.from_dict(CONFIG.to_dict() | {"width": "32"})


def test_too_long_is_said_with_both_numbers() -> None:
    model = randomised(CONFIG)
    with pytest.raises(ContextLengthError, match="65 tokens; this model takes 64"):
        model.encode(draw(1, 65))
    with pytest.raises(ContextLengthError, match="17 positions; this model takes 16"):
        model.denoise(draw(1, 17))
