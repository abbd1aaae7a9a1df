"""A checkpoint comes back exactly, or not at all and with one clear sentence."""

import contextlib
import hashlib
import json
import math
import os
import random
import shutil
import struct
from pathlib import Path

import pytest
import safetensors.torch
import torch

from redraft.denoiser.checkpoint import load_checkpoint, parameter_shapes, save_checkpoint
from redraft.denoiser.config import TransformerConfig
from redraft.denoiser.manifest import MANIFEST_NAME, write_folder
from redraft.denoiser.transformer import Transformer
from redraft.errors import CheckpointError, ConfigError

FILES = ("model.safetensors", "config.json", "tokenizer.json", "README.md", "manifest.json")


def make_model(**changes) -> Transformer:
    settings = {"vocab_size": 24, "width": 16, "num_heads": 2, "num_prelude_layers": 1, "canvas_length": 8}
    model = Transformer(TransformerConfig(**{**settings, **changes}))
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn(weight.shape, generator=rng) * 0.1)
    return model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_checkpoint(
        tmp_path / "m", model=make_model(), tokenizer_json='{"a": "é"}', card="# Card", extra_config={"n": 1}
    )
    return tmp_path / "m"


def forge(folder: Path, **files: bytes) -> None:
    """Replace files and write a manifest that agrees with them: what someone who can write the folder can do."""
    names = {"weights": "model.safetensors", "config": "config.json", "tokenizer": "tokenizer.json"}
    contents = {name: (folder / name).read_bytes() for name in FILES if name != MANIFEST_NAME}
    contents |= {names[key]: content for key, content in files.items()}
    write_folder(folder, contents)


def pack(header: object, data: bytes = b"") -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


def split(folder: Path) -> tuple[dict, bytes]:
    raw = (folder / "model.safetensors").read_bytes()
    (length,) = struct.unpack_from("<Q", raw)
    return json.loads(raw[8 : 8 + length]), raw[8 + length :]


def refused(folder: Path, *words: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(folder)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"num_loop_layers": 2, "num_loops": 3, "num_coda_layers": 1},
        {"uses_self_conditioning": True, "digit_token_ids": tuple(range(10)), "num_place_values": 3},
        {"is_causal": True, "mlp_multiple": 2},
    ],
)
def test_round_trip_is_exact_and_shapes_are_predicted(tmp_path: Path, changes: dict) -> None:
    model = make_model(**changes)
    digest = save_checkpoint(tmp_path / "m", model=model, tokenizer_json="{}", card="c")
    loaded = load_checkpoint(tmp_path / "m")
    assert loaded.digest == digest == hashlib.sha256((tmp_path / "m" / MANIFEST_NAME).read_bytes()).hexdigest()
    assert loaded.model.config == model.config
    assert not loaded.model.training
    state = loaded.model.state_dict()
    assert {name: tuple(weight.shape) for name, weight in state.items()} == parameter_shapes(model.config)
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, state[name])
        assert not state[name].requires_grad
    canvas = torch.zeros(1, 4, dtype=torch.long)
    assert torch.equal(model.denoise(canvas), loaded.model.denoise(canvas))


def test_text_and_extra_come_back(folder: Path) -> None:
    loaded = load_checkpoint(folder)
    assert loaded.tokenizer_json == '{"a": "é"}'
    assert loaded.extra == {"n": 1}
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert [path.name for path in folder.parent.iterdir()] == ["m"]


def test_the_safetensors_library_reads_the_same_weights(folder: Path) -> None:
    theirs = safetensors.torch.load_file(folder / "model.safetensors")
    ours = load_checkpoint(folder).model.state_dict()
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(theirs[name], ours[name]) for name in ours)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_on_disk_is_float32_in_memory(tmp_path: Path, dtype: torch.dtype) -> None:
    model = make_model()
    save_checkpoint(tmp_path / "m", model=model, tokenizer_json="{}", card="", dtype=dtype)
    loaded = load_checkpoint(tmp_path / "m")
    for name, weight in model.state_dict().items():
        assert loaded.model.state_dict()[name].dtype == torch.float32
        assert torch.equal(loaded.model.state_dict()[name], weight.to(dtype).float())
    assert load_checkpoint(tmp_path / "m", dtype=dtype).model.head.weight.dtype == dtype
    assert model.head.weight.dtype == torch.float32


def test_equal_models_give_equal_bytes(tmp_path: Path) -> None:
    digests = {save_checkpoint(tmp_path / n, model=make_model(), tokenizer_json="{}", card="") for n in ("a", "b")}
    assert len(digests) == 1


def test_replacing_keeps_nothing_of_the_old_one(folder: Path) -> None:
    (folder / "stray").write_text("left by hand")
    save_checkpoint(folder, model=make_model(width=32), tokenizer_json="{}", card="new")
    assert load_checkpoint(folder).model.config.width == 32
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.txt").write_text("years of work")
    with pytest.raises(CheckpointError, match="no checkpoint folder"):
        save_checkpoint(tmp_path / "thesis", model=make_model(), tokenizer_json="{}", card="")
    assert (tmp_path / "thesis" / "chapter1.txt").read_text() == "years of work"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e30])
def test_weights_that_are_not_finite_are_not_written(tmp_path: Path, bad: float) -> None:
    model = make_model()
    with torch.no_grad():
        model.head.weight[0, 0] = bad
    with pytest.raises(CheckpointError, match="not finite"):
        save_checkpoint(tmp_path / "m", model=model, tokenizer_json="{}", card="", dtype=torch.float16)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FILES)
def test_any_flipped_bit_is_noticed(folder: Path, name: str) -> None:
    whole = (folder / name).read_bytes()
    rng = random.Random(name)
    for _ in range(25):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        (folder / name).write_bytes(damaged)
        # In the manifest itself a flip may be one of white space: then the folder is still whole, under another digest.
        if name == MANIFEST_NAME and _same_entries(bytes(damaged), whole):
            continue
        refused(folder)


def _same_entries(first: bytes, second: bytes) -> bool:
    try:
        return json.loads(first) == json.loads(second)
    except ValueError:
        return False


@pytest.mark.parametrize("name", FILES)
def test_truncated_empty_grown_or_missing_files_are_refused(folder: Path, name: str) -> None:
    whole = (folder / name).read_bytes()
    for content in (b"", whole[: len(whole) // 2], whole[:-1], whole + b"x", b"\0" * len(whole)):
        (folder / name).write_bytes(content)
        if content != whole[:-1] or name != MANIFEST_NAME:  # the manifest's last byte is a line feed
            refused(folder, name)
    (folder / name).unlink()
    refused(folder, name, "missing")


def test_missing_folder_and_foreign_folders(tmp_path: Path) -> None:
    refused(tmp_path / "none", "no checkpoint folder")
    refused(tmp_path, "manifest.json", "missing")
    (tmp_path / "file").write_text("x")
    refused(tmp_path / "file", "no checkpoint folder")


@pytest.mark.parametrize(
    "manifest",
    [
        b"[]",
        b"{}",
        b'{"format": "redraft-manifest", "version": 2, "files": {}}',
        b'{"format": "redraft-manifest", "version": 1}',
        b'{"format": "redraft-manifest", "version": 1, "files": {}}',
        b'{"format": "redraft-manifest", "version": 1, "files": {"model.safetensors": 3}}',
        b'{"format": "redraft-manifest", "version": 1, "files": {"a": {"bytes": -1, "sha256": "' + b"0" * 64 + b'"}}}',
        b'{"format": "redraft-manifest", "version": 1, "files": {"a": {"bytes": true, "sha256": "'
        + b"0" * 64
        + b'"}}}',
        b'{"format": "a", "format": "redraft-manifest", "version": 1, "files": {}}',
        b'{"format": NaN}',
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b'{"version": ' + b"9" * 60_000 + b"}",
        b"\xff\xfe",
        b" " * 70_000,
    ],
)
def test_malformed_manifests(folder: Path, manifest: bytes) -> None:
    (folder / MANIFEST_NAME).write_bytes(manifest)
    refused(folder, "manifest.json")


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "a/b", "..", "model.safetensors\0", "extra.bin"])
def test_the_manifest_names_no_path(folder: Path, name: str) -> None:
    manifest = json.loads((folder / MANIFEST_NAME).read_bytes())
    manifest["files"][name] = {"bytes": 1, "sha256": "0" * 64}
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest))
    refused(folder, "a checkpoint has exactly")


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links and FIFOs")
def test_links_are_followed_but_checked_and_fifos_do_not_hang(folder: Path, tmp_path: Path) -> None:
    shutil.move(folder / "README.md", tmp_path / "card")
    (folder / "README.md").symlink_to(tmp_path / "card")
    load_checkpoint(folder)
    (tmp_path / "card").write_text("# Cars")
    refused(folder, "SHA-256")
    (folder / "README.md").unlink()
    (folder / "README.md").symlink_to("/dev/zero")
    refused(folder, "no regular file")
    (folder / "README.md").unlink()
    os.mkfifo(folder / "README.md")
    refused(folder, "no regular file")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (b"{}", "redraft-transformer"),
        (b'{"format": "redraft-transformer", "version": 1}', "needs the objects"),
        (b'{"format": "redraft-transformer", "version": 1, "extra": {}, "transformer": []}', "needs the objects"),
        (b'{"format": "redraft-transformer", "version": 1, "extra": {}, "transformer": {"widht": 3}}', "width"),
        (b'{"format": "redraft-transformer", "version": 1, "extra": {}, "transformer": {"width": 3}}', "incomplete"),
        (b'{"architectures": ["LlamaForCausalLM"]}', "another program"),
    ],
)
def test_foreign_configurations(folder: Path, config: bytes, words: str) -> None:
    forge(folder, config=config)
    refused(folder, "config.json", words)


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("width", 1 << 40, "absurd"),
        ("vocab_size", 10**30, "absurd"),
        ("num_prelude_layers", 10**9, "absurd"),
        ("num_loops", 10**9, "absurd"),
        ("canvas_length", 10**9, "absurd"),
        ("width", 32, "shape"),
        ("vocab_size", 25, "shape"),
        ("num_prelude_layers", 2, "lacks"),
        ("num_prelude_layers", 1000, "lacks"),
        ("num_heads", 3, "heads"),
        ("width", "16", "type"),
        ("is_causal", 1, "type"),
        ("uses_self_conditioning", True, "lacks"),
        ("rope_base", 0.0, "rope_base"),
        ("rope_base", -1.0, "rope_base"),
        ("rope_base", float("1e999"), "not valid JSON"),
        ("rope_base", 10**400, "absurd"),
    ],
)
def test_a_configuration_that_does_not_fit(folder: Path, setting: str, value: object, words: str) -> None:
    config = json.loads((folder / "config.json").read_bytes())
    config["transformer"][setting] = value
    with contextlib.suppress(ConfigError):
        shapes = parameter_shapes(TransformerConfig.from_dict(config["transformer"])) if words != "absurd" else {}
        config["num_parameters"] = sum(math.prod(shape) for shape in shapes.values())
    forge(folder, config=json.dumps(config).encode())
    refused(folder, words)


def test_the_count_of_parameters_is_true(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_bytes())
    assert config["num_parameters"] == sum(weight.numel() for weight in load_checkpoint(folder).model.parameters())
    forge(folder, config=json.dumps(config | {"num_parameters": 7}).encode())
    refused(folder, "num_parameters")


def test_tokenizer_text_must_be_utf8(folder: Path) -> None:
    forge(folder, tokenizer=b"\xff")
    refused(folder, "tokenizer.json", "UTF-8")


def test_absurd_headers(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    for weights in (
        b"",
        b"1234567",
        b"\xff" * 8 + whole[8:],
        struct.pack("<Q", 1 << 22) + whole[8:],
        pack([]),
        pack({}),
    ):
        forge(folder, weights=weights)
        refused(folder, "model.safetensors")
    for header in (b"[" * 100_000, b'{"a":' * 50_000, b"not json", b'{"head.weight": 1, "head.weight": 2}'):
        forge(folder, weights=pack(header))
        refused(folder, "not valid JSON")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dtype": "F64"}, "F64"),
        ({"dtype": ["F32"]}, "type"),
        ({"shape": [16, 24]}, "shape"),
        ({"shape": [1 << 40, 1 << 40]}, "shape"),
        ({"shape": None}, "shape"),
        ({"data_offsets": [0, 10**30]}, "offsets"),
        ({"data_offsets": [-1536, 0]}, "offsets"),
        ({"data_offsets": [0]}, "offsets"),
        ({"data_offsets": [0.0, 1536.0]}, "offsets"),
        ({"data_offsets": [0, 1536]}, "overlap"),
        ({"extra": 1}, "malformed"),
    ],
)
def test_malformed_tensor_entries(folder: Path, change: dict, words: str) -> None:
    header, data = split(folder)
    header["head.weight"] |= change
    forge(folder, weights=pack(header, data))
    refused(folder, "model.safetensors", words)


def test_extra_missing_and_renamed_tensors(folder: Path) -> None:
    header, data = split(folder)
    forge(folder, weights=pack({**header, "evil": header["head.weight"]}, data))
    refused(folder, "unknown tensor 'evil'")
    renamed = {("head.bias" if name == "head.weight" else name): entry for name, entry in header.items()}
    forge(folder, weights=pack(renamed, data))
    refused(folder, "lacks 'head.weight'")
    forge(folder, weights=pack(header, data + b"\0\0\0\0"))
    refused(folder, "gaps")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite_are_not_loaded(folder: Path, bad: float) -> None:
    header, data = split(folder)
    begin = header["head.weight"]["data_offsets"][0]
    forge(folder, weights=pack(header, data[:begin] + struct.pack("<f", bad) + data[begin + 4 :]))
    refused(folder, "head.weight", "NaN or infinity")


def test_a_write_that_fails_leaves_the_old_checkpoint(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    stop_at, calls = 0, 0
    real = os.fsync

    def failing(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == stop_at:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    for call in range(1, 7):
        stop_at, calls = call, 0
        with pytest.raises(CheckpointError, match="No space left"):
            save_checkpoint(folder, model=make_model(width=32), tokenizer_json="{}", card="new")
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_replacing_without_an_atomic_swap(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redraft.denoiser.manifest._exchange", lambda first, second: False)
    save_checkpoint(folder, model=make_model(width=32), tokenizer_json="{}", card="new")
    assert load_checkpoint(folder).model.config.width == 32
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
