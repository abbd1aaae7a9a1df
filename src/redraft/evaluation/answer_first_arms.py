"""The arms of a comparison: a name for each, its folder, and what is known of how it was trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redraft.denoiser.checkpoint import Loaded, load_checkpoint
from redraft.engine import Engine, resolve_model
from redraft.engine.autoregressive import engine_for
from redraft.errors import ConfigError
from redraft.training.recipe import differing_keys

__all__ = ["Arm", "differences", "load_arms"]

_FOLLOWS_FROM_ARM = ("arm.name", "model.is_causal", "model.has_bidirectional_context")
"""Where arms differ by what they are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """One model of the comparison."""

    name: str
    """As the table calls it."""

    engine: Engine
    """Decodes it as it was trained."""

    facts: dict[str, Any]
    """Kind, size and training, ready for JSON."""

    recipe: dict[str, Any]
    """What it was trained by; empty where the folder does not say."""


def load_arms(words: Sequence[str], *, device: str = "cpu") -> list[Arm]:
    """Load what the command line names.

    Args:
        words: Each of the form ``NAME=FOLDER``, the folder a path or the name of a shipped model.
        device: Where they shall run.

    Returns:
        The arms, in order.

    Raises:
        ConfigError: There is none, a word has another form, a name comes twice, or there is no such model.
    """
    if not words:
        raise ConfigError("answer-first compares arms; name each, as in --arm diffusion=./runs/arms-diffusion/model")
    folders: dict[str, str] = {}
    for word in words:
        name, equals, folder = word.partition("=")
        if not equals or not name or not folder:
            raise ConfigError(
                f"--arm {word!r} is not of the form NAME=FOLDER; write, for example, causal=./causal/model"
            )
        if name in folders:
            raise ConfigError(f"--arm {name} is given twice; give each arm a name of its own")
        folders[name] = folder
    return [_load(name, folder, device) for name, folder in folders.items()]


def differences(first: Arm, other: Arm) -> list[str]:
    """Dotted recipe keys by which an arm differs from the first one beyond what it is; also steps and examples.

    Args:
        first: What is compared with.
        other: Any arm.

    Returns:
        The keys; empty where both were trained alike.
    """
    keys = [key for key in differing_keys(first.recipe, other.recipe) if key not in _FOLLOWS_FROM_ARM]
    return keys + [key for key in ("steps", "examples") if first.facts[key] != other.facts[key]]


def _load(name: str, folder: str, device: str) -> Arm:
    # A folder below the working directory is often written without a separator in front.
    path = Path(folder) if Path(folder).is_dir() else resolve_model(folder)
    loaded = load_checkpoint(path, device=device)
    training = loaded.extra.get("training", {})
    recipe = training.get("recipe", {})
    return Arm(
        name=name,
        engine=engine_for(loaded.model).from_checkpoint(loaded, name=name),
        facts={
            "folder": folder,
            "kind": _kind(loaded, recipe),
            "num_parameters": loaded.config["num_parameters"],
            "steps": training.get("step"),
            "examples": training.get("examples"),
        },
        recipe=recipe,
    )


def _kind(loaded: Loaded, recipe: dict[str, Any]) -> str:
    """What it is: by its recipe, and where that says nothing, by who sees whom."""
    config = loaded.model.config
    if config.is_causal:
        return "prefix" if config.has_bidirectional_context else "causal"
    return str(recipe.get("arm", {}).get("name", "diffusion"))
