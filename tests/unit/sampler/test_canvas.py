import pytest
import torch

from redraft.errors import ConfigError
from redraft.sampler import Canvas, SpecialIds

SPECIAL = SpecialIds(mask=9, end_of_text=8, null=None, forbidden=(7, 9))


def test_never_committed() -> None:
    assert SPECIAL.never_committed == (7, 9)
    assert SpecialIds(mask=None, end_of_text=1, null=2).never_committed == ()


def test_blank() -> None:
    canvas = Canvas.blank(2, 3, 9)
    assert (canvas.batch, canvas.length) == (2, 3)
    assert bool((canvas.tokens == 9).all() & canvas.is_masked.all() & canvas.is_open.all() & canvas.is_editable.all())
    assert not bool(canvas.confidence.any() | canvas.age.any())


def test_noise() -> None:
    seeds = torch.tensor([3, 4])
    canvas = Canvas.noise(seeds, 400, 10, special=SPECIAL)
    assert set(canvas.tokens.unique().tolist()) == {0, 1, 2, 3, 4, 5, 6, 8}
    assert bool(canvas.is_open.all())
    assert not bool(canvas.is_masked.any())
    again = Canvas.noise(seeds[1:], 400, 10, special=SPECIAL)
    assert torch.equal(canvas.tokens[1:], again.tokens)
    other_block = Canvas.noise(seeds, 400, 10, special=SPECIAL, block=1)
    assert not torch.equal(canvas.tokens, other_block.tokens)


def test_from_tokens() -> None:
    tokens = torch.tensor([[1, 9, 2, 9]])
    canvas = Canvas.from_tokens(tokens, torch.tensor([[False, True, True, True]]), 9)
    assert canvas.is_open.tolist() == [[False, True, False, True]]
    assert canvas.confidence.tolist() == [[1.0, 0.0, 1.0, 0.0]]
    uniform = Canvas.from_tokens(tokens, torch.ones_like(tokens, dtype=torch.bool), None)
    assert not bool(uniform.is_masked.any() | uniform.is_open.any())


def test_a_pinned_mask_is_refused() -> None:
    with pytest.raises(ConfigError, match="pinned position holds the mask"):
        Canvas.from_tokens(torch.tensor([[1, 9]]), torch.tensor([[True, False]]), 9)
