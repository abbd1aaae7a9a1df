"""Checkpoints written once more: every family there and back without a changed bit, and what can't be is refused."""

import hashlib
import json
import resource
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tests.parity.families.tiny import FAMILIES, VOCAB, write_tiny
from tests.parity.families.tiny_diffusion_gemma import write_tiny as write_tiny_diffusion_gemma
from torch import Tensor

from redraft.denoiser import Denoiser
from redraft.denoiser.checkpoint import load_checkpoint
from redraft.denoiser.conversion import convert_checkpoint
from redraft.denoiser.families import build_denoiser, detect_family, parameter_shapes, published_names, read_config
from redraft.denoiser.published import open_published
from redraft.errors import CheckpointError, ConfigError, RedraftError


def tensors_of(folder: Path) -> dict[str, Tensor]:
    """Read all weight files with the format's own library."""
    return {
        name: file.get_tensor(name)
        for path in sorted(folder.glob("*.safetensors"))
        for file in [safe_open(path, "pt")]
        for name in file.keys()  # noqa: SIM118
    }


def assert_same_bits(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert tensor.dtype == other[name].dtype, name
        assert torch.equal(tensor, other[name]), name


def assert_manifest_holds(folder: Path) -> None:
    entries = json.loads((folder / "manifest.json").read_text())["files"]
    assert {path.name for path in folder.iterdir()} == {*entries, "manifest.json"}
    for name, entry in entries.items():
        content = (folder / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (entry["bytes"], entry["sha256"])


def load(folder: Path) -> Denoiser:
    found = open_published(folder)
    settings = {"tokenizer_config": found.tokenizer_config, "generation_config": found.generation_config}
    return build_denoiser(detect_family(found.config, **settings), found.config, found.weights())


def scores(folder: Path) -> Tensor:
    tokens = torch.randint(0, VOCAB, (1, 45), generator=torch.Generator().manual_seed(0))
    denoiser = load(folder)
    return denoiser.denoise(tokens[:, 40:], denoiser.encode(tokens[:, :40]))


@pytest.mark.parametrize("family", FAMILIES)
def test_there_and_back_changes_no_bit(family: str, tmp_path: Path) -> None:
    source = write_tiny(tmp_path / "source", family)
    there = convert_checkpoint(source, tmp_path / "there", shard_bytes=20_000)
    back = convert_checkpoint(tmp_path / "there", tmp_path / "back")
    assert len(list((tmp_path / "there").glob("model-*.safetensors"))) > 2
    assert (tmp_path / "back" / "model.safetensors").is_file()
    assert there.source_layout == there.layout == back.layout
    for folder in (tmp_path / "there", tmp_path / "back"):
        assert_same_bits(tensors_of(folder), tensors_of(source))
        assert_manifest_holds(folder)
        for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
            assert (folder / name).read_bytes() == (source / name).read_bytes()
        assert json.loads((folder / "config.json").read_text()) == json.loads((source / "config.json").read_text())
    # Alignment in memory moves last bits.
    torch.testing.assert_close(scores(tmp_path / "there"), scores(tmp_path / "back"), rtol=0.0, atol=2e-5)


def test_diffusion_gemma_there_and_back_changes_no_bit(tmp_path: Path) -> None:
    write_tiny_diffusion_gemma(tmp_path / "source")
    convert_checkpoint(tmp_path / "source", tmp_path / "there", shard_bytes=20_000)
    convert_checkpoint(tmp_path / "there", tmp_path / "back", layout="diffusion_gemma")
    assert_same_bits(tensors_of(tmp_path / "back"), tensors_of(tmp_path / "source"))
    with pytest.raises(ConfigError, match="no other family computes"):
        convert_checkpoint(tmp_path / "source", tmp_path / "x", layout="llada")


def test_another_name_for_what_computes_the_same(tmp_path: Path) -> None:
    source = write_tiny(tmp_path / "source", "open_dcoder")
    assert convert_checkpoint(source, tmp_path / "dream", layout="dream").source_layout == "qwen2"
    convert_checkpoint(tmp_path / "dream", tmp_path / "back", layout="qwen2")
    config = json.loads((tmp_path / "dream" / "config.json").read_text())
    assert config["architectures"] == ["DreamModel"]
    torch.testing.assert_close(scores(tmp_path / "dream"), scores(source), rtol=0.0, atol=2e-5)
    assert_same_bits(tensors_of(tmp_path / "back"), tensors_of(source))


def test_types_change_and_the_configuration_says_so(tmp_path: Path) -> None:
    source = write_tiny(tmp_path / "source", "llada2_moe")
    made = convert_checkpoint(source, tmp_path / "small", dtype=torch.bfloat16)
    assert made.dtypes == ["BF16", "F32"]
    small, old = tensors_of(tmp_path / "small"), tensors_of(source)
    for name, tensor in small.items():
        kept = name.endswith("expert_bias")
        assert tensor.dtype == (torch.float32 if kept else torch.bfloat16)
        assert torch.equal(tensor, old[name] if kept else old[name].bfloat16())
    assert json.loads((tmp_path / "small" / "config.json").read_text())["torch_dtype"] == "bfloat16"
    convert_checkpoint(tmp_path / "small", tmp_path / "wide", dtype=torch.float32)
    convert_checkpoint(tmp_path / "wide", tmp_path / "again", dtype=torch.bfloat16)
    assert_same_bits(tensors_of(tmp_path / "again"), small)


@pytest.mark.parametrize(
    ("family", "layout", "message"),
    [
        ("llada", "sdar", "full attention, not block attention"),
        ("sdar", "fast_dllm_v2", "unshifted outputs, not shifted outputs"),
        ("dream", "llada", "shifted outputs, not unshifted outputs"),
        ("sdar", "sdar_moe", "sdar_moe can't hold this model"),
        ("sdar_moe", "llada2_moe", "llada2_moe can't hold this model"),
        ("llada", "llada_moe", "llada_moe can't hold this model"),
        ("sdar", "redraft", "RMSNorm without weights"),
        ("sdar", "diffusion_gemma", "masked noise, not uniform noise"),
        ("sdar", "gguf", "unknown; use one of llada,"),
    ],
)
def test_a_layout_that_computes_something_else_is_refused(
    family: str, layout: str, message: str, tmp_path: Path
) -> None:
    source = write_tiny(tmp_path / "source", family)
    with pytest.raises(ConfigError, match=message):
        convert_checkpoint(source, tmp_path / "target", layout=layout)
    assert not (tmp_path / "target").exists()


def test_ours_is_written_in_another_type_and_no_public_layout(tiny_checkpoint: Path, tmp_path: Path) -> None:
    convert_checkpoint(tiny_checkpoint, tmp_path / "copy")
    assert_same_bits(tensors_of(tmp_path / "copy"), tensors_of(tiny_checkpoint))
    made = convert_checkpoint(tiny_checkpoint, tmp_path / "half", dtype=torch.bfloat16)
    assert (made.layout, made.dtypes) == ("redraft", ["bfloat16"])
    convert_checkpoint(tmp_path / "half", tmp_path / "again", layout="redraft")
    assert_same_bits(tensors_of(tmp_path / "again"), tensors_of(tmp_path / "half"))
    assert load_checkpoint(tmp_path / "again").tokenizer_json == load_checkpoint(tiny_checkpoint).tokenizer_json
    for layout in ("llada", "sdar"):
        with pytest.raises(ConfigError, match="squared ReLU"):
            convert_checkpoint(tiny_checkpoint, tmp_path / "x", layout=layout)
    with pytest.raises(ConfigError, match="is one file"):
        convert_checkpoint(tiny_checkpoint, tmp_path / "x", shard_bytes=5000)


def test_nothing_is_ever_overwritten(tmp_path: Path, tiny_checkpoint: Path) -> None:
    source = write_tiny(tmp_path / "source", "sdar")
    (tmp_path / "taken").mkdir()
    convert_checkpoint(source, tmp_path / "taken")  # an empty folder is free
    before = sorted((path.name, path.stat().st_mtime_ns) for path in (tmp_path / "taken").iterdir())
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for model in (source, tiny_checkpoint):
        for name in ("taken", "file", "link", "source"):
            with pytest.raises(ConfigError, match="nothing is overwritten"):
                convert_checkpoint(model, tmp_path / name)
    assert sorted((path.name, path.stat().st_mtime_ns) for path in (tmp_path / "taken").iterdir()) == before


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    source = write_tiny(tmp_path / "source", "sdar")
    weights = load_file(source / "model.safetensors")
    weights["model.norm.weight"][0] = torch.nan
    save_file(weights, source / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"model\.norm\.weight is not finite"):
        convert_checkpoint(source, tmp_path / "target")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
    weights["model.norm.weight"][0] = 1e6
    save_file(weights, source / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"is not finite as torch\.float16"):
        convert_checkpoint(source, tmp_path / "target", dtype=torch.float16)


@pytest.mark.parametrize("change", [{"hidden_size": 48}, {"num_hidden_layers": 1}, {"num_hidden_layers": 3}])
def test_weights_of_another_shape_are_refused(change: dict[str, Any], tmp_path: Path) -> None:
    source = write_tiny(tmp_path / "source", "sdar")
    config = json.loads((source / "config.json").read_text())
    (source / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(RedraftError, match=r"shape|no place|lacks"):
        convert_checkpoint(source, tmp_path / "target")


def test_code_stays_behind_and_licences_come_along(tmp_path: Path) -> None:
    source = write_tiny(tmp_path / "source", "dream")
    for name in ("modeling_dream.py", "pytorch_model.bin", "LICENSE", "README.md", ".secret.json", "merges.txt"):
        (source / name).write_text(name)
    made = convert_checkpoint(source, tmp_path / "target")
    assert {"LICENSE", "README.md", "merges.txt", "tokenizer.json"} <= set(made.carried)
    assert not {"modeling_dream.py", "pytorch_model.bin", ".secret.json"} & {
        path.name for path in (tmp_path / "target").iterdir()
    }


@pytest.mark.slow
def test_memory_stays_below_the_size_of_the_model(tmp_path: Path) -> None:
    """Sixty weights of 4 MB: 240 MB go through a few."""
    source = write_tiny(tmp_path / "source", "sdar")
    config = json.loads((source / "config.json").read_text())
    config |= {"num_hidden_layers": 20, "hidden_size": 256, "intermediate_size": 4096}
    (source / "config.json").write_text(json.dumps(config))
    spec = detect_family(config)
    shape = read_config(spec, config)
    names, shapes = published_names(spec, shape), parameter_shapes(shape)
    save_file({names[name]: torch.zeros(shapes[name]) for name in names}, source / "model.safetensors")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    convert_checkpoint(source, tmp_path / "target", dtype=torch.bfloat16, shard_bytes=50_000_000)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 80_000_000
