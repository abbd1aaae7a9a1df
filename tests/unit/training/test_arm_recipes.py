"""The recipes of the comparison: equal but for the key that chooses."""

import tomllib
from pathlib import Path

import pytest

from redraft.tasks import get_task
from redraft.text import Tokenizer
from redraft.training import load_recipe, recipe_to_dict
from redraft.training.data import ExampleStream
from redraft.training.recipe import differing_keys

FOLDER = Path(__file__).resolve().parents[3] / "recipes" / "arms"
ARMS = ("causal", "diffusion", "one_shot", "prefix")


def test_the_arms_differ_in_nothing_but_their_name() -> None:
    assert tuple(sorted(path.stem for path in FOLDER.glob("*.toml"))) == ARMS
    tables = [tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8")) for name in ARMS]
    assert tuple(table.pop("arm")["name"] for table in tables) == ARMS
    assert all(table == tables[0] for table in tables)
    resolved = [recipe_to_dict(load_recipe(FOLDER / f"{name}.toml")) for name in ARMS]
    follow = {"arm.name", "model.is_causal", "model.has_bidirectional_context"}
    assert all(set(differing_keys(resolved[0], other)) <= follow for other in resolved[1:])


@pytest.mark.parametrize("progress", [0.0, 1.0])
def test_nearly_every_problem_fits_and_both_orders_are_trained_alike(progress: float, tokenizer: Tokenizer) -> None:
    recipe = load_recipe(FOLDER / "causal.toml")
    stream = ExampleStream(recipe.data, tokenizer)
    examples = [stream.example(index, progress) for index in range(300)]
    assert 0.4 < sum(example.is_answer_first for example in examples) / len(examples) < 0.6
    assert all(get_task(entry.task).name == "arithmetic" for entry in recipe.data.mixture)
    # What does not fit is skipped in silence, so the longest must fit nearly always.
    length = recipe.data.canvas_length
    assert sum(len(example.answer) + 1 > length - 8 for example in examples) < 0.02 * len(examples)
