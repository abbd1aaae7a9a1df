"""Published folders: whole ones give their weights, everything else is one clear error and costs nothing."""

import json
import os
import struct
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save, save_file
from torch import Tensor

from redraft.denoiser.published import Published, load_weights, memory_needed, open_published
from redraft.denoiser.shards import INDEX_NAME, SINGLE_NAME, read_header
from redraft.errors import CheckpointError, ConfigError

CONFIG = {"architectures": ["SDARForCausalLM"], "hidden_size": 8}
SHARDS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]


def tensors(dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(0)
    shapes = {"embed.weight": (10, 8), "layers.0.w": (8, 8), "layers.1.w": (8, 8), "norm.weight": (8,)}
    return {name: torch.randn(shape, generator=rng).to(dtype) for name, shape in shapes.items()}


def write_single(folder: Path, weights: dict[str, Tensor] | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    save_file(weights or tensors(), folder / SINGLE_NAME)
    return folder


def write_shards(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    everything = tensors()
    weight_map = {name: SHARDS[i >= 2] for i, name in enumerate(everything)}
    for shard in SHARDS:
        save_file({n: t for n, t in everything.items() if weight_map[n] == shard}, folder / shard)
    write_index(folder, weight_map)
    return folder


def write_index(folder: Path, weight_map: Any, **more: Any) -> None:
    index = {"metadata": {"total_size": 864}, "weight_map": weight_map, **more}
    (folder / INDEX_NAME).write_text(json.dumps(index))


def index_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / INDEX_NAME).read_text())["weight_map"]


def pack(header: Any, data: bytes = b"", padding: int = 0) -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    raw += b" " * padding
    return struct.pack("<Q", len(raw)) + raw + data


def refused(folder: Path, *words: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        open_published(folder)
    message = str(caught.value)
    assert [word for word in words if word not in message] == [], message
    assert "\n" not in message
    assert len(message) < 600


@pytest.fixture
def single(tmp_path: Path) -> Path:
    return write_single(tmp_path / "single")


@pytest.fixture
def sharded(tmp_path: Path) -> Path:
    return write_shards(tmp_path / "sharded")


# -- whole folders ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [write_single, write_shards])
def test_every_weight_comes_back(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    published = open_published(write(tmp_path / "m"))
    wanted = tensors()
    weights = published.weights()
    assert set(weights) == set(wanted)
    assert all(bool((weights[name] == wanted[name]).all()) for name in wanted)
    assert published.num_parameters == sum(tensor.numel() for tensor in wanted.values())
    assert published.size_bytes == 4 * published.num_parameters
    assert published.num_files == (1 if write is write_single else 2)
    assert published.dtype_names == ("F32",)
    assert published.config == CONFIG
    assert (published.generation_config, published.tokenizer_config) == ({}, {})


@pytest.mark.parametrize("stored", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("wanted", [torch.float32, torch.bfloat16, torch.float16, None])
def test_types(tmp_path: Path, stored: torch.dtype, wanted: torch.dtype | None) -> None:
    folder = write_single(tmp_path / "m", tensors(stored))
    weights = open_published(folder).weights(wanted)
    for name, tensor in tensors(stored).items():
        assert weights[name].dtype == (wanted or stored)
        assert bool((weights[name] == tensor.to(wanted or stored)).all())


def test_other_types_are_refused_only_where_a_weight_is_wanted(tmp_path: Path) -> None:
    weights = {**tensors(), "positions": torch.arange(5), "layers.0.w": torch.zeros(8, 8, dtype=torch.int8)}
    folder = write_single(tmp_path / "m", weights)
    published = open_published(folder)
    assert set(published.dtype_names) == {"F32", "I64", "I8"}
    with pytest.raises(CheckpointError, match="stored as I8"):
        published.weights()["layers.0.w"]
    with pytest.raises(CheckpointError, match="stored as I8"):
        published.weights().require({"layers.0.w": (8, 8)})
    with pytest.raises(ConfigError, match="float16"):
        published.weights(torch.float64)


def test_weights_under_the_model_s_own_names(sharded: Path) -> None:
    names = {"a": "embed.weight", "b": "norm.weight"}
    loaded = load_weights(sharded, shapes={"a": (10, 8), "b": (8,)}, names=names, dtype=torch.bfloat16)
    assert list(loaded) == ["a", "b"]
    assert loaded["a"].dtype == torch.bfloat16
    for shapes, given, words in (
        ({"a": (8, 10), "b": (8,)}, names, "asks for"),
        ({"a": (10, 8)}, {"a": "nothing"}, "lacks the weight nothing"),
        ({"a": (1 << 40, 1 << 40)}, names, "shape"),
    ):
        with pytest.raises(CheckpointError, match=words):
            load_weights(sharded, shapes=shapes, names=given)


def test_memory_needed(sharded: Path) -> None:
    assert memory_needed(sharded) == 4 * (80 + 64 + 64 + 8)
    assert memory_needed(sharded, torch.bfloat16) == 2 * (80 + 64 + 64 + 8)
    assert memory_needed(sharded, torch.int8) == 4 * 80 + 2 * (64 + 4 * 8) + 4 * 8


def test_odd_offsets_and_mapped_weights_are_private(tmp_path: Path) -> None:
    folder = write_single(tmp_path / "m")
    value = struct.pack("<4f", 1.0, 2.0, 3.0, 4.0)
    header = {"w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}
    for padding in range(5):
        (folder / SINGLE_NAME).write_bytes(pack(header, value, padding))
        weight = open_published(folder).weights()["w"]
        assert weight.tolist() == [[1.0, 2.0], [3.0, 4.0]]
        assert weight.data_ptr() % 4 == 0
        weight.zero_()
        assert open_published(folder).weights()["w"].tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_small_files_are_read_if_they_are_there(single: Path) -> None:
    (single / "generation_config.json").write_text('{"eos_token_id": [1, 2]}')
    (single / "tokenizer_config.json").write_text('{"model_max_length": 1000000000000000019884624838656}')
    published = open_published(single)
    assert published.generation_config == {"eos_token_id": [1, 2]}
    assert "model_max_length" in published.tokenizer_config


# -- folders that are not whole, or not honest ------------------------------------------------------------------------


def test_missing_folders_and_files(tmp_path: Path, sharded: Path) -> None:
    refused(tmp_path / "none", "no checkpoint folder")
    refused(Path("bad\0name"), "no checkpoint folder")
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(empty, "config.json", "missing")
    (empty / "config.json").write_text("{}")
    refused(empty, "holds no weights")
    (empty / "pytorch_model.bin").write_bytes(b"\x80\x04K\x01.")
    refused(empty, "pytorch_model.bin", "never opened")
    (empty / SHARDS[0]).write_bytes(b"")
    refused(empty, SHARDS[0], INDEX_NAME)
    (sharded / SHARDS[1]).unlink()
    refused(sharded, "lacks 1 of the 2", SHARDS[1])


def test_a_shard_that_is_not_listed(sharded: Path) -> None:
    save_file({"x": torch.zeros(1)}, sharded / "model-00003-of-00003.safetensors")
    refused(sharded, "model-00003-of-00003.safetensors", "does not list")


def test_both_layouts_at_once(sharded: Path) -> None:
    save_file(tensors(), sharded / SINGLE_NAME)
    refused(sharded, "both")


def test_shards_and_index_must_agree(sharded: Path) -> None:
    whole = index_of(sharded)
    write_index(sharded, {**whole, "ghost": SHARDS[0]})
    refused(sharded, SHARDS[0], "lacks 'ghost'")
    write_index(sharded, {name: file for name, file in whole.items() if name != "norm.weight"})
    refused(sharded, SHARDS[1], "holds 'norm.weight'")
    write_index(sharded, {**whole, "norm.weight": SHARDS[0]})
    refused(sharded, "do they belong together")


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd.safetensors",
        "../outside.safetensors",
        "a/b.safetensors",
        "..\\outside.safetensors",
        "C:\\x.safetensors",
        "x\0.safetensors",
        "\0",
        "~root.safetensors",
        ".hidden.safetensors",
        "x\n.safetensors",
        "x" * 300 + ".safetensors",
        "model.bin",
        "config.json",
        "model.py",
        "",
        7,
        None,
        ["a"],
        {"a": 1},
        True,
    ],
)
def test_the_index_names_no_path(sharded: Path, tmp_path: Path, name: object) -> None:
    save_file(tensors(), tmp_path / "outside.safetensors")
    write_index(sharded, {**index_of(sharded), "norm.weight": name})
    with pytest.raises(CheckpointError, match=r"plain file name|\.safetensors files only|file name belongs"):
        open_published(sharded)


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links and FIFOs")
def test_links_out_and_odd_files(sharded: Path, tmp_path: Path) -> None:
    (sharded / SHARDS[1]).rename(tmp_path / "elsewhere.safetensors")
    (sharded / SHARDS[1]).symlink_to(tmp_path / "elsewhere.safetensors")
    refused(sharded, "leads out")
    (sharded / SHARDS[1]).unlink()
    os.mkfifo(sharded / SHARDS[1])
    refused(sharded, "no regular file")
    (sharded / SHARDS[1]).unlink()
    (sharded / SHARDS[1]).mkdir()
    refused(sharded, SHARDS[1])
    (sharded / "config.json").unlink()
    (sharded / "config.json").symlink_to("/etc/hostname")
    refused(sharded, "leads out")


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (b"", "not valid JSON"),
        (b"[]", "object"),
        (b"{}", "weight_map"),
        (b'{"weight_map": {}}', "weight_map"),
        (b'{"weight_map": [1]}', "weight_map"),
        (b'{"weight_map": {"a": "x.safetensors", "a": "y.safetensors"}}', "twice"),
        (b'{"weight_map": ' * 10_000, "deep"),
        (b" " * (9 << 20), "at most"),
        (json.dumps({"weight_map": {f"t{i}": f"s{i}.safetensors" for i in range(2000)}}).encode(), "2000 files"),
    ],
)
def test_malformed_indexes(sharded: Path, index: bytes, words: str) -> None:
    (sharded / INDEX_NAME).write_bytes(index)
    refused(sharded, words)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (b"", "not valid JSON"),
        (b"[]", "object"),
        (b"\xff", "not valid JSON"),
        (b'{"hidden_size": 8, "hidden_size": 9}', "twice"),
        (b'{"hidden_size": NaN}', "NaN"),
        (b'{"hidden_size": 1' + b"0" * 30 + b"}", "absurd"),
        (b'{"a": {"b": [1e300]}}', "absurd"),
        (b'{"a": 1e999}', "absurd"),
        (b'{"a": ' + b"9" * 100_000 + b"}", "not valid JSON"),
        (b'{"a":' * 100_000, "deep"),
        (b'{"a": ' + b"[" * 80 + b"]" * 80 + b"}", "deep"),
        (b'{"a": "' + b"x" * (1 << 20) + b'"}', "at most"),
    ],
)
@pytest.mark.parametrize("name", ["config.json", "generation_config.json"])
def test_malformed_configurations(single: Path, name: str, config: bytes, words: str) -> None:
    (single / name).write_bytes(config)
    refused(single, name, words)


def entry(**change: Any) -> dict[str, Any]:
    return {"w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16], **change}}


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (b"[" * 100_000, "deep"),
        (b"not json", "not valid JSON"),
        ([], "object"),
        ({}, "no tensors"),
        ({"__metadata__": {}}, "no tensors"),
        ({"w": 1}, "malformed"),
        ({"w": {"dtype": "F32", "shape": [2, 2]}}, "malformed"),
        (entry(extra=1), "malformed"),
        ({"": entry()["w"]}, "name"),
        ({"a\0b": entry()["w"]}, "name"),
        ({"x" * 400: entry()["w"]}, "name"),
        (entry(dtype="F4"), "unknown type"),
        (entry(dtype=["F32"]), "unknown type"),
        (entry(dtype="F64"), "do not fit"),
        (entry(shape=None), "shape"),
        (entry(shape=[-2, -2]), "shape"),
        (entry(shape=[0, 1 << 62]), "shape"),
        (entry(shape=[1 << 40, 1 << 40]), "do not fit"),
        (entry(shape=[1 << 63, 2]), "shape"),
        (entry(shape=[10**400]), "shape"),
        (entry(shape=[True, 4]), "shape"),
        (entry(shape=[2.0, 2.0]), "shape"),
        (entry(shape=[1] * 9), "shape"),
        (entry(shape=[4], data_offsets=[0, 15]), "do not fit"),
        (entry(data_offsets=[16, 0]), "do not fit"),
        (entry(data_offsets=[-16, 0]), "do not fit"),
        (entry(data_offsets=[1 << 63, (1 << 63) + 16]), "offsets"),
        (entry(data_offsets=[(1 << 63) - 17, (1 << 63) - 1]), "gaps"),
        (entry(data_offsets=[16, 32]), "gaps"),
        (entry(data_offsets=[0.0, 16.0]), "offsets"),
        (entry(data_offsets=[0]), "offsets"),
        ({"v": entry()["w"], **entry()}, "overlap"),
        ({**entry(), "v": entry(data_offsets=[8, 24])["w"]}, "overlap"),
        ({**entry(), "v": entry(data_offsets=[16, 32])["w"]}, "describes"),
    ],
)
def test_malformed_headers(single: Path, header: Any, words: str) -> None:
    (single / SINGLE_NAME).write_bytes(pack(header, b"\0" * 16))
    refused(single, SINGLE_NAME, words)


def test_truncated_and_overlong_files(single: Path) -> None:
    whole = (single / SINGLE_NAME).read_bytes()
    for content in (b"", whole[:4], whole[:40], whole[:-1], whole + b"\0", b"\xff" * 8 + whole[8:], b"PK\x03\x04" * 99):
        (single / SINGLE_NAME).write_bytes(content)
        refused(single, SINGLE_NAME)
    (single / SINGLE_NAME).write_bytes(struct.pack("<Q", 8 << 20) + whole)
    refused(single, "header")


def test_a_repeated_tensor_is_refused(single: Path) -> None:
    body = json.dumps(entry()["w"]).encode()
    (single / SINGLE_NAME).write_bytes(pack(b'{"w": ' + body + b', "w": ' + body + b"}", b"\0" * 16))
    refused(single, "twice")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite(tmp_path: Path, bad: float) -> None:
    weights = tensors()
    weights["layers.0.w"][3, 3] = bad
    folder = write_single(tmp_path / "m", weights)
    with pytest.raises(CheckpointError, match=r"layers\.0\.w is not finite"):
        open_published(folder).weights()["layers.0.w"]


def test_a_type_that_can_not_hold_a_weight(tmp_path: Path) -> None:
    folder = write_single(tmp_path / "m", {"w": torch.full((2, 2), 1e6)})
    with pytest.raises(CheckpointError, match=r"not finite as torch\.float16"):
        open_published(folder).weights(torch.float16)["w"]


def test_a_file_that_shrinks_in_between(single: Path) -> None:
    published = open_published(single)
    os.truncate(single / SINGLE_NAME, 600)
    with pytest.raises(CheckpointError, match="shorter"):
        list(published.weights().values())
    (single / SINGLE_NAME).unlink()
    with pytest.raises(CheckpointError, match="can't map"):
        list(published.weights().values())


def test_bytes_at_random_never_do_more_than_refuse(single: Path) -> None:
    whole = save(tensors())
    rng = torch.Generator().manual_seed(0)
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(3):
            place = int(torch.randint(0, 400, (), generator=rng))
            damaged[place] = int(torch.randint(0, 256, (), generator=rng))
        (single / SINGLE_NAME).write_bytes(damaged)
        try:
            published = open_published(single)
            for tensor in published.tensors.values():
                assert tensor.begin + tensor.num_bytes <= len(damaged)
            list(published.weights().values())
        except CheckpointError:
            pass


# -- memory -----------------------------------------------------------------------------------------------------------


def bounded(program: str, *arguments: str, mebibytes: int = 300) -> str:
    """Run a program that may take this much more memory than it has after importing torch and the package."""
    prologue = f"""
        import resource, sys
        from pathlib import Path
        import torch
        from redraft.denoiser.published import open_published
        from redraft.denoiser.shards import read_header
        from redraft.errors import CheckpointError
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + ({mebibytes} << 20),) * 2)
    """
    code = textwrap.dedent(prologue) + textwrap.dedent(program)
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_hostile_files_cost_little_memory(tmp_path: Path) -> None:
    kinds = {
        "many": b'{"a":[' + b"{}," * 2_700_000 + b"{}]}",
        "lists": b'{"a":[' + b"[]," * 2_700_000 + b"[]]}",
        "pairs": b"{" + b",".join(b'"%x":0' % i for i in range(700_000)) + b"}",
        "deep": b'{"a":' * 1_500_000,
        "digits": b'{"a":' + b"9" * (8 << 20),
        "tensors": json.dumps(
            {f"{i:x}": {"dtype": "F32", "shape": [], "data_offsets": [4 * i, 4 * i + 4]} for i in range(110_000)}
        ).encode(),
    }
    for name, raw in kinds.items():
        (tmp_path / name).write_bytes(pack(raw[: 8 << 20]))
    # A terabyte that takes no room on the disk, honestly described.
    header = pack({"w": {"dtype": "F32", "shape": [1 << 19, 1 << 19], "data_offsets": [0, 1 << 40]}})
    folder = write_single(tmp_path / "sparse")
    (folder / SINGLE_NAME).write_bytes(header)
    os.truncate(folder / SINGLE_NAME, len(header) + (1 << 40))
    program = """
        for path in sys.argv[2:]:
            try:
                read_header(Path(path))
            except CheckpointError as error:
                print("refused", str(error)[-60:])
        published = open_published(Path(sys.argv[1]))
        print(published.memory_needed(torch.bfloat16))
        try:
            published.weights().require({"w": (8, 8)})
        except CheckpointError:
            print("refused")
        try:
            published.weights()["w"]
        except CheckpointError:
            print("refused")
    """
    out = bounded(program, str(folder), *(str(tmp_path / name) for name in kinds))
    assert out.count("refused") == len(kinds) + 2
    assert str(1 << 39) in out


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_mapped_weights_take_no_memory_until_they_are_used(tmp_path: Path) -> None:
    folder = write_single(tmp_path / "m", {f"w{i}": torch.ones(1 << 22) for i in range(8)})
    program = """
        def dirty_kib():
            lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
            return int(next(line for line in lines if "Private_Dirty" in line).split()[1])

        weights = open_published(Path(sys.argv[1])).weights()
        kept = [weights[name] for name in weights]
        before = dirty_kib()
        kept[0].add_(1)
        print(before, dirty_kib() - before, sum(float(w.sum()) for w in kept))
    """
    # 128 MiB of weights, of which the one that is written to becomes private.
    before, more, total = map(float, bounded(program, str(folder), mebibytes=500).split())
    assert more < 40_000, (before, more)
    assert total == 9 * (1 << 22)
    assert isinstance(open_published(folder), Published)
    assert len(read_header(folder / SINGLE_NAME)) == 8
