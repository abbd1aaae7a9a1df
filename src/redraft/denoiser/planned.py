"""Tensors that are to be written, known by name, type and shape; their content is asked for when their turn comes."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from redraft.denoiser.shards import StoredTensor
from redraft.errors import CheckpointError

__all__ = ["PlannedTensor", "planned_copy", "planned_weight"]

_DTYPE_NAMES: Mapping[torch.dtype, str] = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16"}
"""How the file format writes a weight's type."""

_PIECE_BYTES = 16 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedTensor:
    """One tensor to be written; its content is asked for when its turn comes, and then let go."""

    name: str
    """Its published name."""
    dtype_name: str
    """Its type, as the format writes it."""
    shape: tuple[int, ...]
    """Its sizes."""
    num_bytes: int
    """Its length in the file."""
    pieces: Callable[[], Iterable[bytes | memoryview]]
    """Gives its bytes in order."""

    @property
    def item_bytes(self) -> int:
        """Bytes of one element."""
        return self.num_bytes // math.prod(self.shape)


def planned_weight(
    name: str, shape: tuple[int, ...], dtype: torch.dtype, read: Callable[[], Tensor], *, is_stored: bool = False
) -> PlannedTensor:
    """A weight that some function gives.

    Args:
        name: Its published name.
        shape: Its sizes.
        dtype: How it is to be stored: float32, bfloat16 or float16.
        read: Gives the weight in any floating-point type.
        is_stored: Whether ``read`` gives it in ``dtype`` already and has looked that it is finite.

    Returns:
        The plan. When its turn comes, a weight that is not finite in ``dtype`` is a CheckpointError.
    """

    def pieces() -> Iterator[memoryview]:
        weight = read().detach()
        assert tuple(weight.shape) == shape, f"{name} has shape {tuple(weight.shape)}, {shape} was planned"
        if not is_stored:
            weight = weight.to(device="cpu", dtype=dtype)
            lowest, highest = torch.aminmax(weight)
            if not bool(torch.isfinite(lowest) & torch.isfinite(highest)):
                raise CheckpointError(f"the weight {name} is not finite as {dtype}; nothing was written")
        assert weight.dtype == dtype, f"{name} is {weight.dtype}, {dtype} was planned"
        yield weight.contiguous().reshape(-1).view(torch.uint8).numpy().data

    num_bytes = math.prod(shape) * dtype.itemsize
    return PlannedTensor(name=name, dtype_name=_DTYPE_NAMES[dtype], shape=shape, num_bytes=num_bytes, pieces=pieces)


def planned_copy(name: str, stored: StoredTensor) -> PlannedTensor:
    """A tensor that is copied byte for byte, whatever it holds.

    Args:
        name: Its published name.
        stored: Where it lies.

    Returns:
        The plan.
    """

    def pieces() -> Iterator[bytes]:
        try:
            with stored.path.open("rb") as file:
                file.seek(stored.begin)
                left = stored.num_bytes
                while left:
                    piece = file.read(min(left, _PIECE_BYTES))
                    if not piece:
                        raise CheckpointError(f"{stored.path} became shorter since it was opened")
                    left -= len(piece)
                    yield piece
        except OSError as error:
            raise CheckpointError(f"can't read {stored.path}: {error.strerror or error}") from error

    return PlannedTensor(
        name=name, dtype_name=stored.dtype_name, shape=stored.shape, num_bytes=stored.num_bytes, pieces=pieces
    )
