import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from redraft.denoiser import manifest
from redraft.errors import CheckpointError
from redraft.training.checkpoint import (
    TrainerState,
    checkpoint_steps,
    copy_into,
    load_latest_state,
    load_state,
    save_state,
)


def state_of(step: int) -> TrainerState:
    """Return a state whose content names its step, so that a mixture of two would show."""
    return TrainerState(
        step=step,
        sections={
            "model": {"w": torch.full((3, 4), float(step)), "b": torch.full((), float(step))},
            "optimizer": {"m/of/w": torch.full((3, 4), float(-step))},
        },
        scalars={"seconds": float(step), "stream": {"pool_start": step}},
    )


def assert_whole(state: TrainerState | None, allowed: set[int]) -> int:
    assert state is not None
    assert state.step in allowed
    assert state.sections["model"]["w"].equal(torch.full((3, 4), float(state.step)))
    assert state.sections["model"]["b"].equal(torch.full((), float(state.step)))
    assert state.sections["optimizer"]["m/of/w"].equal(torch.full((3, 4), float(-state.step)))
    assert state.scalars == {"seconds": float(state.step), "stream": {"pool_start": state.step}}
    return state.step


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    save_state(tmp_path, state_of(3), keep=2)
    latest, complaints = load_latest_state(tmp_path)
    assert assert_whole(latest, {3}) == 3
    assert complaints == []


def test_only_the_newest_stay(tmp_path: Path) -> None:
    for step in (1, 2, 10, 100):
        save_state(tmp_path, state_of(step), keep=2)
    assert checkpoint_steps(tmp_path) == [10, 100]


def test_saving_a_step_again_replaces_it(tmp_path: Path) -> None:
    save_state(tmp_path, state_of(4), keep=2)
    save_state(tmp_path, state_of(4), keep=2)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000004"]


def test_no_folder_and_an_empty_folder_hold_nothing(tmp_path: Path) -> None:
    assert load_latest_state(tmp_path / "absent") == (None, [])
    assert load_latest_state(tmp_path) == (None, [])


@pytest.mark.parametrize("name", ["state.safetensors", "state.json", "manifest.json"])
@pytest.mark.parametrize("fault", ["missing", "truncated", "altered"])
def test_a_damaged_checkpoint_is_passed_over_with_a_word(tmp_path: Path, name: str, fault: str) -> None:
    save_state(tmp_path, state_of(1), keep=5)
    path = save_state(tmp_path, state_of(2), keep=5) / name
    content = path.read_bytes()
    if fault == "missing":
        path.unlink()
    else:
        path.write_bytes(content[:-5] if fault == "truncated" else content[:-3] + b"###")
    latest, complaints = load_latest_state(tmp_path)
    assert assert_whole(latest, {1}) == 1
    assert len(complaints) == 1
    with pytest.raises(CheckpointError, match=r"step-00000002"):
        load_state(tmp_path / "step-00000002")


def test_a_folder_of_something_else_is_no_checkpoint(tmp_path: Path) -> None:
    manifest.write_folder(
        tmp_path / "step-00000001", {"state.safetensors": b"no tensors", "state.json": b'{"step": 1}'}
    )
    with pytest.raises(CheckpointError, match="not valid"):
        load_state(tmp_path / "step-00000001")
    manifest.write_folder(tmp_path / "step-00000002", {"other": b""})
    with pytest.raises(CheckpointError):
        load_state(tmp_path / "step-00000002")


def test_tensors_of_another_model_are_refused() -> None:
    target = {"w": torch.zeros(2, 2)}
    with pytest.raises(CheckpointError, match="'v' is on one side only"):
        copy_into(target, {"w": torch.ones(2, 2), "v": torch.ones(1)}, "model")
    with pytest.raises(CheckpointError, match=r"shape \(3, 2\)"):
        copy_into(target, {"w": torch.ones(3, 2)}, "model")
    copy_into(target, {"w": torch.ones(2, 2)}, "model")
    assert target["w"].equal(torch.ones(2, 2))


class Killed(BaseException):
    """Stands for a SIGKILL: after it, nothing more reaches the disk."""


class DyingDisk:
    """Lets a number of operations through, then fails this one, half done where it can be, and all later ones."""

    def __init__(self, survives: int) -> None:
        self.left = survives
        self.is_dead = False

    def guard(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **keywords: Any) -> Any:
            self.tick()
            return real(*args, **keywords)

        return guarded

    def tick(self) -> None:
        self.left -= 1
        if self.is_dead or self.left < 0:
            self.is_dead = True
            raise Killed

    def write_file(self, path: Path, content: bytes) -> None:
        """Write in two pieces, either of which may be the last."""
        self.tick()
        with path.open("xb") as file:
            for piece in (content[: len(content) // 2], content[len(content) // 2 :]):
                self.tick()
                file.write(piece)
                file.flush()
        self.tick()


@pytest.fixture
def die_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], DyingDisk]]:
    def install(survives: int) -> DyingDisk:
        disk = DyingDisk(survives)
        monkeypatch.setattr(manifest, "_write_file", disk.write_file)
        for owner, name in ((os, "fsync"), (Path, "rename"), (Path, "mkdir"), (shutil, "rmtree"), (Path, "replace")):
            monkeypatch.setattr(owner, name, disk.guard(getattr(owner, name)))
        monkeypatch.setattr(manifest, "_exchange", disk.guard(manifest._exchange))
        return disk

    yield install
    monkeypatch.undo()


@pytest.mark.parametrize("step", [3, 2], ids=["new step", "same step again"])
def test_a_kill_at_any_write_or_rename_leaves_a_whole_checkpoint(
    tmp_path: Path, die_after: Callable[[int], DyingDisk], monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    found: list[int] = []
    for survives in range(200):
        folder = tmp_path / str(survives)
        save_state(folder, state_of(1), keep=2)
        save_state(folder, state_of(2), keep=2)
        disk = die_after(survives)
        with contextlib.suppress(Killed):
            save_state(folder, state_of(step), keep=2)
        monkeypatch.undo()
        latest, _ = load_latest_state(folder)
        found.append(assert_whole(latest, {2, step}))
        save_state(folder, state_of(4), keep=2)
        assert not list(folder.glob(".*")), "the next save clears what the kill left"
        if not disk.is_dead:
            break
    assert len(found) > 15, "the fault never struck"
    assert found == sorted(found), "once the new one stands, it stays"
    assert found[-1] == step
