"""Recorded passes, with a recorder that runs them again: what is tested is what they are given, on any machine."""

import pytest
import torch
from tests.unit.denoiser.randomised import randomised
from torch import Tensor

from redraft.denoiser import Denoiser, LeanTransformer, ScoresSome, Transformer, TransformerConfig
from redraft.denoiser import graphs as module
from redraft.denoiser.cache import KeyValueCache
from redraft.denoiser.graphs import CONTEXT_MULTIPLE, GraphedTransformer, Run

CONFIG = TransformerConfig(
    vocab_size=40,
    width=32,
    num_heads=2,
    num_prelude_layers=3,
    context_length=96,
    canvas_length=40,
    digit_token_ids=tuple(range(10)),
)


class Counting:
    """Records by remembering the function; as a graph does, it answers in one piece of memory."""

    def __init__(self) -> None:
        self.num_recorded = 0
        self.num_replayed = 0

    def record(self, run: Run) -> Run:
        self.num_recorded += 1
        with torch.inference_mode(mode=False):
            output = run().clone()

        def replay() -> Tensor:
            self.num_replayed += 1
            return output.copy_(run())

        return replay


@pytest.fixture
def model() -> Transformer:
    return randomised(CONFIG)


@pytest.fixture
def inner(model: Transformer) -> LeanTransformer:
    return LeanTransformer(model)


def draw(*shape: int, seed: int) -> Tensor:
    return torch.randint(0, CONFIG.vocab_size, shape, generator=torch.Generator().manual_seed(seed))


def context(inner: LeanTransformer, length: int, seed: int, batch: int = 2) -> KeyValueCache:
    return inner.encode(draw(batch, length, seed=seed))


def test_it_is_a_denoiser_that_scores_some(model: Transformer, inner: LeanTransformer) -> None:
    graphed = GraphedTransformer(model, Counting())
    assert isinstance(graphed, Denoiser)
    assert isinstance(graphed, ScoresSome)
    assert graphed.vocab_size == inner.vocab_size


@pytest.mark.parametrize("length", [None, 1, 9, CONTEXT_MULTIPLE, CONTEXT_MULTIPLE + 1])
@pytest.mark.parametrize("num_places", [None, 8])
def test_it_scores_as_the_inner_one_does(
    model: Transformer, inner: LeanTransformer, length: int | None, num_places: int | None
) -> None:
    recorder = Counting()
    graphed = GraphedTransformer(model, recorder)
    for call in range(5):
        cache = None if length is None else context(inner, length, seed=call // 2)
        canvas = draw(2, 24, seed=10 + call)
        order = torch.randperm(24, generator=torch.Generator().manual_seed(call))
        places = None if num_places is None else order[:num_places].sort().values.expand(2, -1)
        found = graphed.denoise_some(canvas, places, cache)
        torch.testing.assert_close(found, inner.denoise_some(canvas, places, cache), rtol=1e-4, atol=1e-4)
    assert (recorder.num_recorded, recorder.num_replayed) == (1, 4)


def test_recording_changes_no_bit(model: Transformer, inner: LeanTransformer) -> None:
    graphed = GraphedTransformer(model, Counting())
    cache, canvas = context(inner, 11, seed=1), draw(2, 16, seed=2)
    first, *others = [graphed.denoise(canvas, cache) for _ in range(3)]
    assert all(torch.equal(first, other) for other in others)


def test_nothing_is_left_of_a_longer_context(model: Transformer, inner: LeanTransformer) -> None:
    graphed = GraphedTransformer(model, Counting())
    canvas = draw(2, 16, seed=2)
    short, long = context(inner, 5, seed=1), context(inner, 30, seed=3)
    wanted = graphed.denoise(canvas, short)
    for cache in (long, long, short, long):
        found = graphed.denoise(canvas, cache)
        assert torch.equal(found, wanted) == (cache is short)


def test_padding_in_a_batch_stays_hidden(model: Transformer, inner: LeanTransformer) -> None:
    graphed = GraphedTransformer(model, Counting())
    tokens, is_valid = draw(2, 12, seed=4), torch.ones(2, 12, dtype=torch.bool)
    is_valid[1, :5] = False
    cache, canvas = inner.encode(tokens, is_valid=is_valid), draw(2, 16, seed=5)
    alone = inner.denoise(canvas[1:], inner.encode(tokens[1:, 5:]))
    for _ in range(3):
        torch.testing.assert_close(graphed.denoise(canvas, cache)[1:], alone, rtol=1e-4, atol=1e-4)


def test_whoever_gets_scores_may_write_on_them(model: Transformer, inner: LeanTransformer) -> None:
    graphed = GraphedTransformer(model, Counting())
    cache, canvas = context(inner, 7, seed=1), draw(2, 16, seed=2)
    wanted = inner.denoise(canvas, cache)
    kept = [graphed.denoise(canvas, cache) for _ in range(4)]
    other = graphed.denoise(draw(2, 16, seed=3), cache)
    for scores in kept:
        torch.testing.assert_close(scores, wanted, rtol=1e-4, atol=1e-4)
        scores.zero_()
    assert other.any()


def test_inference_mode_may_come_and_go(model: Transformer, inner: LeanTransformer) -> None:
    graphed = GraphedTransformer(model, Counting())
    for is_inferring in (True, True, False, True):
        with torch.inference_mode(mode=is_inferring):
            canvas = draw(2, 16, seed=2)
            graphed.denoise(canvas, context(inner, 7, seed=1))


def test_the_least_recent_shape_goes_out_first(model: Transformer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SHAPES", 2)
    recorder = Counting()
    graphed = GraphedTransformer(model, recorder)
    for length in (8, 8, 16, 16, 8, 24, 8, 16, 16):
        graphed.denoise(draw(1, length, seed=1))
    # Both are recorded; 24 drives out 16, which has to come twice again.
    assert recorder.num_recorded == 3
