"""Which checkpoints there are: those that ship with the package, by name, and any other folder, by path.

A name is only ever looked up in the list of what ships; it never becomes a path. Nothing here opens weights, so listing
needs no torch.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any, cast

from redraft.errors import CheckpointError, ConfigError, did_you_mean

__all__ = [
    "DEFAULT_MODEL",
    "EDITOR_MODEL",
    "FILLER_MODEL",
    "FIXER_MODEL",
    "TRAINED_ON",
    "Entry",
    "model_for",
    "read_json",
    "resolve",
    "shipped",
    "shipped_folder",
    "shipped_names",
]

DEFAULT_MODEL = "nano"
"""Used where nobody names a model."""

EDITOR_MODEL = "editor"
"""Used instead where a text is edited."""

FILLER_MODEL = "filler"
"""Used where the gaps of a text are filled."""

FIXER_MODEL = "fixer"
"""Used where what is edited is a program that is to be mended."""

TRAINED_ON: Mapping[str, tuple[str, ...]] = {
    DEFAULT_MODEL: ("arithmetic", "largest", "primes"),
    EDITOR_MODEL: ("rewrite",),
    FIXER_MODEL: ("repair",),
    FILLER_MODEL: (),
    "coder": ("code",),
    "solver": ("countdown", "multiplication", "planning", "sudoku"),
    "writer": ("extract", "page"),
}
"""The tasks whose prompts each model that ships answers; each is measured on these where nobody names a model.
One that only fills gaps answers none."""

_COMMANDS: Mapping[str, tuple[str, ...]] = {EDITOR_MODEL: ("edit",), FILLER_MODEL: ("infill",)}

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_MAX_JSON_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One checkpoint that ships."""

    name: str
    """What ``--model`` takes."""

    num_parameters: int
    """Weights, embeddings included."""

    size_bytes: int
    """Size of its files on disk."""

    canvas_length: int
    """Longest canvas."""

    context_length: int
    """Longest settled context, in tokens."""

    digest: str
    """SHA-256 of its manifest."""

    is_default: bool
    """Whether it is used where nobody names a model."""

    commands: tuple[str, ...]
    """Commands that use it where nobody names a model, beside `generate`, which goes by the prompt."""

    tasks: tuple[str, ...]
    """What it was trained on."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def shipped_folder() -> Path:
    """Where the package keeps its checkpoints."""
    return Path(str(resources.files("redraft").joinpath("models")))


def shipped() -> list[Entry]:
    """The checkpoints that ship with the package, by name; one that is too damaged to be described is an error."""
    return [_describe(name) for name in shipped_names()]


def shipped_names() -> list[str]:
    """Return the names of the checkpoints that ship.

    Returns:
        Sorted.
    """
    folder = shipped_folder()
    if not folder.is_dir():
        return []
    return sorted(
        path.name for path in folder.iterdir() if _NAME.fullmatch(path.name) and (path / "manifest.json").is_file()
    )


def model_for(job: str) -> str:
    """Return the name of the model that ships for a job; of the default one if none does.

    >>> model_for("sudoku"), model_for("infill"), model_for("primes")
    ('solver', 'filler', 'nano')

    Args:
        job: Name of a task that it was trained on, or of a command that uses it.

    Returns:
        What ``--model`` takes.
    """
    jobs = {model: (*tasks, *_COMMANDS.get(model, ())) for model, tasks in TRAINED_ON.items()}
    return next((model for model, done in jobs.items() if job in done), DEFAULT_MODEL)


def resolve(model: str) -> Path:
    """Return the folder that ``--model`` means.

    Args:
        model: The name of a shipped checkpoint, or a path with a separator in it (``./nano``).

    Returns:
        An existing checkpoint folder.

    Raises:
        ConfigError: There is no such name, or the path leads to no checkpoint folder.
    """
    if _is_path(model):
        folder = Path(model)
        if "\0" in model or not (folder / "config.json").is_file():
            raise ConfigError(f"{model!r} is no checkpoint folder: there is no config.json in it")
        return folder
    names = shipped_names()
    if model in names:
        return shipped_folder() / model
    hint = did_you_mean(model, names) if names else "none in this installation"
    raise ConfigError(f"there is no model {model!r}; {hint}. For a folder write a path such as ./{model or 'x'}")


def _is_path(model: str) -> bool:
    return any(separator in model for separator in {"/", os.sep, os.altsep or os.sep}) or model in (".", "..")


def _describe(name: str) -> Entry:
    folder = shipped_folder() / name
    raw, manifest = read_json(folder / "manifest.json")
    _, config = read_json(folder / "config.json")
    try:
        return Entry(
            name=name,
            num_parameters=int(config["num_parameters"]),
            size_bytes=sum(int(file["bytes"]) for file in manifest["files"].values()) + len(raw),
            canvas_length=int(config["transformer"]["canvas_length"]),
            context_length=int(config["transformer"]["context_length"]),
            digest=hashlib.sha256(raw).hexdigest(),
            is_default=name == DEFAULT_MODEL,
            commands=_COMMANDS.get(name, ()),
            tasks=TRAINED_ON.get(name, ()),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"the shipped model {name} is damaged; install the package again") from error


def read_json(path: Path) -> tuple[bytes, dict[str, Any]]:
    """Read a small JSON object; the loader that trusts nothing is ``redraft.denoiser.checkpoint``.

    Args:
        path: The file.

    Returns:
        Its bytes, and the object in them.

    Raises:
        CheckpointError: It is missing or holds no JSON object.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_JSON_BYTES)
        value = json.loads(raw)
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"can't read {path}; install the package again") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} holds no object; install the package again")
    return raw, cast(dict[str, Any], value)
