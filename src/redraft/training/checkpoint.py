"""The trainer's own state on disk, which a kill at any moment leaves loadable.

::

    checkpoints/step-00001234/
      state.safetensors   weights, averages and optimiser state, named "section/name"
      state.json          step, seconds, place in the stream, and the resolved recipe
      manifest.json       size and SHA-256 of both

A folder appears in one rename, after everything in it is on the disk. The newest one is found by looking, never by a
pointer that could lag behind. Nothing is pickled. What a model needs at inference is ``redraft.denoiser.checkpoint``.
"""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from redraft.denoiser.manifest import read_folder, write_folder
from redraft.errors import CheckpointError
from redraft.reading import parse_json

__all__ = ["TrainerState", "checkpoint_steps", "copy_into", "load_latest_state", "load_state", "save_state"]

TENSORS_NAME = "state.safetensors"
SCALARS_NAME = "state.json"
MAX_BYTES = {TENSORS_NAME: 64 << 30, SCALARS_NAME: 16 << 20}
FOLDER_PATTERN = re.compile(r"step-(\d{8})")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainerState:
    """Everything that a run needs to go on as if nothing had happened."""

    step: int
    """Steps done."""

    sections: Mapping[str, Mapping[str, Tensor]]
    """Named tensors of each part: "model", "ema", "optimizer"."""

    scalars: Mapping[str, Any]
    """JSON-ready values."""


def save_state(folder: Path, state: TrainerState, *, keep: int) -> Path:
    """Write a checkpoint and remove all but the newest ones.

    Args:
        folder: Holds the run's checkpoints.
        state: What to write.
        keep: How many to leave, the new one included.

    Returns:
        The new checkpoint's folder. If it can't be written, that is a CheckpointError and earlier ones stay.
    """
    tensors = {
        f"{section}/{name}": tensor.detach().to(device="cpu", copy=True).contiguous()
        for section, named in state.sections.items()
        for name, tensor in named.items()
    }
    scalars = {"step": state.step, **state.scalars}
    target = folder / f"step-{state.step:08d}"
    write_folder(
        target,
        {
            TENSORS_NAME: save(tensors),
            SCALARS_NAME: (json.dumps(scalars, indent=1, ensure_ascii=False) + "\n").encode(),
        },
    )
    for step in checkpoint_steps(folder)[:-keep]:
        shutil.rmtree(folder / f"step-{step:08d}", ignore_errors=True)
    _remove_leftovers(folder)
    return target


def load_state(folder: Path) -> TrainerState:
    """Read one checkpoint.

    Args:
        folder: One that ``save_state`` wrote.

    Returns:
        What was saved.

    Raises:
        CheckpointError: If it is missing, damaged or not a trainer's.
    """
    files, _ = read_folder(folder, MAX_BYTES)
    scalars = parse_json(files[SCALARS_NAME], folder / SCALARS_NAME)
    try:
        tensors = load(files[TENSORS_NAME])
    except (SafetensorError, ValueError, KeyError) as error:
        raise CheckpointError(f"{folder / TENSORS_NAME} is not valid: {error}") from error
    step = scalars.pop("step", None)
    if type(step) is not int:
        raise CheckpointError(f"{folder / SCALARS_NAME} has no step; it is not a trainer's checkpoint")
    sections: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        section, _, name = key.partition("/")
        sections.setdefault(section, {})[name] = tensor
    return TrainerState(step=step, sections=sections, scalars=scalars)


def load_latest_state(folder: Path) -> tuple[TrainerState | None, list[str]]:
    """Read the newest checkpoint that is whole.

    Args:
        folder: Holds the run's checkpoints; may be missing.

    Returns:
        The state, None if there is none, and one sentence for each newer checkpoint that was passed over as damaged.
    """
    complaints: list[str] = []
    for step in reversed(checkpoint_steps(folder)):
        try:
            return load_state(folder / f"step-{step:08d}"), complaints
        except CheckpointError as error:
            complaints.append(str(error))
    return None, complaints


def checkpoint_steps(folder: Path) -> list[int]:
    """Steps at which there is a checkpoint folder, ascending; damaged ones included."""
    if not folder.is_dir():
        return []
    matches = (FOLDER_PATTERN.fullmatch(path.name) for path in folder.iterdir())
    return sorted(int(match[1]) for match in matches if match)


def copy_into(targets: Mapping[str, Tensor], sources: Mapping[str, Tensor], what: str) -> None:
    """Copy named tensors in place; names and shapes have to agree.

    Args:
        targets: What to overwrite.
        sources: What a checkpoint held.
        what: What these are, for the message.

    Raises:
        CheckpointError: If they do not.
    """
    if targets.keys() != sources.keys():
        odd = sorted(targets.keys() ^ sources.keys())[0]
        raise CheckpointError(f"the checkpoint's {what} does not fit this program: {odd!r} is on one side only")
    with torch.no_grad():
        for name, target in targets.items():
            if target.shape != sources[name].shape:
                raise CheckpointError(f"the checkpoint's {what} {name!r} has shape {tuple(sources[name].shape)}")
            target.copy_(sources[name])


def _remove_leftovers(folder: Path) -> None:
    """Remove what a killed writer left: staging folders, whose names start with a dot."""
    for path in folder.glob(".step-*"):
        shutil.rmtree(path, ignore_errors=True)
