from pathlib import Path

import pytest

from redraft.text import Tokenizer
from redraft.training import load_recipe
from redraft.training.data import BatchStream, ExampleStream
from redraft.training.start import start_folder

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", ["edit", "edit-on", "edit-copy"])
def test_the_edit_recipes_load_and_draw_every_form(name: str, tokenizer: Tokenizer) -> None:
    recipe = load_recipe(ROOT / "recipes" / f"{name}.toml", ["data.pool_examples=80"], tokenizer=tokenizer)
    assert start_folder(recipe.train.start_from).is_dir()
    assert {entry.form for entry in recipe.data.mixture} == {"answer", "gap", "edit"}
    stream = BatchStream(ExampleStream(recipe.data, tokenizer))
    forms = {"edit": 0, "gap": 0}
    for _ in range(6):
        batch = stream.next(0.5)
        assert batch.num_tokens <= recipe.data.batch_tokens
        if batch.forms is not None:
            forms["edit"] += int(batch.forms.is_edit.sum())
            forms["gap"] += int(batch.forms.is_gap.sum())
    assert min(forms.values()) > 0
