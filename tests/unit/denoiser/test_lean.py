"""The layout for answering: the transformer's function, an exact cache, the same bits for any choice of positions."""

import dataclasses

import pytest
import torch
from tests.unit.denoiser.randomised import randomised

from redraft.denoiser import Denoiser, LeanTransformer, ScoresSome, Transformer, TransformerConfig
from redraft.denoiser.protocol import Sketch
from redraft.errors import ContextLengthError

CONFIG = TransformerConfig(
    vocab_size=40,
    width=32,
    num_heads=2,
    num_prelude_layers=2,
    num_loop_layers=2,
    num_loops=3,
    num_coda_layers=1,
    context_length=64,
    canvas_length=40,
    digit_token_ids=tuple(range(10)),
)
SHAPES = [
    CONFIG,
    dataclasses.replace(CONFIG, num_loop_layers=0, num_coda_layers=0, uses_self_conditioning=True),
    dataclasses.replace(CONFIG, num_prelude_layers=0, num_coda_layers=0),
]


def draw(*shape: int, seed: int = 5) -> torch.Tensor:
    return torch.randint(0, CONFIG.vocab_size, shape, generator=torch.Generator().manual_seed(seed))


def test_it_is_a_denoiser_that_scores_some() -> None:
    lean = LeanTransformer(randomised(CONFIG))
    assert isinstance(lean, Denoiser)
    assert isinstance(lean, ScoresSome)
    assert not isinstance(randomised(CONFIG), ScoresSome)


@pytest.mark.parametrize("config", SHAPES)
def test_it_computes_what_the_transformer_computes(config: TransformerConfig) -> None:
    model = randomised(config)
    lean = LeanTransformer(model)
    first, second, canvas = draw(3, 9), draw(3, 4, seed=7), draw(3, 24, seed=6)
    fed = torch.softmax(torch.randn(3, 24, 40, generator=torch.Generator().manual_seed(1)), dim=-1)
    options = {"self_conditioning": fed} if config.uses_self_conditioning else {}
    for segments in ([], [first], [first, second]):
        cache = other = None
        for segment in segments:
            cache, other = lean.encode(segment, cache), model.encode(segment, other)
        expected = model.denoise(canvas, other, **options)
        torch.testing.assert_close(lean.denoise(canvas, cache, **options), expected, atol=2e-3, rtol=2e-3)


def test_padding_is_never_seen() -> None:
    model = randomised(CONFIG)
    lean = LeanTransformer(model)
    context, canvas = draw(2, 9), draw(2, 16, seed=6)
    is_valid = torch.ones(2, 9, dtype=torch.bool)
    is_valid[0, :4] = False
    cache, other = lean.encode(context, is_valid=is_valid), model.encode(context, is_valid=is_valid)
    torch.testing.assert_close(lean.denoise(canvas, cache), model.denoise(canvas, other), atol=2e-3, rtol=2e-3)
    cache, other = lean.encode(context, cache), model.encode(context, other)
    torch.testing.assert_close(lean.denoise(canvas, cache), model.denoise(canvas, other), atol=2e-3, rtol=2e-3)
    alone = lean.encode(context[:1], lean.encode(context[:1, 4:]))
    torch.testing.assert_close(lean.denoise(canvas[:1], alone), model.denoise(canvas, other)[:1], atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize("config", SHAPES)
@pytest.mark.parametrize("length", [8, 24, 40])
@pytest.mark.parametrize("count", [8, 16])
def test_positions_left_out_change_no_bit_of_the_others(config: TransformerConfig, length: int, count: int) -> None:
    lean = LeanTransformer(randomised(config))
    context, canvas = draw(3, 9), draw(3, length, seed=6)
    places = torch.stack([torch.randperm(length)[: min(count, length)].sort().values for _ in range(3)])
    cache = lean.encode(context)
    whole = lean.denoise(canvas, cache)
    picked = whole.gather(1, places[..., None].expand(-1, -1, whole.shape[2]))
    assert torch.equal(lean.denoise_some(canvas, places, cache), picked)


def test_a_row_is_the_same_to_the_bit_in_any_batch() -> None:
    lean = LeanTransformer(randomised(CONFIG))
    context, canvas = draw(7, 9), draw(7, 24, seed=6)
    together = lean.denoise(canvas, lean.encode(context))
    for row in range(7):
        alone = lean.denoise(canvas[row : row + 1], lean.encode(context[row : row + 1]))
        assert torch.equal(alone[0], together[row])


@pytest.mark.parametrize("config", SHAPES)
def test_whole_numbers_stay_close_to_float32(config: TransformerConfig) -> None:
    model = randomised(config)
    exact, rounded = LeanTransformer(model), LeanTransformer(model, is_int8=True)
    context, canvas = draw(3, 9), draw(3, 24, seed=6)
    expected = exact.denoise(canvas, exact.encode(context))
    found = rounded.denoise(canvas, rounded.encode(context))
    assert not torch.equal(found, expected)
    assert float((found - expected).norm() / expected.norm()) < 0.05


def test_whole_numbers_change_no_bit_with_the_batch_nor_with_the_places() -> None:
    lean = LeanTransformer(randomised(CONFIG), is_int8=True)
    context, canvas = draw(7, 9), draw(7, 24, seed=6)
    together = lean.denoise(canvas, lean.encode(context))
    places = torch.arange(3, 19)[None]
    for row in range(7):
        alone = lean.encode(context[row : row + 1])
        assert torch.equal(lean.denoise(canvas[row : row + 1], alone)[0], together[row])
        assert torch.equal(lean.denoise_some(canvas[row : row + 1], places, alone)[0], together[row, 3:19])


MASK = 39


def masked_behind(canvas: torch.Tensor, width: int) -> torch.Tensor:
    return torch.cat([canvas[:, :width], torch.full_like(canvas[:, width:], MASK)], dim=1)


@pytest.mark.parametrize("config", [SHAPES[0], SHAPES[2]])
@pytest.mark.parametrize("is_int8", [False, True])
@pytest.mark.parametrize("is_padded", [False, True])
def test_a_sketch_of_every_position_is_the_whole_canvas(
    config: TransformerConfig, is_int8: bool, is_padded: bool
) -> None:
    lean = LeanTransformer(randomised(config), is_int8=is_int8)
    is_valid = torch.ones(2, 9, dtype=torch.bool)
    is_valid[0, :4] = not is_padded
    cache, canvas = lean.encode(draw(2, 9), is_valid=is_valid), masked_behind(draw(2, 24, seed=6), 16)
    sketch = Sketch(places=torch.arange(16, 24), counts=torch.ones(8), mask_token_id=MASK)
    whole = lean.denoise(canvas, cache)[:, :16]
    torch.testing.assert_close(lean.denoise_some(canvas[:, :16], None, cache, sketch=sketch), whole)
    places = torch.arange(8, 16).expand(2, -1)
    some = lean.denoise_some(canvas[:, :16], places, cache, sketch=sketch)
    torch.testing.assert_close(some, whole[:, 8:])


def test_a_position_that_stands_for_three_counts_as_three_of_its_kind() -> None:
    lean = LeanTransformer(randomised(CONFIG))
    cache, canvas = lean.encode(draw(2, 9)), draw(2, 16, seed=6)
    once = Sketch(places=torch.tensor([20, 33]), counts=torch.tensor([3.0, 1.0]), mask_token_id=MASK)
    thrice = Sketch(places=torch.tensor([20, 20, 20, 33]), counts=torch.ones(4), mask_token_id=MASK)
    unweighted = dataclasses.replace(once, counts=torch.ones(2))
    scores = [lean.denoise_some(canvas, None, cache, sketch=sketch) for sketch in (once, thrice, unweighted)]
    torch.testing.assert_close(scores[0], scores[1], atol=1e-4, rtol=1e-4)
    assert float((scores[0] - scores[2]).abs().max()) > 1e-2


def test_a_sketched_row_is_the_same_to_the_bit_in_any_batch() -> None:
    lean = LeanTransformer(randomised(CONFIG))
    context, canvas = draw(5, 9), draw(5, 16, seed=6)
    sketch = Sketch(places=torch.arange(17, 33, 2), counts=torch.full((8,), 2.0), mask_token_id=MASK)
    together = lean.denoise_some(canvas, None, lean.encode(context), sketch=sketch)
    for row in range(5):
        alone = lean.denoise_some(canvas[row : row + 1], None, lean.encode(context[row : row + 1]), sketch=sketch)
        assert torch.equal(alone[0], together[row])


def test_nothing_that_was_given_is_written_to() -> None:
    lean = LeanTransformer(randomised(CONFIG))
    cache = lean.encode(draw(1, 9))
    before = [key.clone() for key in cache.keys]
    first = lean.denoise(draw(1, 16, seed=6), cache)
    lean.encode(draw(1, 5, seed=8), cache)
    assert torch.equal(first, lean.denoise(draw(1, 16, seed=6), cache))
    assert all(torch.equal(key, kept) for key, kept in zip(cache.keys, before, strict=True))


def test_too_long_is_said_with_both_numbers() -> None:
    lean = LeanTransformer(randomised(CONFIG))
    with pytest.raises(ContextLengthError, match="65 tokens; this model takes 64"):
        lean.encode(draw(1, 65))
    with pytest.raises(ContextLengthError, match="41 positions; this model takes 40"):
        lean.denoise(draw(1, 41))


def test_which_models_fit() -> None:
    assert LeanTransformer.fits(randomised(CONFIG))
    assert not LeanTransformer.fits(randomised(CONFIG).to(torch.bfloat16))
    assert not LeanTransformer.fits(randomised(dataclasses.replace(CONFIG, is_causal=True)))


def test_a_loader_gets_a_model_without_drawn_weights() -> None:
    model = Transformer.without_weights(CONFIG)
    assert all(weight.is_meta for weight in model.parameters())
    drawn = randomised(CONFIG)
    model.load_state_dict(drawn.state_dict(), assign=True)
    assert not any(tensor.is_meta for tensor in [*model.parameters(), *model.buffers()])
    canvas = draw(1, 8)
    assert torch.equal(model.eval().denoise(canvas), drawn.denoise(canvas))
