"""Rows that are led by the model's confidence: what it is surest of is shown, right, and the rest is hidden."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from redraft.text import Tokenizer
from redraft.training import Recipe
from redraft.training.config import NoiseRecipe
from redraft.training.corruption import TokenTable, corrupt
from redraft.training.data import Batch, BatchStream, ExampleStream


@pytest.fixture
def table(tokenizer: Tokenizer) -> TokenTable:
    return TokenTable.of(tokenizer)


@pytest.fixture
def batch(make_recipe: Callable[..., Recipe], tokenizer: Tokenizer) -> Batch:
    recipe = make_recipe(data={"batch_tokens": 20_000, "pool_examples": 200}).data
    return BatchStream(ExampleStream(recipe, tokenizer)).next(0.0)


class Graded:
    """A model that is sure of each position to a degree that a test knows."""

    def __init__(self, batch: Batch, vocab_size: int, mask: int) -> None:
        self.sureness = torch.rand(batch.canvas.shape, generator=torch.Generator().manual_seed(4))
        self.vocab_size, self.mask = vocab_size, mask
        self.calls: list[tuple[Tensor, Tensor, Tensor]] = []

    def __call__(self, rows: Tensor, canvas: Tensor, wanted: Tensor) -> Tensor:
        self.calls.append((rows, canvas, wanted))
        logits = torch.zeros(int(wanted.sum()), self.vocab_size)
        logits[:, 7] = 3.0 + 4.0 * self.sureness[rows][wanted]
        logits[:, self.mask] = 50.0
        return logits


LED = NoiseRecipe(all_mask_share=0.0, confident_share=1.0, corrupt_share=0.0)


def test_the_surest_are_shown_and_right(batch: Batch, table: TokenTable, tokenizer: Tokenizer) -> None:
    graded = Graded(batch, tokenizer.vocab_size, table.mask)
    noised = corrupt(batch, LED, table, torch.Generator().manual_seed(1), progress=0.0, guess=graded)
    ((rows, seen, wanted),) = graded.calls
    assert bool(rows.all())
    is_hidden = noised.canvas == table.mask
    assert noised.canvas[~is_hidden].equal(batch.canvas[~is_hidden]), "the truth is shown, not the guess"
    assert bool(noised.sees_context.all())
    shares = []
    for row in range(batch.num_rows):
        asked = wanted[row]
        assert bool((seen[row][asked] == table.mask).all())
        hidden, shown = asked & is_hidden[row], asked & ~is_hidden[row]
        if bool(hidden.any()) and bool(shown.any()):
            assert graded.sureness[row][hidden].max() < graded.sureness[row][shown].min()
        if int(asked.sum()) >= 12:
            shares.append(float(shown.sum() / asked.sum()))
        end = int(batch.is_content[row].sum()) - 1
        slack = ~batch.is_content[row] & (seen[row] == table.mask)
        assert bool((is_hidden[row][slack] == is_hidden[row, end]).all()), "the slack goes with the end"
        assert not bool(is_hidden[row][seen[row] != table.mask].any())
    assert min(shares) >= 0.2
    assert 0.55 < sum(shares) / len(shares) < 0.8, "uniform between a quarter and all, rounded up"


def test_without_the_option_or_a_model_no_draw_changes(batch: Batch, table: TokenTable, tokenizer: Tokenizer) -> None:
    graded = Graded(batch, tokenizer.vocab_size, table.mask)
    for recipe, guess in ((replace(LED, confident_share=0.0), graded), (LED, None)):
        plain = corrupt(
            batch, replace(LED, confident_share=0.0), table, torch.Generator().manual_seed(2), progress=0.0, guess=None
        )
        same = corrupt(batch, recipe, table, torch.Generator().manual_seed(2), progress=0.0, guess=guess)
        assert plain.canvas.equal(same.canvas)
    assert not graded.calls
