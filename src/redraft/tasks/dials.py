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
        kind: The task's record, whose fields are whole numbers or, where the default is a tuple, lists of names.
        table: What the recipe says.
        task: Name of the task, for the message.

    Returns:
        The record; its own checks have passed.

    Raises:
        ConfigError: If a key is unknown, or a value neither a whole number nor a list of names where one is wanted.
    """
    defaults = {field.name: field.default for field in fields(kind)}  # type: ignore[arg-type]
    settings = dict[str, Any]()
    for key, value in table.items():
        if key not in defaults:
            raise ConfigError(f"the task {task} has no dial {key!r}; {did_you_mean(key, list(defaults))}")
        if isinstance(defaults[key], tuple):
            if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) for name in value):
                raise ConfigError(f'{task}.{key}={value!r} is no list of names; write it like ["one", "another"]')
            settings[key] = tuple(value)
        elif type(value) is not int:
            raise ConfigError(f"{task}.{key}={value!r} is not a whole number")
        else:
            settings[key] = value
    return kind(**settings)


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
