"""Starts a native run from the weights of another model: ``train.start_from``."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import torch
from torch import Tensor

from redraft.denoiser import Transformer
from redraft.denoiser.checkpoint import load_checkpoint
from redraft.errors import ConfigError
from redraft.text import Tokenizer

__all__ = ["start_folder", "start_from"]

GROWS = "canvas_position.weight"
"""The one table that may be longer than the start's: one row for each position of a canvas."""

_DEEPENS = "prelude."
"""The one stack of layers that may be higher than the start's."""


def start_folder(name: str) -> Path:
    """Find the folder that ``train.start_from`` means.

    Args:
        name: Of a shipped model, or the path of a folder.

    Returns:
        The folder.

    Raises:
        ConfigError: If there is neither.
    """
    folders = [Path(name)]
    if Path(name).name == name:
        # A name goes to the shipped models first, as everywhere else.
        folders.insert(0, Path(str(resources.files("redraft").joinpath("models"))) / name)
    for folder in folders:
        if (folder / "config.json").is_file():
            return folder
    raise ConfigError(
        f"{name!r} (train.start_from, or a part of a blend) is neither a shipped model nor a model folder; name one, "
        "for example 'nano' or 'runs/first/model'"
    )


def start_from(name: str, model: Transformer, tokenizer: Tokenizer) -> str:
    """Copy the weights of a model into another one of the same shape, or a deeper one.

    A canvas may be longer than the start's; the positions behind it keep the values that they have. Where the model has
    more layers before its loop, the start's are spread evenly among them, and the others keep the values that they
    have: as a fresh layer adds nothing, the model scores as its start does (LLaMA Pro, arXiv 2401.02415, copies layers
    and zeroes what they add).

    Args:
        name: What ``train.start_from`` says.
        model: Takes the weights.
        tokenizer: Of the run.

    Returns:
        The digest of the start.

    Raises:
        ConfigError: If there is no such model, or it has another vocabulary or another shape.
    """
    folder = start_folder(name)
    loaded = load_checkpoint(folder)
    if not Tokenizer.from_json(loaded.tokenizer_json).has_ids_of(tokenizer):
        raise ConfigError(
            f"train.start_from={name!r} has another vocabulary than this run, so its token ids mean other texts; start "
            "from a model of the same vocabulary, or leave train.start_from out"
        )
    ours = dict(model.named_parameters())
    theirs = _spread(dict(loaded.model.named_parameters()), len(loaded.model.prelude), len(model.prelude))
    for key in sorted((theirs.keys() | ours.keys()) - _added(ours, theirs)):
        if key not in theirs or key not in ours or not _fits(key, theirs[key], ours[key]):
            raise ConfigError(
                f"train.start_from={name!r} has another shape than [model]: {key} is {_shape(theirs, key)} there and "
                f"{_shape(ours, key)} here; take over the start's [model] section"
            )
    with torch.no_grad():
        for key, weight in theirs.items():
            ours[key][: len(weight)].copy_(weight) if weight.dim() else ours[key].copy_(weight)
    return loaded.digest


def _spread(weights: dict[str, Tensor], num_theirs: int, num_ours: int) -> dict[str, Tensor]:
    """The start's weights by their names in a model with more layers.

    >>> _spread({"prelude.1.mlp_in.weight": torch.ones(1), "head.weight": torch.ones(1)}, 2, 4).keys()
    dict_keys(['prelude.2.mlp_in.weight', 'head.weight'])
    """
    if not 0 < num_theirs < num_ours:
        return weights
    spread = dict[str, Tensor]()
    for key, weight in weights.items():
        if key.startswith(_DEEPENS):
            layer, name = key.removeprefix(_DEEPENS).split(".", 1)
            key = f"{_DEEPENS}{int(layer) * num_ours // num_theirs}.{name}"
        spread[key] = weight
    return spread


def _added(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> set[str]:
    """The weights of the layers between the start's; none where the start has no such layers."""
    layers = {key.split(".")[1] for key in theirs if key.startswith(_DEEPENS)}
    return {key for key in ours if layers and key.startswith(_DEEPENS) and key.split(".")[1] not in layers}


def _fits(key: str, theirs: Tensor, ours: Tensor) -> bool:
    if key == GROWS:
        return theirs.shape[1:] == ours.shape[1:] and len(theirs) <= len(ours)
    return theirs.shape == ours.shape


def _shape(weights: Mapping[str, Tensor], key: str) -> str:
    return "×".join(map(str, weights[key].shape)) or "a single number" if key in weights else "missing"
