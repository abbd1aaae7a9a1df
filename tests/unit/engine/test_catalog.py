"""A model's name is looked up in the list of what ships and never becomes a path."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from redraft.engine import catalog
from redraft.errors import CheckpointError, ConfigError
from redraft.tasks import task_names


@pytest.fixture
def shelf(tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of shipped models that holds one."""
    (tmp_path / "nano").symlink_to(tiny_checkpoint)
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "UPPER").symlink_to(tiny_checkpoint)
    (tmp_path / "notes.txt").write_text("not a model")
    monkeypatch.setattr(catalog, "shipped_folder", lambda: tmp_path)
    return tmp_path


def test_shipped_models_are_described(shelf: Path) -> None:
    (entry,) = catalog.shipped()
    config = json.loads((shelf / "nano" / "config.json").read_bytes())
    assert entry.name == "nano"
    assert entry.is_default
    assert entry.num_parameters == config["num_parameters"]
    assert entry.canvas_length == 24
    assert entry.size_bytes == sum(path.stat().st_size for path in (shelf / "nano").iterdir())
    assert len(entry.digest) == 64
    assert json.loads(json.dumps(entry.to_dict()))["name"] == "nano"


def test_each_job_has_its_model(tiny_checkpoint: Path, shelf: Path) -> None:
    for name in ("coder", "editor", "filler"):
        (shelf / name).symlink_to(tiny_checkpoint)
    assert [(entry.name, entry.is_default, entry.commands, entry.tasks) for entry in catalog.shipped()] == [
        ("coder", False, (), ("code",)),
        ("editor", False, ("edit",), ("rewrite",)),
        ("filler", False, ("infill",), ()),
        ("nano", True, (), ("arithmetic", "largest", "primes")),
    ]


def test_each_task_is_one_model_s() -> None:
    trained = [task for tasks in catalog.TRAINED_ON.values() for task in tasks]
    assert sorted(trained) == list(task_names())
    assert all(task in catalog.TRAINED_ON[catalog.model_for(task)] for task in task_names())
    assert catalog.model_for("unheard of") == catalog.DEFAULT_MODEL


def test_a_name_is_found(shelf: Path) -> None:
    assert catalog.resolve("nano") == shelf / "nano"


@pytest.mark.parametrize("name", ["", "nan", "unfinished", "UPPER", "notes.txt", "nano\0", "na no", "..nano", "nanо"])
def test_other_names_are_refused_with_what_there_is(shelf: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="there is no model") as caught:
        catalog.resolve(name)
    assert "nano" in str(caught.value)


def test_the_nearest_name_is_suggested(shelf: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'nano'"):
        catalog.resolve("nanno")


def test_a_name_is_never_a_path(shelf: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny_checkpoint.parent)
    assert (Path(tiny_checkpoint.name) / "config.json").is_file()
    with pytest.raises(ConfigError, match="there is no model 'tiny'"):
        catalog.resolve("tiny")
    assert catalog.resolve("./tiny") == Path("./tiny")
    assert catalog.resolve(str(tiny_checkpoint)) == tiny_checkpoint


@pytest.mark.parametrize("path", ["./nowhere", "/", "..", ".", "a/b/../../..", "./\0", "nano/../nano", "../nano"])
def test_paths_without_a_checkpoint_are_refused(shelf: Path, tmp_path: Path, path: str) -> None:
    with pytest.raises(ConfigError, match="no checkpoint folder"):
        catalog.resolve(path)


def test_an_empty_shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "shipped_folder", lambda: tmp_path / "none")
    assert catalog.shipped() == []
    with pytest.raises(ConfigError, match="none in this installation"):
        catalog.resolve("nano")


@pytest.mark.parametrize("config", ["", "[]", "{}", '{"num_parameters": "x"}', "[" * 100_000])
def test_a_damaged_shipped_model_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str) -> None:
    (tmp_path / "nano").mkdir()
    (tmp_path / "nano" / "manifest.json").write_text("{}")
    (tmp_path / "nano" / "config.json").write_text(config)
    monkeypatch.setattr(catalog, "shipped_folder", lambda: tmp_path)
    with pytest.raises(CheckpointError, match="nano"):
        catalog.shipped()


def test_listing_needs_no_torch() -> None:
    program = "import sys; from redraft.engine import shipped, resolve; shipped(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0
