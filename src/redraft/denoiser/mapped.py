"""Weights that stay on disk until they are used: files mapped into memory, one tensor at a time."""

import mmap
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from redraft.denoiser.stored_tensor import StoredTensor
from redraft.errors import CheckpointError, ConfigError

__all__ = ["PublishedWeights"]

_ALLOWED_DTYPES = (torch.float32, torch.bfloat16, torch.float16)


class PublishedWeights(Mapping):
    """Weights by their published names, each read when it is asked for and then forgotten here.

    A ``Mapping[str, Tensor]``; not written so, because type checks at run time would read a weight to look at it.

    Args:
        tensors: Where each weight lies.
        dtype: float32, bfloat16 or float16; None keeps each as it is stored. A weight that is stored in this type is
            mapped into memory and takes none of its own until it is used; any other is a converted copy.

    Raises:
        ConfigError: The type is another one.
    """

    def __init__(self, tensors: Mapping[str, StoredTensor], *, dtype: torch.dtype | None = None) -> None:
        if dtype is not None and dtype not in _ALLOWED_DTYPES:
            raise ConfigError(f"weights can't be read as {dtype}; use float32, bfloat16 or float16")
        self._tensors = tensors
        self._dtype = dtype
        self._maps: dict[Path, mmap.mmap] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def __contains__(self, name: object) -> bool:
        return name in self._tensors  # the inherited one would read the weight

    def __getitem__(self, name: str) -> Tensor:
        stored = self._tensors[name]
        if stored.dtype is None:
            raise CheckpointError(_wrong_type(name, stored))
        flat = torch.frombuffer(self._map(stored), dtype=stored.dtype, count=stored.numel, offset=stored.begin)
        if stored.begin % stored.dtype.itemsize:
            flat = flat.clone()  # the format allows odd offsets, processors are slow or wrong on them
        weight = flat.view(stored.shape).to(self._dtype or stored.dtype)
        lowest, highest = torch.aminmax(weight)  # makes no copy, and NaN comes through
        if not bool(torch.isfinite(lowest) & torch.isfinite(highest)):
            raise CheckpointError(f"{stored.path}: the weight {name} is not finite as {weight.dtype}")
        return weight

    def require(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Refuse a checkpoint whose weights are not these, before any of them is read.

        Args:
            shapes: What each needed weight must look like, by its published name.

        Raises:
            CheckpointError: One is missing, of another shape, or of a type that weights can't have.
        """
        for name, shape in shapes.items():
            stored = self._tensors.get(name)
            if stored is None:
                raise CheckpointError(f"the checkpoint lacks the weight {name}, which its config.json asks for")
            if stored.shape != tuple(shape):
                raise CheckpointError(
                    f"{stored.path}: the weight {name} has shape {list(stored.shape)}; "
                    f"config.json asks for {list(shape)}"
                )
            if stored.dtype is None:
                raise CheckpointError(_wrong_type(name, stored))

    def _map(self, stored: StoredTensor) -> mmap.mmap:
        """Return a private map of the weight's file; tensors keep it alive."""
        if stored.path not in self._maps:
            try:
                with stored.path.open("rb") as file:
                    # ACCESS_COPY: writing to a weight changes this process only, so torch may be given the buffer.
                    self._maps[stored.path] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
            except (OSError, ValueError) as error:
                raise CheckpointError(f"can't map {stored.path} into memory: {error}") from error
        mapped = self._maps[stored.path]
        if len(mapped) < stored.begin + stored.num_bytes:
            raise CheckpointError(f"{stored.path} became shorter since it was opened")
        return mapped


def _wrong_type(name: str, stored: StoredTensor) -> str:
    return f"{stored.path}: the weight {name} is stored as {stored.dtype_name}; F32, BF16 and F16 can be read"
