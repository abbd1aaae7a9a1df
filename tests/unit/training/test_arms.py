"""The arms that diffusion is compared with: one key, the same data and positions, the next token, exact resumes."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from redraft.denoiser import Transformer
from redraft.denoiser.checkpoint import load_checkpoint
from redraft.engine import AutoregressiveEngine, Request, load_engine
from redraft.errors import ConfigError
from redraft.text import Tokenizer
from redraft.training import Recipe, train
from redraft.training.arms import ArmRecipe
from redraft.training.arms_canvas import seen_by_arm
from redraft.training.data import Batch
from redraft.training.native import NativeLearner
from redraft.training.trainer import step_rng

ARMS = ("diffusion", "causal", "prefix", "one_shot")

MakeRecipe = Callable[..., Recipe]


def learner_of(make_recipe: MakeRecipe, tokenizer: Tokenizer, name: str) -> NativeLearner:
    return NativeLearner(make_recipe(arm={"name": name}), tokenizer, torch.device("cpu"), torch.float32)


def awake(model: Transformer) -> None:
    """Give every weight a value, also those that start at zero."""
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0.0, 0.3, generator=rng)


@pytest.mark.parametrize(
    ("name", "sight"),
    [("diffusion", (False, False)), ("causal", (True, False)), ("prefix", (True, True)), ("one_shot", (False, False))],
)
def test_one_key_chooses(make_recipe: MakeRecipe, name: str, sight: tuple[bool, bool]) -> None:
    model = make_recipe(arm={"name": name}).model
    assert (model.is_causal, model.has_bidirectional_context) == sight


def test_anything_else_is_refused(make_recipe: MakeRecipe) -> None:
    with pytest.raises(ConfigError, match=r"arm\.name=.gpt. is unknown; use one of diffusion, causal, prefix"):
        make_recipe(arm={"name": "gpt"})
    with pytest.raises(ConfigError, match=r"arm\.nam is not a recipe key; did you mean 'name'"):
        make_recipe(arm={"nam": "causal"})
    with pytest.raises(ConfigError, match=r"model\.is_causal follows from arm\.name='diffusion'"):
        make_recipe(model={"is_causal": True})
    with pytest.raises(ConfigError, match=r"model\.is_causal follows from arm\.name='causal'"):
        replace(make_recipe(), arm=ArmRecipe(name="causal"))
    with pytest.raises(ConfigError, match=r"arm\.muon_lr=-1\.0 is too small"):
        make_recipe(arm={"muon_lr": -1})


def test_an_arm_may_have_its_own_learning_rates(make_recipe: MakeRecipe) -> None:
    common = make_recipe(optimizer={"muon_lr": 0.01, "adamw_lr": 0.002}).optimizer
    own = make_recipe(optimizer={"muon_lr": 0.01, "adamw_lr": 0.002}, arm={"name": "causal", "muon_lr": 0.03}).optimizer
    assert own == replace(common, muon_lr=0.03)


def test_all_arms_draw_the_same_batches_and_start_from_the_same_weights(
    make_recipe: MakeRecipe, tokenizer: Tokenizer
) -> None:
    learners = [learner_of(make_recipe, tokenizer, name) for name in ARMS]
    for step in range(4):
        first, *others = [learner.stream.next(step / 12) for learner in learners]
        for other in others:
            assert torch.equal(first.canvas, other.canvas)
            assert torch.equal(first.context, other.context)
            assert torch.equal(first.is_supervised, other.is_supervised)
    weights = [dict(learner.model.named_parameters()) for learner in learners]
    assert all(torch.equal(weights[0][name], other[name]) for other in weights[1:] for name in weights[0])


def test_all_arms_see_the_same_positions(
    make_recipe: MakeRecipe, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The audit: rotary positions, slots and place values of a training pass are those of diffusion, one for one."""
    seen: list[torch.Tensor] = []
    rotations, places = Transformer._rotations, Transformer.place_values

    def spied_rotations(self: Transformer, at: torch.Tensor) -> torch.Tensor:
        seen.append(at)
        return rotations(self, at)

    def spied_places(self: Transformer, tokens: torch.Tensor) -> torch.Tensor:
        seen.append(places(self, tokens))
        return seen[-1]

    monkeypatch.setattr(Transformer, "_rotations", spied_rotations)
    monkeypatch.setattr(Transformer, "place_values", spied_places)
    by_arm: dict[str, list[torch.Tensor]] = {}
    for name in ARMS:
        learner = learner_of(make_recipe, tokenizer, name)
        batch = learner.stream.next(0.0)
        seen.clear()
        awake(learner.model)
        # Diffusion may ask for its own guesses first; at progress 0 it does not.
        next(iter(learner.losses(batch, step_rng(0, 0), 0.0))).total.backward()
        by_arm[name] = [*seen]
        # Every slot of the canvas has its embedding, whatever the arm: none is left out and none is off the end.
        used = learner.model.canvas_position.weight.grad
        assert used is not None
        assert (used.abs().sum(dim=1) > 0).tolist() == [slot < batch.canvas.shape[1] for slot in range(len(used))]
    for name in ARMS[1:]:
        assert all(torch.equal(a, b) for a, b in zip(by_arm["diffusion"], by_arm[name], strict=True)), name


@pytest.mark.slow
@pytest.mark.parametrize("name", ["causal", "prefix"])
def test_the_loss_is_the_next_tokens(make_recipe: MakeRecipe, tokenizer: Tokenizer, name: str) -> None:
    learner = learner_of(make_recipe, tokenizer, name)
    awake(learner.model)
    batch = learner.stream.next(0.0)
    (parts,) = learner.losses(batch, step_rng(0, 0), 0.0)
    nats = []
    for row in range(batch.num_rows):
        context = batch.context[row : row + 1, batch.context_is_valid[row]]
        for slot in batch.is_supervised[row].nonzero()[:, 0].tolist():
            # Only what stands before the slot is there at all.
            before = torch.tensor([[tokenizer.special.mask, *batch.canvas[row, :slot].tolist()]])
            logits = learner.model(context, before)[0, -1]
            nats.append(F.cross_entropy(logits, batch.canvas[row, slot]))
    torch.testing.assert_close(parts.total, torch.stack(nats).mean(), atol=1e-4, rtol=1e-4)
    assert int(parts.num_clean) == 0
    scored = set(batch.canvas[batch.is_supervised].tolist())
    assert {tokenizer.special.null, tokenizer.special.end_of_text} <= scored


def test_the_one_shot_arm_sees_masks_only(make_recipe: MakeRecipe, tokenizer: Tokenizer) -> None:
    learner = learner_of(make_recipe, tokenizer, "one_shot")
    batch: Batch = learner.stream.next(0.0)
    noised = seen_by_arm(batch, learner.recipe.arm, learner.table)
    assert bool((noised.canvas == tokenizer.special.mask).all())
    assert bool(noised.sees_context.all())


@pytest.mark.slow
@pytest.mark.parametrize("name", ARMS[1:])
def test_an_interrupted_arm_ends_with_the_same_weights(make_recipe: MakeRecipe, tmp_path: Path, name: str) -> None:
    def stop(line: str) -> None:
        if line.startswith("step 5 "):
            os.kill(os.getpid(), signal.SIGTERM)

    recipe = make_recipe(arm={"name": name})
    train(recipe, tmp_path / "whole", log=lambda line: None)
    assert not train(recipe, tmp_path / "parts", log=stop).is_finished
    assert train(recipe, tmp_path / "parts", log=lambda line: None).is_finished
    whole, parts = (load_checkpoint(tmp_path / run / "model") for run in ("whole", "parts"))
    for (key, weight), (_, other) in zip(
        whole.model.state_dict().items(), parts.model.state_dict().items(), strict=True
    ):
        assert torch.equal(weight, other), key
    assert whole.extra["training"]["recipe"]["arm"]["name"] == name
    figures = whole.extra["training"]["figures"]
    expected = "all_mask_nats" if name == "one_shot" else "next_token_nats"
    assert [key for key in figures if key.endswith("nats")] == [expected]
    engine = load_engine(str(tmp_path / "whole" / "model"))
    settings = engine.settings("high")
    result = engine.generate(Request.from_prompt("2 + 3", settings=settings))
    # Weights of a few steps never say the end; each arm writes its whole canvas in its own way.
    assert isinstance(engine, AutoregressiveEngine) is (name != "one_shot")
    assert result.nfe == 1 if name == "one_shot" else result.nfe > 1
