import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from redraft.denoiser import Transformer
from redraft.denoiser.checkpoint import load_checkpoint
from redraft.errors import ConfigError
from redraft.text import Tokenizer
from redraft.training import Recipe, Trainer, is_adaptation, train
from redraft.training.start import start_folder, start_from

MakeRecipe = Callable[..., Recipe]


def silent(line: str) -> None:
    del line


@pytest.fixture
def first(make_recipe: MakeRecipe, tmp_path: Path) -> Path:
    return train(make_recipe(train={"max_steps": 2}), tmp_path / "first", log=silent).model_folder


def test_a_run_starts_from_the_weights_of_another(make_recipe: MakeRecipe, first: Path, tmp_path: Path) -> None:
    recipe = make_recipe(train={"max_steps": 2, "start_from": str(first)})
    trainer = Trainer(recipe, tmp_path / "second", log=silent)
    source = load_checkpoint(first)
    for name, weight in trainer.model.named_parameters():
        assert weight.equal(source.model.get_parameter(name))
        assert trainer.ema.averages[name].equal(weight.detach())
    result = trainer.run()
    exported = load_checkpoint(result.model_folder)
    assert exported.extra["training"]["start_digest"] == source.digest
    assert exported.extra["training"]["recipe"]["train"]["start_from"] == str(first)
    assert any(source.digest in path.read_text() for path in result.model_folder.glob("*.md"))


@pytest.mark.slow
def test_a_resumed_run_does_not_need_its_start(make_recipe: MakeRecipe, first: Path, tmp_path: Path) -> None:
    recipe = make_recipe(train={"max_steps": 4, "start_from": str(first), "checkpoint_steps": 2})
    straight = train(recipe, tmp_path / "straight", log=silent)
    shorter = make_recipe(train={"max_steps": 2, "start_from": str(first), "checkpoint_steps": 2})
    train(shorter, tmp_path / "resumed", log=silent)
    digest = load_checkpoint(first).digest
    for path in first.iterdir():
        path.unlink()
    # The length may change, but learning rates follow it, so only what does not is compared here.
    again = train(recipe, tmp_path / "resumed", log=silent)
    assert again.step == straight.step == 4
    assert load_checkpoint(again.model_folder).extra["training"]["start_digest"] == digest


def test_a_longer_canvas_keeps_its_further_positions(
    make_recipe: MakeRecipe, first: Path, tokenizer: Tokenizer
) -> None:
    recipe = make_recipe(model={"canvas_length": 64})
    model = Transformer(recipe.model)
    model.reset_parameters(torch.Generator().manual_seed(3))
    before = model.canvas_position.weight.detach().clone()
    start_from(str(first), model, tokenizer)
    weight = model.canvas_position.weight.detach()
    assert weight[:48].equal(load_checkpoint(first).model.canvas_position.weight)
    assert weight[48:].equal(before[48:])


@pytest.mark.parametrize(("num_theirs", "num_ours"), [(1, 2), (2, 3), (3, 5)])
def test_a_deeper_model_scores_as_its_start(
    make_recipe: MakeRecipe, tokenizer: Tokenizer, tmp_path: Path, num_theirs: int, num_ours: int
) -> None:
    start = make_recipe(model={"num_prelude_layers": num_theirs}, train={"max_steps": 3})
    folder = train(start, tmp_path / "start", log=silent).model_folder
    recipe = make_recipe(model={"num_prelude_layers": num_ours}, train={"max_steps": 3, "start_from": str(folder)})
    trainer = Trainer(recipe, tmp_path / "deeper", log=silent)
    source = load_checkpoint(folder).model
    context, canvas = torch.arange(12).view(2, 6), torch.arange(20).view(2, 10)
    with torch.no_grad():
        assert trainer.model(context, canvas).equal(source(context, canvas)), "fresh layers add nothing"
    before = {name: weight.detach().clone() for name, weight in trainer.model.named_parameters()}
    trainer.run()
    moved = {name for name, weight in trainer.model.named_parameters() if not weight.equal(before[name])}
    assert {f"prelude.{index}.mlp_out.weight" for index in range(num_ours)} <= moved, "and learn"
    with pytest.raises(ConfigError, match="another shape"):
        start_from(str(tmp_path / "deeper" / "model"), Transformer(start.model), tokenizer)


def test_what_does_not_fit_is_said(make_recipe: MakeRecipe, first: Path, tokenizer: Tokenizer, tmp_path: Path) -> None:
    wider = Transformer(make_recipe(model={"width": 32}).model)
    with pytest.raises(ConfigError, match="another shape"):
        start_from(str(first), wider, tokenizer)
    looped = Transformer(make_recipe(model={"num_loop_layers": 1, "num_loops": 2}).model)
    with pytest.raises(ConfigError, match="missing there"):
        start_from(str(first), looped, tokenizer)
    shorter = Transformer(make_recipe(model={"canvas_length": 40}, data={"canvas_length": 40}).model)
    with pytest.raises(ConfigError, match="canvas_position"):
        start_from(str(first), shorter, tokenizer)
    with pytest.raises(ConfigError, match="neither a shipped model nor a model folder"):
        start_folder(str(tmp_path / "nothing"))
    assert start_folder("nano").name == "nano"


def test_another_vocabulary_is_refused(make_recipe: MakeRecipe, first: Path, tokenizer: Tokenizer) -> None:
    layout = json.loads(tokenizer.to_json())
    vocabulary = layout["model"]["vocab"]
    vocabulary["a"], vocabulary["b"] = vocabulary["b"], vocabulary["a"]
    model = Transformer(make_recipe().model)
    with pytest.raises(ConfigError, match="another vocabulary"):
        start_from(str(first), model, Tokenizer.from_json(json.dumps(layout)))


@pytest.mark.parametrize(("units", "num_tokens"), [("characters", len("total = 3")), ("words", 5)])
def test_a_run_on_other_units_starts_from_pieces(
    make_recipe: MakeRecipe, first: Path, tmp_path: Path, units: str, num_tokens: int
) -> None:
    mixture = [{"task": "rewrite", "form": "edit"}]
    lengths = {"canvas_length": 160, "context_length": 256}
    data = {"units": units, "mixture": mixture, "batch_tokens": 600, **lengths}
    recipe = make_recipe(train={"max_steps": 1, "start_from": str(first)}, data=data, model=lengths)
    result = train(recipe, tmp_path / "second", log=silent)
    exported = Tokenizer.from_json(load_checkpoint(result.model_folder).tokenizer_json)
    assert len(exported.encode("total = 3")) == num_tokens
    with pytest.raises(ConfigError, match="units='letters' is unknown; use one of pieces, words, characters"):
        make_recipe(data={"units": "letters"})


def test_a_mixture_makes_it_a_native_recipe() -> None:
    assert is_adaptation({"train": {"start_from": "x"}})
    assert not is_adaptation({"train": {"start_from": "nano"}, "data": {"mixture": [{"task": "arithmetic"}]}})
