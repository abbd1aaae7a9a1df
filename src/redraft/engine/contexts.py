"""What can be done with the context of any family: told apart by shape, laid together, measured.

Contexts are frozen records of tensors whose first axis is the row, which is all that is used of them here.
"""

from collections.abc import Hashable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor

from redraft.denoiser import Cache

__all__ = ["joined", "num_bytes", "shape_of"]


def shape_of(context: Cache | None) -> Hashable:
    """What must be equal for contexts to be laid together.

    >>> from redraft.denoiser import FakeDenoiser
    >>> encode = FakeDenoiser(vocab_size=9, logits_of=lambda canvas, context: canvas).encode
    >>> shape_of(encode(torch.tensor([[1, 2]]))) == shape_of(encode(torch.tensor([[8, 7], [6, 5]])))
    True

    Args:
        context: Any.

    Returns:
        All that is told of it but rows and values.
    """
    return _shape(context)


def joined(contexts: Sequence[Cache]) -> Cache:
    """The rows of several contexts of equal shape, one after the other.

    Args:
        contexts: At least one; not changed.

    Returns:
        One context; each row's values are the same bits.
    """
    return contexts[0] if len(contexts) == 1 else _joined(contexts)


def num_bytes(context: Cache | None) -> int:
    """Memory that a context's tensors take.

    Args:
        context: Any.

    Returns:
        Bytes.
    """
    return _num_bytes(context)


def _parts(value: Any) -> list[Any]:
    return [getattr(value, field.name) for field in fields(value)]


def _shape(value: Any) -> Hashable:
    if isinstance(value, Tensor):
        return (*value.shape[1:], value.dtype, value.device)
    if isinstance(value, tuple):
        return tuple(_shape(part) for part in cast(tuple[Any, ...], value))
    if is_dataclass(value):
        return (type(value), *(_shape(part) for part in _parts(value)))
    return value


def _joined(values: Sequence[Any]) -> Any:
    first = values[0]
    if isinstance(first, Tensor):
        return torch.cat(list(values))
    if isinstance(first, tuple):
        return tuple(_joined(parts) for parts in zip(*values, strict=True))
    if is_dataclass(first) and not isinstance(first, type):
        columns = zip(*(_parts(value) for value in values), strict=True)
        names = [field.name for field in fields(first)]
        return replace(first, **{name: _joined(parts) for name, parts in zip(names, columns, strict=True)})
    return first


def _num_bytes(value: Any) -> int:
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, tuple):
        return sum(_num_bytes(part) for part in cast(tuple[Any, ...], value))
    return sum(_num_bytes(part) for part in _parts(value)) if is_dataclass(value) else 0
