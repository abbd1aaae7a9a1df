"""Folders of a published DiffusionGemma: what loads, which rules come with it, and one clear error for each bad one."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.parity.families.tiny_diffusion_gemma import (
    CANVAS,
    ENDS,
    VOCAB,
    assert_close,
    published_logits,
    tokens_of,
    write_tiny,
)
from transformers import DiffusionGemmaForBlockDiffusion
from transformers.models.diffusion_gemma import generation_diffusion_gemma as published

from redraft.denoiser.families.diffusion_gemma_checkpoint import (
    DiffusionGemmaRules,
    load_diffusion_gemma,
    read_diffusion_gemma_rules,
)
from redraft.errors import CheckpointError, DependencyError
from redraft.sampler import SamplerSettings


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published") / "tiny"
    write_tiny(folder)
    return folder


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    model = DiffusionGemmaForBlockDiffusion.from_pretrained(folder, local_files_only=True)
    return model.eval().requires_grad_(False)


def test_the_rules_are_read_as_transformers_reads_them(theirs: Any, folder: Path) -> None:
    rules, config = read_diffusion_gemma_rules(folder), theirs.generation_config
    for name in (
        "t_max",
        "t_min",
        "max_denoising_steps",
        "stability_threshold",
        "confidence_threshold",
        "pad_token_id",
    ):
        assert getattr(rules, name) == getattr(config, name)
    assert rules.entropy_bound == config.sampler_config.entropy_bound
    assert list(rules.end_token_ids) == config.eos_token_id
    assert rules.canvas_length == theirs.config.canvas_length


def test_what_a_checkpoint_does_not_say_has_transformers_default(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "config.json", tmp_path)
    rules = read_diffusion_gemma_rules(tmp_path)
    assert rules == DiffusionGemmaRules(canvas_length=CANVAS, end_token_ids=ENDS[:2])
    defaults = published.DiffusionGemmaGenerationConfig._get_default_generation_params()
    assert rules.entropy_bound == defaults.pop("sampler_config").entropy_bound
    assert {name: getattr(rules, name) for name in defaults} == defaults
    effort = SamplerSettings.for_effort("medium", "uniform")
    assert SamplerSettings(**rules.sampler_settings()) == replace(effort, canvas_length=CANVAS, max_new_tokens=256)


def test_the_image_part_is_not_kept(folder: Path) -> None:
    ours = load_diffusion_gemma(folder)
    assert not [name for name, _ in ours.model.named_parameters() if "vision" in name]
    assert (ours.vocab_size, ours.canvas_length, ours.context_length) == (VOCAB, CANVAS, 256)


def test_shards_and_half_precision_load(folder: Path, theirs: Any, tmp_path: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    names = sorted(weights)
    shards = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for shard, members in shards.items():
        save_file({name: weights[name] for name in members}, tmp_path / shard, metadata={"format": "pt"})
    places = {name: shard for shard, members in shards.items() for name in members}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    shutil.copy(folder / "config.json", tmp_path)
    canvas, prompt = tokens_of(80, 1, CANVAS), tokens_of(81, 1, 9)
    expected = published_logits(theirs, prompt, canvas)
    whole = load_diffusion_gemma(tmp_path)
    assert_close(whole.denoise(canvas, whole.encode(prompt)), expected)
    half = load_diffusion_gemma(tmp_path, dtype=torch.bfloat16)
    rough = half.denoise(canvas, half.encode(prompt), self_conditioning=None)
    assert rough.dtype == torch.float32
    assert float((rough - expected).abs().mean()) < 0.5


def spoil(folder: Path, tmp_path: Path, changes: dict[str, Any], name: str = "config.json") -> Path:
    """Copy the checkpoint with some keys of one of its JSON files changed; a dot goes one floor down."""
    copy = tmp_path / "spoilt"
    shutil.copytree(folder, copy)
    values = json.loads((copy / name).read_text())
    for key, value in changes.items():
        *floors, last = key.split(".")
        place = values
        for floor in floors:
            place = place[floor]
        place[last] = value
    (copy / name).write_text(json.dumps(values))
    return copy


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model_type": "llama"}, "needed is 'diffusion_gemma'"),
        ({"quantization_config": {"quant_method": "fp8"}}, "quantised"),
        ({"text_config": None}, "text_config"),
        ({"vision_config.model_type": "siglip_vision_model"}, "vision part"),
        ({"text_config.use_bidirectional_attention": "all"}, "both directions"),
        ({"text_config.num_hidden_layers": 10**9}, "num_hidden_layers=1000000000"),
        ({"text_config.vocab_size": 10**12}, "vocab_size"),
        ({"text_config.hidden_size": 65536}, "is a file missing"),
        ({"text_config.hidden_size": "wide"}, "describes no DiffusionGemma"),
        ({"text_config.hidden_activation": "no_such"}, "describes no DiffusionGemma"),
        ({"text_config.layer_types": ["sideways", "full_attention"]}, "describes no DiffusionGemma"),
        ({"text_config.num_hidden_layers": 3}, "describes no DiffusionGemma|is a file missing"),
        ({"text_config.intermediate_size": 40}, "can't be loaded"),
    ],
)
def test_a_bad_configuration_is_one_clear_error(
    folder: Path, tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(CheckpointError, match=says):
        load_diffusion_gemma(spoil(folder, tmp_path, changes))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"sampler_config": {"_cls_name": "Callable"}}, "only EntropyBoundSamplerConfig is known"),
        ({"sampler_config": {"_cls_name": "EntropyBoundSamplerConfig"}}, "entropy_bound"),
        ({"t_max": "hot"}, "t_max"),
        ({"max_denoising_steps": 1.5}, "max_denoising_steps"),
        ({"eos_token_id": []}, "eos_token_id"),
        ({"eos_token_id": [1, "x"]}, "eos_token_id"),
    ],
)
def test_bad_rules_are_one_clear_error(folder: Path, tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(CheckpointError, match=says):
        read_diffusion_gemma_rules(spoil(folder, tmp_path, changes, "generation_config.json"))


def test_a_configuration_can_not_choose_code(folder: Path, tmp_path: Path, theirs: Any) -> None:
    """Kernels of a stranger's repository, a remote class, a private key: none of it reaches transformers."""
    changes = {
        "_attn_implementation": "stranger/kernels",
        "attn_implementation": "stranger/kernels",
        "text_config._attn_implementation": "stranger/kernels",
        "text_config.experts_implementation": "stranger/kernels",
        "vision_config._attn_implementation_internal": "stranger/kernels",
        "auto_map": {"AutoModel": "stranger/code--model.Model"},
        "vision_config.auto_map": {"AutoModel": "stranger/code--model.Model"},
    }
    copy = spoil(folder, tmp_path, changes)
    (copy / "generation_config.json").write_text('{"sampler_config": {"_cls_name": "deprecate_kwarg"}}')
    denoiser = load_diffusion_gemma(copy)
    canvas, prompt = tokens_of(82, 1, CANVAS), tokens_of(83, 1, 9)
    expected = published_logits(theirs, prompt, canvas)
    assert_close(denoiser.denoise(canvas, denoiser.encode(prompt)), expected)


def test_damaged_weights_are_one_clear_error(folder: Path, tmp_path: Path) -> None:
    weights = load_file(folder / "model.safetensors")

    def attempt(says: str, content: dict[str, torch.Tensor] | bytes) -> None:
        shutil.rmtree(tmp_path / "bad", ignore_errors=True)
        shutil.copytree(folder, tmp_path / "bad")
        path = tmp_path / "bad" / "model.safetensors"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            save_file(content, path, metadata={"format": "pt"})
        with pytest.raises(CheckpointError, match=says):
            load_diffusion_gemma(tmp_path / "bad")

    lost = "model.decoder.self_conditioning.up_proj.weight"
    attempt("is a file missing", {name: weight for name, weight in weights.items() if name != lost})
    attempt("lacks 1 weights, model.decoder", {("odd" if name == lost else name): w for name, w in weights.items()})
    attempt("weights may be F32", {name: weight.to(torch.float64) for name, weight in weights.items()})
    attempt("not wholly fetched", (folder / "model.safetensors").read_bytes()[:-100])
    attempt("no safetensors file", b"\xff" * 64)


@pytest.mark.parametrize(
    "name", ["../outside.safetensors", "/etc/passwd.safetensors", "sub/x.safetensors", "gone.safetensors"]
)
def test_an_index_can_not_lead_elsewhere(folder: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "model.safetensors").rename(tmp_path / "outside.safetensors")
    with pytest.raises(CheckpointError, match="no weights: neither"):
        load_diffusion_gemma(copy)
    (copy / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"lm_head.weight": name}}))
    with pytest.raises(CheckpointError, match=r"plain file name|lacks 1 of the 1 files"):
        load_diffusion_gemma(copy)


def test_without_transformers_the_message_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(DependencyError, match=r"redraft\[hub\]"):
        load_diffusion_gemma(folder)


def test_no_folder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no checkpoint folder"):
        load_diffusion_gemma(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        read_diffusion_gemma_rules(tmp_path)
