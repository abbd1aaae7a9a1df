"""Reads a task's dials from a recipe's table."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from redraft.errors import ConfigError, did_you_mean

__all__ = ["check_range", "read_dials"]

Record = TypeVar("Record")


def read_dials(kind: type[Record], table: Mapping[str, Any], task: str) -> Record:
    """Make a dials record.

    Args:
        kind: The task's record, whose fields are whole numbers.
        table: What the recipe says.
        task: Name of the task, for the message.

    Returns:
        The record; its own checks have passed.

    Raises:
        ConfigError: If a key is unknown or a value is no whole number.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for key, value in table.items():
        if key not in names:
            raise ConfigError(f"the task {task} has no dial {key!r}; {did_you_mean(key, names)}")
        if type(value) is not int:
            raise ConfigError(f"{task}.{key}={value!r} is not a whole number")
    return kind(**table)


def check_range(name: str, low: int, high: int, *, least: int, most: int) -> None:
    """Refuse a pair of bounds that is out of order or out of range.

    Args:
        name: What is bounded, for the message.
        low: The lower bound that came.
        high: The upper bound that came.
        least: Least allowed lower bound.
        most: Largest allowed upper bound.

    Raises:
        ConfigError: If it is.
    """
    if not least <= low <= high <= most:
        raise ConfigError(f"{name} from {low} to {high} is impossible; use {least} <= min <= max <= {most}")
