"""From an autoregressive checkpoint to a trained block-diffusion model, end to end on a tiny one."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.parity.families.tiny import write_tiny
from tests.unit.training.autoregressive import write_autoregressive

from redraft.denoiser.families import BlockDenoiser, build_denoiser, detect_family
from redraft.denoiser.published import open_published
from redraft.errors import CheckpointError, ConfigError
from redraft.interfaces.train import train_recipe
from redraft.text import PublishedTokenizer
from redraft.training import AdaptRecipe, Trainer, build_adapt_recipe, is_adaptation, read_table, train
from redraft.training.block_start import make_block_start
from redraft.training.checkpoint import load_latest_state
from redraft.training.metrics import read_metrics

ADAPT = Path(__file__).parents[3] / "recipes" / "adapt.toml"
BLOCK = 8

MakeRecipe = Callable[..., AdaptRecipe]


@pytest.fixture
def make_recipe(tmp_path: Path) -> MakeRecipe:
    """Return a maker of tiny recipes over a start and a folder of texts, both made at the first call."""

    def make(kind: str = "qwen3", **sections: dict[str, Any]) -> AdaptRecipe:
        start, texts = tmp_path / f"start-{kind}", tmp_path / "texts"
        if not start.exists():
            write_autoregressive(tmp_path / kind, kind)
            make_block_start(tmp_path / kind, start, block_length=BLOCK)
        if not texts.exists():
            texts.mkdir()
            lines = [json.dumps({"text": f"{index} and {index + 1} and {index + 2}."}) for index in range(60)]
            (texts / "counting.jsonl").write_text("\n".join(lines))
        tiny: dict[str, dict[str, Any]] = {
            "data": {"folder": str(texts), "row_length": 32, "batch_rows": 8, "pool_documents": 20},
            "noise": {"block_length": BLOCK},
            "optimizer": {"muon_lr": 0.0, "adamw_lr": 0.01, "warmup_steps": 2, "ema_decay": 0.5},
            "train": {
                "start_from": str(start),
                "max_steps": 8,
                "checkpoint_seconds": 0,
                "log_seconds": 0,
                "validate_batches": 2,
                "plot": "never",
            },
        }
        return build_adapt_recipe({name: {**tiny[name], **sections.get(name, {})} for name in tiny})

    return make


def silent(line: str) -> None:
    del line


def load(folder: Path) -> BlockDenoiser:
    found = open_published(folder)
    settings = {"tokenizer_config": found.tokenizer_config, "generation_config": found.generation_config}
    denoiser = build_denoiser(detect_family(found.config, **settings), found.config, found.weights())
    assert isinstance(denoiser, BlockDenoiser)
    return denoiser


def losses_of(run_dir: Path) -> list[float]:
    return [record["loss"] for record in read_metrics(run_dir / "metrics.jsonl") if record["kind"] == "step"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["qwen2", "qwen3", "llama"])
def test_a_start_learns_and_becomes_a_model_that_scores(kind: str, make_recipe: MakeRecipe, tmp_path: Path) -> None:
    result = train(make_recipe(kind, train={"max_steps": 40}), tmp_path / "run", log=silent)
    losses = losses_of(tmp_path / "run")
    assert result.is_finished
    assert len(losses) == 40
    assert sum(losses[-5:]) / 5 < sum(losses[:5]) / 5 - 1.0
    assert set(result.figures) == {"all_mask_nats", "half_mask_nats"}
    trained, start = load(result.model_folder), load(tmp_path / f"start-{kind}")
    assert trained.spec == start.spec
    tokenizer = PublishedTokenizer.load(result.model_folder)
    ids = tokenizer.encode("12 and 13 and 14.")
    canvas = torch.tensor([[*ids[8:12], 258, 258, ids[14], ids[15]]])  # "12 and 13 and 1" with two tokens hidden
    nats = [
        -float(model.denoise(canvas, model.encode(torch.tensor([ids[:8]]))).log_softmax(dim=-1)[0, 4, ids[12]])
        for model in (start, trained)
    ]
    assert nats[1] < nats[0] - 1.0
    record = json.loads((result.model_folder / "adaptation.json").read_text())
    assert record["step"] == 40
    assert record["recipe"]["noise"]["block_length"] == BLOCK
    assert "Model card" in (result.model_folder / "README.md").read_text()
    again = train(make_recipe(kind, train={"start_from": str(result.model_folder)}), tmp_path / "more", log=silent)
    assert losses_of(tmp_path / "more")[0] < losses[0] - 1.0
    assert again.is_finished


@pytest.mark.slow
def test_an_interrupted_run_goes_on_without_a_changed_bit(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    def stop(line: str) -> None:
        if line.startswith("step 4 "):
            os.kill(os.getpid(), signal.SIGTERM)

    train(make_recipe(), tmp_path / "straight", log=silent)
    first = train(make_recipe(), tmp_path / "stopped", log=stop)
    assert not first.is_finished
    assert 4 <= first.step < 8
    train(make_recipe(), tmp_path / "stopped", log=silent)
    assert losses_of(tmp_path / "stopped") == losses_of(tmp_path / "straight")
    one, two = (load_latest_state(tmp_path / run / "checkpoints")[0] for run in ("straight", "stopped"))
    assert one is not None
    assert two is not None
    for section in ("model", "ema", "optimizer"):
        for name, tensor in one.sections[section].items():
            assert tensor.numpy().tobytes() == two.sections[section][name].numpy().tobytes(), (section, name)
    assert (tmp_path / "straight" / "model" / "model.safetensors").read_bytes() == (
        tmp_path / "stopped" / "model" / "model.safetensors"
    ).read_bytes()


def test_parts_of_a_step_add_up_to_the_step(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    train(make_recipe(train={"max_steps": 2, "dtype": "float32"}), tmp_path / "whole", log=silent)
    train(make_recipe(train={"max_steps": 2, "dtype": "float32", "micro_rows": 3}), tmp_path / "parts", log=silent)
    assert losses_of(tmp_path / "parts") == pytest.approx(losses_of(tmp_path / "whole"), rel=1e-4)


def test_a_start_in_half_precision_is_trained_in_full_and_written_in_half(
    make_recipe: MakeRecipe, tmp_path: Path
) -> None:
    write_autoregressive(tmp_path / "half", "qwen3", dtype=torch.bfloat16)
    make_block_start(tmp_path / "half", tmp_path / "start-half", block_length=BLOCK)
    recipe = make_recipe(train={"max_steps": 2, "start_from": str(tmp_path / "start-half")})
    trainer = Trainer(recipe, tmp_path / "run", log=silent)
    assert {weight.dtype for weight in trainer.model.parameters()} == {torch.float32}
    folder = trainer.run().model_folder
    assert {weight.dtype for weight in load(folder).state_dict().values()} == {torch.bfloat16}
    assert (folder / "tokenizer.json").read_bytes() == (tmp_path / "start-half" / "tokenizer.json").read_bytes()


def test_the_start_is_never_written_to(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    recipe = make_recipe()
    before = (tmp_path / "start-qwen3" / "model.safetensors").read_bytes()
    train(recipe, tmp_path / "run", log=silent)
    assert (tmp_path / "start-qwen3" / "model.safetensors").read_bytes() == before


def test_the_shipped_recipe_loads_and_spends_its_budget() -> None:
    table = read_table(ADAPT)
    assert is_adaptation(table)
    recipe = build_adapt_recipe(table)
    assert recipe.noise.block_length == 32
    assert recipe.noise.is_complementary
    tokens = recipe.data.row_length * recipe.data.batch_rows * recipe.train.max_steps
    assert tokens == pytest.approx(1e9, rel=0.001)


def test_the_command_runs_it(make_recipe: MakeRecipe, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = make_recipe()
    overrides = [
        f"train.start_from={recipe.train.start_from}",
        f"data.folder={recipe.data.folder}",
        "data.row_length=32",
        "data.batch_rows=4",
        "noise.block_length=8",
        "train.max_steps=2",
        "train.plot=never",
    ]
    assert train_recipe(ADAPT, overrides=overrides, run_dir=tmp_path / "run")
    assert "finished at step 2" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"noise": {"block_length": 16}}, r"noise\.block_length=16, and the checkpoint's blocks have 8"),
        ({"data": {"row_length": 36}}, "not a multiple of"),
        ({"data": {"row_length": 512}}, "longer than the model's 256 positions"),
        ({"data": {"folder": "absent"}}, "there is no folder of texts"),
        ({"data": {"folder": ""}}, r"data\.folder is empty"),
        ({"data": {"canvas_length": 8}}, r"data\.canvas_length is not a recipe key"),
        ({"data": {"held_out_share": 1.0}}, "held_out_share"),
        ({"data": {"batch_rows": 0}}, "batch_rows"),
        ({"data": {"end_tokens": -1}}, "end_tokens"),
        ({"noise": {"low_time": 0.5, "high_time": 0.4}}, "no interval"),
        ({"noise": {"all_mask_share": 2.0}}, "not a share"),
        ({"train": {"micro_rows": -1}}, "micro_rows"),
        ({"train": {"start_from": ""}}, "start_from is empty"),
        ({"train": {"max_steps": 0}}, "no end"),
    ],
)
def test_a_bad_recipe_is_one_clear_error(
    sections: dict[str, dict[str, Any]], message: str, make_recipe: MakeRecipe, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        Trainer(make_recipe(**sections), tmp_path / "run", log=silent)


@pytest.mark.parametrize(
    ("family", "message"),
    [("llada", "llada with full attention"), ("sdar_moe", "mixtures"), ("llada2_moe", "mixtures or joined matrices")],
)
def test_a_start_of_another_kind_is_refused(family: str, message: str, make_recipe: MakeRecipe, tmp_path: Path) -> None:
    start = write_tiny(tmp_path / "other", family)
    block_length = 4 if family == "sdar_moe" else 32
    recipe = make_recipe(train={"start_from": str(start)}, noise={"block_length": block_length})
    with pytest.raises(ConfigError, match=message):
        Trainer(recipe, tmp_path / "run", log=silent)
    with pytest.raises(CheckpointError, match="there is no checkpoint folder"):
        Trainer(make_recipe(train={"start_from": "absent"}), tmp_path / "run", log=silent)
