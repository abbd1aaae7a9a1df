"""A checkpoint as others publish it: ``config.json``, safetensors in one file or in shards, and the small files beside.

::

    folder/
      config.json                        the architecture's name and shape
      model.safetensors                  every weight; or, in their place,
      model.safetensors.index.json       which of several files holds each weight
      generation_config.json, tokenizer_config.json   read if they are there

Opening a folder reads headers only. Weights are mapped into memory and stay on disk until they are used, unless another
type is asked for. Nothing in a folder can run code, no name in it can lead out of it, and what is read is held in
memory only after its size was checked. A mapped file must not be changed while the model is in use: overwriting it
changes the weights, and truncating it ends the process.

This module knows no architecture; ``redraft.denoiser.families`` says what the names mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from redraft.denoiser.mapped import PublishedWeights
from redraft.denoiser.settings_files import read_settings
from redraft.denoiser.shards import StoredTensor, find_tensors
from redraft.errors import CheckpointError

__all__ = ["Published", "load_weights", "memory_needed", "open_published", "read_settings"]


@dataclass(frozen=True, kw_only=True)
class Published:
    """What a published folder says of itself, headers and small files only."""

    folder: Path
    """Where it is."""

    config: dict[str, Any]
    """Content of config.json."""

    generation_config: dict[str, Any]
    """Content of generation_config.json; empty if there is none."""

    tokenizer_config: dict[str, Any]
    """Content of tokenizer_config.json; empty if there is none."""

    tensors: dict[str, StoredTensor]
    """Every stored tensor by its published name."""

    @cached_property
    def num_parameters(self) -> int:
        """Elements of the tensors of a weight's type; tied weights count once if they are stored once."""
        return sum(tensor.numel for tensor in self.tensors.values() if tensor.dtype is not None)

    @cached_property
    def size_bytes(self) -> int:
        """Bytes of all stored tensors."""
        return sum(tensor.num_bytes for tensor in self.tensors.values())

    @cached_property
    def num_files(self) -> int:
        """Number of weight files."""
        return len({tensor.path for tensor in self.tensors.values()})

    @cached_property
    def dtype_names(self) -> tuple[str, ...]:
        """The types that weights are stored in, the one with most bytes first."""
        totals: dict[str, int] = {}
        for tensor in self.tensors.values():
            totals[tensor.dtype_name] = totals.get(tensor.dtype_name, 0) + tensor.num_bytes
        return tuple(sorted(totals, key=lambda name: (-totals[name], name)))

    def memory_needed(self, dtype: torch.dtype | None = None) -> int:
        """Bytes that the weights take in memory, everything else left out.

        Args:
            dtype: float32, bfloat16, float16; int8 for linear layers of one byte a weight and the rest in float32;
                None for the types as stored.

        Returns:
            The bytes.
        """
        return sum(_bytes_in_memory(name, tensor, dtype) for name, tensor in self.tensors.items())

    def weights(self, dtype: torch.dtype | None = None) -> PublishedWeights:
        """Return the weights, each read when it is asked for."""
        return PublishedWeights(self.tensors, dtype=dtype)


def open_published(folder: Path) -> Published:
    """Read what a published folder says of itself; no weight is read.

    Args:
        folder: The checkpoint.

    Returns:
        Its description.

    Raises:
        CheckpointError: Anything is missing, damaged, absurd or leads out of the folder.
    """
    if not folder.is_dir():
        raise CheckpointError(f"there is no checkpoint folder {str(folder)[:300]!r}")
    settings = read_settings(folder)
    return Published(folder=folder, tensors=find_tensors(folder), **settings)


def memory_needed(folder: Path, dtype: torch.dtype | None = None) -> int:
    """Bytes that the weights of a published folder take in memory; see ``Published.memory_needed``."""
    return open_published(folder).memory_needed(dtype)


def load_weights(
    folder: Path,
    *,
    shapes: Mapping[str, tuple[int, ...]],
    names: Mapping[str, str],
    dtype: torch.dtype | None = None,
) -> dict[str, Tensor]:
    """Read the weights of a model under the model's own names.

    Names, shapes and types are compared before the first weight is read. What else the folder holds is not looked at.

    Args:
        folder: The checkpoint.
        shapes: Shape of each weight by the model's own name.
        names: Published name of each weight by the model's own name.
        dtype: float32, bfloat16 or float16; None keeps each weight as it is stored.

    Returns:
        The weights by the model's own names.

    Raises:
        CheckpointError: A weight is missing, damaged, of another shape or of a type that weights can't have.
    """
    weights = open_published(folder).weights(dtype)
    weights.require({names[name]: shape for name, shape in shapes.items()})
    return {name: weights[names[name]] for name in shapes}


def _bytes_in_memory(name: str, tensor: StoredTensor, dtype: torch.dtype | None) -> int:
    if dtype is None or tensor.dtype is None:
        return tensor.num_bytes
    is_linear = len(tensor.shape) == 2 and not any(part in name for part in ("embed", "wte", "mlp.gate.weight"))
    if dtype == torch.int8:
        return tensor.numel + 4 * tensor.shape[0] if is_linear else 4 * tensor.numel
    return tensor.numel * dtype.itemsize
