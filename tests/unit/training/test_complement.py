from collections.abc import Callable

import torch

from redraft.text import Tokenizer
from redraft.training import NoiseRecipe, Recipe
from redraft.training.complement import with_complements
from redraft.training.corruption import TokenTable, corrupt
from redraft.training.data import BatchStream, ExampleStream

MIXTURE = [
    {"task": "arithmetic", "dials": {"min_steps": 1, "max_steps": 1}},
    {"task": "arithmetic", "form": "gap", "dials": {"min_steps": 1, "max_steps": 1}},
    {"task": "arithmetic", "form": "edit", "dials": {"min_steps": 1, "max_steps": 1}},
]


def test_every_scored_token_is_hidden_once(make_recipe: Callable[..., Recipe], tokenizer: Tokenizer) -> None:
    data = make_recipe(data={"mixture": MIXTURE, "batch_tokens": 12_000, "pool_examples": 90}).data
    batch = BatchStream(ExampleStream(data, tokenizer)).next(0.0)
    table = TokenTable.of(tokenizer)
    assert batch.forms is not None
    noised = corrupt(batch, NoiseRecipe(), table, torch.Generator().manual_seed(0), progress=0.0, guess=None)
    doubled, both = with_complements(batch, noised, table.mask)
    num_rows = batch.num_rows
    assert both.canvas[:num_rows].equal(noised.canvas)
    assert both.is_corrupted[:num_rows].equal(noised.is_corrupted)
    assert doubled.num_rows == len(both.canvas) == len(doubled.canvas) > num_rows
    is_masked = both.canvas == table.mask
    hides_part = (is_masked & doubled.is_supervised).any(dim=1) & (~is_masked & doubled.is_supervised).any(dim=1)
    expected = hides_part[:num_rows] & ~batch.forms.is_edit
    assert doubled.num_rows - num_rows == int(expected.sum())
    assert doubled.forms is not None
    for twin, row in enumerate(expected.nonzero()[:, 0].tolist(), start=num_rows):
        assert doubled.context[twin].equal(batch.context[row])
        assert doubled.canvas[twin].equal(batch.canvas[row])
        assert doubled.entries[twin] == batch.entries[row]
        may_change = batch.forms.may_change[row]
        assert (is_masked[twin] ^ is_masked[row])[may_change].all(), "hidden in exactly one of the two"
        assert not is_masked[twin][~may_change].any()
        assert both.canvas[twin][~is_masked[twin]].equal(batch.canvas[row][~is_masked[twin]]), "the rest is the truth"
        assert doubled.forms.may_change[twin].equal(may_change)
