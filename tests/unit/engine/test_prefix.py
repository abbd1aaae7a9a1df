"""Kept contexts: exact, shared, bounded, the least recently used goes first; contexts of any family laid together."""

from dataclasses import dataclass

import pytest
import torch

from redraft.denoiser import Cache, FakeDenoiser
from redraft.denoiser.fake import FakeCache
from redraft.engine import Engine
from redraft.engine.contexts import joined, num_bytes, shape_of
from redraft.engine.prefix import PrefixCache
from redraft.engine.steadiness import rows_are_steady

TOKEN_BYTES = 8


@dataclass
class Counting:
    """Encodes with a fake, and counts."""

    num_calls: int = 0

    def __call__(self, segment: list[int], context: Cache | None) -> Cache:
        self.num_calls += 1
        fake = FakeDenoiser(vocab_size=9, logits_of=lambda canvas, context: canvas.float())
        return fake.encode(torch.tensor([segment]), context)


def held(context: Cache | None) -> list[int]:
    assert isinstance(context, FakeCache)
    return context.tokens[0].tolist()


def test_a_shared_beginning_is_encoded_once() -> None:
    encode = Counting()
    prefixes = PrefixCache(encode, max_bytes=10_000)
    assert held(prefixes.context_of([[1, 2], [3]])) == [1, 2, 3]
    assert held(prefixes.context_of([[1, 2], [4, 5]])) == [1, 2, 4, 5]
    assert held(prefixes.context_of([[1, 2], [3]])) == [1, 2, 3]
    assert (encode.num_calls, prefixes.num_hits, prefixes.num_misses) == (3, 3, 3)
    assert prefixes.num_missing([[1, 2], [4, 5], [6]]) == 1
    assert prefixes.num_missing([[1], [2]]) == 2, "the same tokens cut in another way are another context"
    assert prefixes.context_of([]) is None


def test_what_is_kept_is_bounded_and_the_least_recently_used_goes_first() -> None:
    encode = Counting()
    prefixes = PrefixCache(encode, max_bytes=3 * TOKEN_BYTES)
    for token in (1, 2, 3):
        prefixes.context_of([[token]])
    prefixes.context_of([[1]])
    prefixes.context_of([[4]])
    assert prefixes.num_missing([[2]]) == 1
    assert [prefixes.num_missing([[token]]) for token in (1, 3, 4)] == [0, 0, 0]
    assert prefixes.num_bytes == 3 * TOKEN_BYTES
    prefixes.context_of([[5, 5, 5, 5]])
    assert len(prefixes) == 3, "what would fill it all is not kept"
    prefixes.clear()
    assert (len(prefixes), prefixes.num_bytes) == (0, 0)


def test_nothing_is_kept_where_nothing_may_be() -> None:
    encode = Counting()
    prefixes = PrefixCache(encode, max_bytes=0)
    assert held(prefixes.context_of([[1], [2]])) == held(prefixes.context_of([[1], [2]])) == [1, 2]
    assert (encode.num_calls, len(prefixes)) == (4, 0)


@pytest.mark.parametrize("length", [3, 12])
def test_contexts_of_equal_shape_are_laid_together_bit_for_bit(tiny_engine: Engine, length: int) -> None:
    encode = tiny_engine.desk.encode
    first, second = (encode([id + start for id in range(length)], None) for start in (5, 50))
    together = joined([first, second])
    assert shape_of(first) == shape_of(second) == shape_of(together)
    assert shape_of(first) != shape_of(encode([1, 2], None))
    assert num_bytes(together) == 2 * num_bytes(first)
    canvas = torch.full((2, 16), 7)
    scores = tiny_engine.denoiser.denoise(canvas, together)
    for row, context in enumerate((first, second)):
        assert torch.equal(tiny_engine.denoiser.denoise(canvas[:1], context)[0], scores[row])


def test_our_own_rows_are_steady_on_this_machine(tiny_engine: Engine) -> None:
    assert rows_are_steady(tiny_engine.desk)
