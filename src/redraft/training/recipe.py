"""Reads a recipe from TOML, with overrides, and says what a resolved one holds.

No code runs, nothing is resolved from elsewhere, and nothing is dropped in silence: an unknown key is an error that
names the nearest known one.
"""

import json
import tomllib
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from redraft.denoiser import TransformerConfig
from redraft.errors import ConfigError, did_you_mean
from redraft.text import Tokenizer
from redraft.training.adapt_config import AdaptRecipe
from redraft.training.arms import ArmRecipe
from redraft.training.config import Recipe

__all__ = [
    "build_adapt_recipe",
    "build_recipe",
    "differing_keys",
    "is_adaptation",
    "load_recipe",
    "parse_override",
    "read_table",
    "recipe_to_dict",
]

FROM_TOKENIZER = ("vocab_size", "digit_token_ids")
"""Model settings that follow from the tokenizer, so a recipe can't contradict it."""

MAY_CHANGE = (
    "data.first_width",
    "data.num_workers",
    "train.max_steps",
    "train.max_seconds",
    "train.num_threads",
    "train.compile",
    "train.log_seconds",
    "train.checkpoint_seconds",
    "train.checkpoint_steps",
    "train.keep_checkpoints",
    "train.validate_seconds",
    "train.validate_steps",
    "train.validate_batches",
    "train.plot",
)
"""Keys that a resumed run may change: the length, what is written when, who draws, and two that touch the last bits."""


def load_recipe(path: Path, overrides: Sequence[str] = (), *, tokenizer: Tokenizer | None = None) -> Recipe:
    """Read a recipe file and apply overrides.

    Args:
        path: The TOML file.
        overrides: Texts of the form ``section.key=value``, the value in TOML syntax or a bare string.
        tokenizer: Fixes the vocabulary; the built-in one by default.

    Returns:
        The resolved recipe.

    Raises:
        ConfigError: If the file can't be read, or a key or value is not allowed.
    """
    return build_recipe(read_table(path, overrides), tokenizer=tokenizer)


def read_table(path: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Read a recipe file of either kind and apply overrides, without a look at what the keys mean.

    Args:
        path: The TOML file.
        overrides: As for ``load_recipe``.

    Returns:
        The table, for ``build_recipe`` or ``build_adapt_recipe``.

    Raises:
        ConfigError: If the file can't be read, or an override does not fit it.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"can't read the recipe {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the recipe {path} is not valid TOML: {error}") from error
    for override in overrides:
        _set(table, *parse_override(override))
    return table


def is_adaptation(table: Mapping[str, Any]) -> bool:
    """Whether a table is of the kind that adapts a public model: it says ``train.start_from`` and has no mixture."""
    train, data = table.get("train"), table.get("data")
    has_mixture = isinstance(data, Mapping) and "mixture" in data
    return isinstance(train, Mapping) and "start_from" in train and not has_mixture


def build_adapt_recipe(table: Mapping[str, Any]) -> AdaptRecipe:
    """Turn a parsed table into a recipe for adapting a public model.

    Args:
        table: What the TOML file says.

    Returns:
        The resolved recipe.

    Raises:
        ConfigError: If a key or value is not allowed.
    """
    return _build(AdaptRecipe, table, "")


def build_recipe(table: Mapping[str, Any], *, tokenizer: Tokenizer | None = None) -> Recipe:
    """Turn a parsed table into a recipe.

    Args:
        table: What the TOML file says.
        tokenizer: Fixes the vocabulary; the built-in one by default.

    Returns:
        The resolved recipe.

    Raises:
        ConfigError: If a key or value is not allowed.
    """
    tokenizer = tokenizer or Tokenizer.builtin()
    model = table.get("model", {})
    if not isinstance(model, Mapping):
        raise ConfigError(f"model={model!r} is not a table; write [model] and keys below it")
    for name in FROM_TOKENIZER:
        if name in model:
            raise ConfigError(f"model.{name} follows from the tokenizer; leave it out")
    arm: ArmRecipe = _build(ArmRecipe, table.get("arm", {}), "arm")
    for name, value in arm.sight.items():
        if model.get(name, value) != value:
            raise ConfigError(f"model.{name} follows from arm.name={arm.name!r}; leave it out and set that")
    derived = {"vocab_size": tokenizer.vocab_size, "digit_token_ids": tuple(tokenizer.digit_token_ids)}
    config = TransformerConfig.from_dict({**model, **derived, **arm.sight})
    recipe: Recipe = _build(Recipe, {**table, "model": config}, "")
    return replace(recipe, optimizer=replace(recipe.optimizer, **arm.own_rates))


def parse_override(text: str) -> tuple[list[str], Any]:
    """Split an override into its keys and its value.

    >>> parse_override("train.max_steps=12")
    (['train', 'max_steps'], 12)
    >>> parse_override("train.device=cpu")
    (['train', 'device'], 'cpu')

    Args:
        text: Of the form ``section.key=value``, the value in TOML syntax or a bare string.

    Returns:
        The keys, outermost first, and the value.

    Raises:
        ConfigError: If the text has no such form.
    """
    path, equals, value = text.partition("=")
    keys = [key.strip() for key in path.split(".")]
    if not equals or len(keys) < 2 or not all(keys):
        raise ConfigError(f"the override {text!r} has not the form section.key=value, for example train.max_steps=100")
    try:
        return keys, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return keys, value.strip()


def recipe_to_dict(recipe: Recipe | AdaptRecipe) -> dict[str, Any]:
    """Plain values of every setting, defaults included, ready for JSON."""
    return _plain(recipe)


def differing_keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Dotted keys, in order, by which two resolved recipes differ where a resumed run may not.

    >>> differing_keys({"train": {"seed": 0, "max_steps": 5}}, {"train": {"seed": 1, "max_steps": 9}})
    ['train.seed']
    """
    flat_old, flat_new = _flatten(old), _flatten(new)
    keys = sorted(flat_old.keys() | flat_new.keys())
    return [key for key in keys if key not in MAY_CHANGE and flat_old.get(key, MISSING) != flat_new.get(key, MISSING)]


def _flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        items = ((str(index), item) for index, item in enumerate(value))
    else:
        return {prefix: value}
    return {k: v for name, item in items for k, v in _flatten(item, f"{prefix}.{name}" if prefix else name).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, TransformerConfig):
        return value.to_dict()
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _set(table: dict[str, Any], keys: list[str], value: Any) -> None:
    place: Any = table
    for depth, key in enumerate(keys[:-1]):
        # A mixture entry is addressed by its index: data.mixture.0.weight=2
        if isinstance(place, list):
            if not key.isdigit() or int(key) >= len(place):
                raise ConfigError(f"{'.'.join(keys[:depth])} has entries 0 to {len(place) - 1}, not {key!r}")
            place = place[int(key)]
        else:
            place = place.setdefault(key, {})
        if not isinstance(place, dict | list):
            raise ConfigError(f"{'.'.join(keys[: depth + 1])} is a value, so it has no key {keys[depth + 1]!r}")
    if isinstance(place, list):
        raise ConfigError(f"{'.'.join(keys[:-1])} is a list; name a key of one entry, for example .0.weight")
    place[keys[-1]] = value


def _build(kind: type, table: Any, path: str) -> Any:
    """Check a table against a dataclass and build it."""
    where = path or "the recipe"
    if not isinstance(table, Mapping):
        raise ConfigError(f"{where}={table!r} is not a table; write [{path}] and keys below it")
    hints = get_type_hints(kind)
    for key in table:
        if key not in hints:
            raise ConfigError(f"{f'{path}.' if path else ''}{key} is not a recipe key; {did_you_mean(key, hints)}")
    prefix = f"{path}." if path else ""
    values = {}
    for name, hint in hints.items():
        field = next(field for field in fields(kind) if field.name == name)
        required = field.default is MISSING and field.default_factory is MISSING
        if name in table or is_dataclass(hint):
            values[name] = _convert(hint, table.get(name, {}), f"{prefix}{name}")
        elif required:
            raise ConfigError(f"{prefix}{name} is missing; set it in the recipe")
    try:
        return kind(**values)
    except ConfigError as error:
        raise ConfigError(f"in {where}: {error}") from None


def _convert(hint: Any, value: Any, path: str) -> Any:
    """Check one value against its type; whole numbers pass as fractions, nothing else is coerced."""
    if hint is TransformerConfig:
        return value
    if is_dataclass(hint):
        return _build(hint, value, path)  # pyright: ignore[reportArgumentType]
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        # TOML has no null, but a resolved recipe read back from JSON has.
        return None if value is None else _convert(next(k for k in get_args(hint) if k is not type(None)), value, path)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{path}={value!r} is not a list")
        return tuple(_convert(get_args(hint)[0], item, f"{path}.{index}") for index, item in enumerate(value))
    if hint is float and type(value) is int:
        return float(value)
    expected = dict if origin is not None else hint
    if type(value) is not expected:
        names = {int: "whole number", float: "number", str: "string", bool: "true or false", dict: "table"}
        raise ConfigError(f"{path}={json.dumps(value, default=str)} is not a {names[expected]}")
    return value
