import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from redraft.denoiser import Transformer
from redraft.denoiser.checkpoint import load_checkpoint
from redraft.engine import Engine, load_engine
from redraft.errors import CheckpointError, ConfigError
from redraft.text import Tokenizer
from redraft.training import Recipe, build_recipe, load_recipe, recipe_to_dict
from redraft.training.export import export_model
from redraft.training.recipe import differing_keys, parse_override

NANO = Path(__file__).parents[3] / "recipes" / "nano.toml"

MINIMAL = """
[model]
width = 16
num_heads = 2
num_prelude_layers = 1
[[data.mixture]]
task = "primes"
[train]
max_steps = 3
"""


@pytest.fixture
def minimal(tmp_path: Path) -> Path:
    path = tmp_path / "minimal.toml"
    path.write_text(MINIMAL)
    return path


def test_the_shipped_recipe_loads() -> None:
    recipe = load_recipe(NANO)
    assert recipe.data.mixture
    assert recipe.model.vocab_size > 256


def test_what_is_left_out_has_a_default(minimal: Path) -> None:
    recipe = load_recipe(minimal)
    assert recipe.noise.clean_weight == 0.1
    assert recipe.model.digit_token_ids, "the tokenizer's digits reach the model"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.max_step=3", "did you mean 'max_steps'"),
        ("trian.max_steps=3", "did you mean 'train'"),
        ("model.widht=8", "did you mean 'width'"),
        ("data.mixture.0.wieght=1", "data.mixture.0.wieght is not a recipe key; did you mean 'weight'"),
        ("zzz.a=1", "known are model, data"),
        ("train.max_steps=1.5", "train.max_steps=1.5 is not a whole number"),
        ("train.max_steps=true", "is not a whole number"),
        ("train.compile=1", "is not a true or false"),
        ("train.device=tpu", "use one of auto, cpu, cuda"),
        ("train.max_steps=-1", "use 0 or more"),
        ("train.max_steps=0", "no end"),
        ("noise.all_mask_share=1.5", "in [0, 1]"),
        ("noise.uniform_share=0.9", "more than 1"),
        ("optimizer.ema_decay=1.0", "must be below 1"),
        ("optimizer.adamw_betas=[0.9]", "pair"),
        ("optimizer.clip_norm=0", "positive"),
        ("data.canvas_length=100", "multiple of canvas_multiple"),
        ("data.first_width=64", "with data.cut_share above 0"),
        ("data.batch_tokens=100", "does not hold one example"),
        ("model.canvas_length=96", "raise the latter"),
        ("model.context_length=8", "raise the latter"),
        ("model.vocab_size=300", "follows from the tokenizer"),
        ("data.mixture=[]", "is empty"),
        ("data.mixture.0.weight=0", "every weight"),
        ("data.mixture.0.final_weight=0", "every final_weight"),
        ("data.mixture.0.weight=-1.0", "too small"),
        ("data.mixture.7.weight=1", "entries 0 to 0"),
        ("data.mixture.weight=1", "is a list"),
        ("train.max_steps.deep.er=1", "is a value"),
        ("data=3", "form section.key=value"),
        ("train.max_steps", "form section.key=value"),
    ],
)
def test_a_bad_setting_is_an_error_that_says_what_to_do(minimal: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_recipe(minimal, [override])
    assert message in str(caught.value)


@pytest.mark.parametrize("table", [{"model": 3}, {"train": []}, {"data": {"mixture": [3]}}, {}])
def test_a_recipe_of_the_wrong_shape_is_an_error(table: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        build_recipe({"model": {"width": 16, "num_heads": 2, "num_prelude_layers": 1}, **table})


def test_unreadable_and_broken_files_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't read"):
        load_recipe(tmp_path / "absent.toml")
    (tmp_path / "broken.toml").write_text("[model\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_recipe(tmp_path / "broken.toml")


def test_overrides_take_toml_values_and_bare_words(minimal: Path) -> None:
    overrides = [
        "train.max_steps=7",
        "train.device = cpu",
        "optimizer.adamw_betas=[0.8, 0.9]",
        "data.mixture.0.weight=2",
    ]
    recipe = load_recipe(minimal, overrides)
    assert recipe.train.max_steps == 7
    assert recipe.train.device == "cpu"
    assert recipe.optimizer.adamw_betas == (0.8, 0.9)
    assert recipe.data.mixture[0].weight == 2.0


def test_a_value_may_hold_an_equals_sign() -> None:
    assert parse_override('data.name="a=b"') == (["data", "name"], "a=b")


def test_a_resolved_recipe_survives_json_and_builds_the_same_again(make_recipe: Callable[..., Recipe]) -> None:
    recipe = make_recipe()
    table = json.loads(json.dumps(recipe_to_dict(recipe)))
    assert differing_keys(table, recipe_to_dict(recipe)) == []
    del table["model"]["vocab_size"], table["model"]["digit_token_ids"]
    table["data"]["mixture"] = [{k: v for k, v in e.items() if v is not None} for e in table["data"]["mixture"]]
    assert build_recipe(table) == recipe


def test_differences_are_named_by_their_keys(make_recipe: Callable[..., Recipe]) -> None:
    old = recipe_to_dict(make_recipe())
    new = recipe_to_dict(make_recipe(train={"max_steps": 99, "seed": 5}, optimizer={"muon_lr": 0.5}))
    assert differing_keys(old, new) == ["optimizer.muon_lr", "train.seed"]
    new["data"]["mixture"][1]["dials"]["max_steps"] = 3
    assert "data.mixture.1.dials.max_steps" in differing_keys(old, new)


def test_a_narrow_first_pass_goes_with_the_model(make_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    for data, narrow in (({}, {}), ({"cut_share": 0.5, "first_width": 16}, {"follow_end": True, "first_width": 16})):
        recipe = make_recipe(data=data)
        model, tokenizer = Transformer(recipe.model), Tokenizer.builtin()
        export_model(tmp_path / "m", model=model, tokenizer=tokenizer, recipe=recipe, step=1, examples=1, figures={})
        whole = {"canvas_length": 48, "max_new_tokens": 48}
        assert load_checkpoint(tmp_path / "m").extra["sampler"] == whole | narrow


def test_that_drafts_are_shown_goes_with_the_model(make_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    for shows_draft in (False, True):
        recipe = make_recipe(data={"edit": {"shows_draft": shows_draft}})
        model, tokenizer = Transformer(recipe.model), Tokenizer.builtin()
        export_model(tmp_path / "m", model=model, tokenizer=tokenizer, recipe=recipe, step=1, examples=1, figures={})
        assert load_engine(f"{tmp_path}/m").shows_draft is shows_draft
        extra = load_checkpoint(tmp_path / "m").extra
        assert ("editing" in extra) is shows_draft
    for damaged in ("yes", {"shows_draft": 1}, ["shows_draft"]):
        loaded = replace(load_checkpoint(tmp_path / "m"), config={"extra": extra | {"editing": damaged}})
        with pytest.raises(CheckpointError, match="not whether it shows_draft"):
            Engine.from_checkpoint(loaded, name="damaged")
