"""What a recipe doesn't use costs nothing and changes nothing."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from torch import Tensor

from redraft.denoiser.checkpoint import load_checkpoint
from redraft.errors import ConfigError
from redraft.text import Tokenizer
from redraft.training import Recipe, train
from redraft.training.corruption import TokenTable, corrupt
from redraft.training.data import BatchStream, ExampleStream

MakeRecipe = Callable[..., Recipe]
PLAIN = {"task": "arithmetic", "dials": {"min_steps": 1, "max_steps": 2}}
FORMED = [
    {**PLAIN, "weight": 0.4},
    {**PLAIN, "form": "gap"},
    {**PLAIN, "form": "edit"},
]


def silent(line: str) -> None:
    del line


def test_batches_are_the_same_whether_forms_are_set_or_not(make_recipe: MakeRecipe, tokenizer: Tokenizer) -> None:
    plain = make_recipe(data={"mixture": [PLAIN]})
    later = {"form": "gap", "begin": 0.9, "task": "arithmetic"}
    spoken = {"mixture": [PLAIN, later], "gap": {"max_gaps": 1}, "edit": {"max_errors": 2}}
    other = make_recipe(data=spoken, noise={"edit_plain_share": 0.9, "edit_masked_share": 0.0})
    table = TokenTable.of(tokenizer)
    streams = [BatchStream(ExampleStream(recipe.data, tokenizer)) for recipe in (plain, other)]
    for step in range(8):
        first, second = (stream.next(0.0) for stream in streams)
        assert first.forms is None
        assert second.forms is None
        for field in fields(first):
            one, two = getattr(first, field.name), getattr(second, field.name)
            assert torch.equal(one, two) if isinstance(one, Tensor) else one == two
        rngs = [torch.Generator().manual_seed(step) for _ in range(2)]
        noised = [
            corrupt(batch, recipe.noise, table, rng, progress=0.0, guess=None)
            for batch, recipe, rng in zip((first, second), (plain, other), rngs, strict=True)
        ]
        assert noised[0].canvas.equal(noised[1].canvas)
        assert rngs[0].get_state().equal(rngs[1].get_state()), "not one draw more"


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [{}, {"is_complementary": True, "is_keep_calibrated": True, "certainty_weight": 0.5}]
)
def test_a_run_with_every_form_resumes_bit_for_bit(make_recipe: MakeRecipe, tmp_path: Path, options: dict) -> None:
    def recipe(**limits: int) -> Recipe:
        noise = {"own_predictions_after": 0.2, "uniform_share": 0.05, **options}
        return make_recipe(data={"mixture": FORMED}, noise=noise, train={"checkpoint_steps": 3, **limits})

    straight = train(recipe(max_steps=6), tmp_path / "straight", log=silent)
    lines: list[str] = []

    class Stop(Exception):
        pass

    def stop(line: str) -> None:
        lines.append(line)
        if line.startswith("step 5 "):
            raise Stop

    with pytest.raises(Stop):
        train(recipe(max_steps=6), tmp_path / "cut", log=stop)
    again = train(recipe(max_steps=6), tmp_path / "cut", log=silent)
    one, two = (load_checkpoint(result.model_folder) for result in (straight, again))
    for name, weight in one.model.named_parameters():
        assert weight.equal(two.model.get_parameter(name)), name
    assert {"keep_error", "edit_threshold"} <= straight.figures.keys()
    assert {name.partition("/")[0] for name in straight.figures} >= {"one_pass_edit", "one_pass_first_line"}


def test_arms_have_no_forms(make_recipe: MakeRecipe) -> None:
    with pytest.raises(ConfigError, match="is for diffusion"):
        make_recipe(data={"mixture": FORMED}, arm={"name": "causal"})
    with pytest.raises(ConfigError, match="form='hole'"):
        make_recipe(data={"mixture": [{**PLAIN, "form": "hole"}]})
