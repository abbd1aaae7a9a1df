"""From what a run says of an arm to the arm itself, in the process where it lives."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from redraft.denoiser import TransformerConfig
from redraft.denoiser.checkpoint import CONFIG_NAME, FORMAT
from redraft.denoiser.gguf_llama import LlamaShape
from redraft.engine import load_engine, resolve_model
from redraft.errors import ConfigError
from redraft.evaluation.bench.arms import Arm, EngineArm
from redraft.evaluation.bench.left_to_right import open_left_to_right
from redraft.evaluation.bench.llama import LlamaArm
from redraft.evaluation.bench.llama_context import import_llama
from redraft.reading import find_inside, parse_json, read_file
from redraft.text import Tokenizer

__all__ = ["open_arm", "read_model"]

_MAX_CONFIG_BYTES = 1 << 20


def open_arm(kind: str, options: Mapping[str, Any], folder: Path) -> tuple[Arm, dict[str, Any]]:
    """Open an arm.

    Args:
        kind: diffusion, compiled, autoregressive or llama.
        options: ``model``, a name or a path; where there is none ``shape`` and ``tokenizer`` of the model to be like.
        folder: For files that live as long as the process.

    Returns:
        The arm, and what the report says of it.

    Raises:
        ConfigError: The model is none of ours.
        DependencyError: A package or a compiler is missing.
    """
    if kind == "diffusion":
        return _open_diffusion(options["model"])
    if kind == "compiled":
        engine = load_engine(options["model"], is_compiled=True)
        return EngineArm(engine), {"dtype": engine.dtype}
    config = TransformerConfig.from_dict(options["shape"])
    tokenizer = Tokenizer.from_json(options["tokenizer"])
    if kind == "autoregressive":
        return open_left_to_right(options.get("model"), config, tokenizer)
    assert kind == "llama", f"there is no arm of the kind {kind}"
    shape = LlamaShape.like(config)
    arm = LlamaArm(folder, shape, tokenizer, num_threads=torch.get_num_threads())
    return arm, {
        "engine": f"llama.cpp (llama-cpp-python {import_llama().__version__})",
        "weights": "random, Q8_0; for speed only",
        "num_parameters": shape.num_parameters,
        "layers": shape.num_layers,
        "width": shape.width,
        "hidden_width": shape.hidden_width,
    }


def read_model(model: str) -> tuple[TransformerConfig, list[str] | None]:
    """Look at one of our own models.

    Args:
        model: A name or a path.

    Returns:
        Its shape, and the tasks that it was trained on, as far as it says.

    Raises:
        ConfigError: It is a published model, of which there is no autoregressive arm of the same size.
        CheckpointError: It is damaged.
    """
    folder = resolve_model(model)
    values = parse_json(read_file(find_inside(folder, CONFIG_NAME), _MAX_CONFIG_BYTES), folder / CONFIG_NAME)
    if values.get("format") != FORMAT:
        raise ConfigError(f"bench is for models of our own, and {Path(model).name} is a published one")
    return TransformerConfig.from_dict(values["transformer"]), _trained_tasks(values)


def _trained_tasks(values: Mapping[str, Any]) -> list[str] | None:
    """Read the tasks of a training mixture, which other people's models need not have."""
    found: Any = values
    for key in ("extra", "training", "recipe", "data", "mixture"):
        found = found.get(key) if isinstance(found, dict) else None
    entries = found if isinstance(found, list) else []
    tasks = [entry["task"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("task"), str)]
    return [*dict.fromkeys(tasks)] or None


def _open_diffusion(model: str) -> tuple[Arm, dict[str, Any]]:
    config, tasks = read_model(model)
    engine = load_engine(model)
    if config.is_causal:
        raise ConfigError(
            f"{Path(model).name} writes left to right; name it as --autoregressive, beside a model of ours"
        )
    assert isinstance(engine.tokenizer, Tokenizer), "our own models have our own tokenizer"
    return EngineArm(engine), {
        "engine": "redraft",
        "weights": Path(engine.name).name,
        "digest": engine.digest,
        "dtype": engine.dtype,
        "shape": json.loads(json.dumps(config.to_dict())),
        "canvas_length": engine.settings().canvas_length,
        "context_length": engine.context_length,
        "tokenizer": engine.tokenizer.to_json(),
        "trained_tasks": tasks,
    }
