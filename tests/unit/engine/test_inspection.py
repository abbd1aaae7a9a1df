"""``redraft models inspect``: family, size and memory from headers alone; anything odd is one clear error."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.parity.families.tiny import write_tiny

from redraft.denoiser import memory
from redraft.engine import inspect_model, load_engine
from redraft.errors import CheckpointError, ConfigError
from redraft.interfaces import cli

FAMILIES = ["llada", "llada_moe", "dream", "open_dcoder", "sdar", "sdar_moe", "llada2_moe", "fast_dllm_v2"]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_told(tmp_path: Path, family: str) -> None:
    write_tiny(tmp_path, family)
    found = inspect_model(f"{tmp_path}")
    assert found.family == {"open_dcoder": "dream", "sdar_moe": "sdar"}.get(family, family)
    assert found.is_fetched
    assert found.num_files == 1
    assert found.stored_as == ["F32"]
    assert found.has_chat_template
    assert found.context_length == 512
    assert found.mask_token_id is not None
    assert found.num_parameters is not None
    assert found.size_bytes == 4 * found.num_parameters
    assert found.memory_bytes["float32"] == found.size_bytes + found.size_bytes // 10
    assert found.memory_bytes["bfloat16"] == found.size_bytes // 2 + found.size_bytes // 20
    assert found.memory_bytes["int8"] < found.memory_bytes["float32"]
    assert found.fits["float32"]
    settings = load_engine(str(tmp_path)).settings()
    assert {name: getattr(settings, name) for name in found.rules} == found.rules


def test_our_own(tiny_checkpoint: Path) -> None:
    found = inspect_model(str(tiny_checkpoint))
    assert (found.family, found.attention, found.noise) == ("redraft", "segment", "masked")
    assert found.context_length == 256
    assert found.rules["family"] == "masked"


def test_lines_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tiny(tmp_path, "sdar")
    assert cli.main(["models", "inspect", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "sdar (masked noise, block attention, blocks of 4)" in text
    assert "fits           float32 yes" in text
    assert cli.main(["models", "inspect", str(tmp_path), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record == inspect_model(str(tmp_path)).to_dict() | {"available_bytes": record["available_bytes"]}


def test_a_model_that_does_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tiny(tmp_path, "llada")
    size = inspect_model(str(tmp_path)).size_bytes or 0
    monkeypatch.setattr("redraft.engine.inspection.available_memory", lambda: size)
    assert inspect_model(str(tmp_path)).fits == {"float32": False, "bfloat16": True, "int8": True}
    monkeypatch.setattr("redraft.engine.inspection.available_memory", lambda: None)
    assert inspect_model(str(tmp_path)).fits == {}


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"architectures": ["LlamaForCausalLM"], "model_type": "llama"}, ConfigError, "LlamaForCausalLM"),
        ({"architectures": None, "model_type": None}, ConfigError, "known"),
        ({"architectures": [["x"]], "model_type": "x"}, ConfigError, "known"),
        ({"architectures": ["x\x1b[2J" * 100], "model_type": "x"}, ConfigError, "known"),
        ({"block_size": 10**9}, ConfigError, "block_length"),
        ({"block_size": "4"}, ConfigError, "whole number"),
        ({"mask_token_id": -4}, ConfigError, "out of range"),
        ({"hidden_size": 10**30}, CheckpointError, "absurd"),
        ({"hidden_size": 1 << 50}, ConfigError, "width"),
        ({"num_hidden_layers": 10**9}, ConfigError, "num_layers"),
        ({"num_hidden_layers": 3}, CheckpointError, "lacks the weight"),
        ({"vocab_size": 1 << 20}, CheckpointError, "asks for"),
        ({"num_attention_heads": 0}, ConfigError, "num_heads"),
        ({"auto_map": {"AutoModel": "modeling_evil.Evil"}}, None, ""),
    ],
)
def test_odd_configurations(tmp_path: Path, change: dict[str, Any], kind: type[Exception] | None, words: str) -> None:
    write_tiny(tmp_path, "sdar")
    (tmp_path / "modeling_evil.py").write_text("raise SystemExit('ran')")
    config = json.loads((tmp_path / "config.json").read_text()) | change
    (tmp_path / "config.json").write_text(json.dumps(config))
    if kind is None:
        assert inspect_model(str(tmp_path)).family == "sdar"
        return
    with pytest.raises(kind, match=words) as caught:
        inspect_model(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_damaged_folders_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tiny(tmp_path, "sdar")
    weights = (tmp_path / "model.safetensors").read_bytes()
    for content in (weights[:-5], b"", b"\xff" * 99):
        (tmp_path / "model.safetensors").write_bytes(content)
        assert cli.main(["models", "inspect", str(tmp_path)]) == 1
        ran = capsys.readouterr()
        assert ran.out == ""
        assert ran.err.count("\n") == 1
        assert "model.safetensors" in ran.err
    for words in (["models", "inspect"], ["models", "--json", "inspect", "nano"], ["models", "inspect", "./nowhere"]):
        assert cli.main(words) == 2
        ran = capsys.readouterr()
        assert ran.out == ""
        assert ran.err.count("\n") == 1


def test_available_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def group(**values: str) -> tuple[Path, Path, Path]:
        for name, value in values.items():
            (tmp_path / name).write_text(value)
        return tmp_path / "limit", tmp_path / "use", tmp_path / "parts"

    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    5000 kB\n")
    monkeypatch.setattr(memory, "_MEMORY_INFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_CONTROL_GROUPS", ())
    assert memory.available_memory() == 5000 * 1024
    monkeypatch.setattr(memory, "_CONTROL_GROUPS", (group(limit="max", use="1"),))
    assert memory.available_memory() == 5000 * 1024
    parts = "anon 7\ninactive_file 100\nactive_file 20\nfile x\n"
    monkeypatch.setattr(memory, "_CONTROL_GROUPS", (group(limit="1000\n", use="900\n", parts=parts),))
    assert memory.available_memory() == 220
    (tmp_path / "use").write_text("5000")
    assert memory.available_memory() == 0
    monkeypatch.setattr(memory, "_MEMORY_INFO", tmp_path / "none")
    monkeypatch.setattr(memory, "_CONTROL_GROUPS", ())
    bound = memory.available_memory()
    assert bound is None or bound > 1 << 20
