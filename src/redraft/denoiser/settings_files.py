"""The small files of a published folder: what a model is and how it wants to be sampled."""

from pathlib import Path
from typing import Any

from redraft.errors import CheckpointError
from redraft.reading import find_inside, parse_json, read_file

__all__ = ["CONFIG_NAME", "read_settings"]

CONFIG_NAME = "config.json"
_OPTIONAL = {"generation": "generation_config.json", "tokenizer": "tokenizer_config.json"}

_MAX_CONFIG_BYTES = 1 << 20
_MAX_TOKENIZER_CONFIG_BYTES = 4 << 20
"""Its table of added tokens makes it the largest of the three: about 200,000 bytes in published models."""

_MAX_NUMBER = 1 << 53
"""Greatest whole number in a configuration; beyond it readers disagree about what was written."""


def read_settings(folder: Path) -> dict[str, dict[str, Any]]:
    """Read the small files of a published folder.

    Args:
        folder: The checkpoint.

    Returns:
        The contents under ``config``, ``generation_config`` and ``tokenizer_config``; of the last two, what is missing
        is empty.

    Raises:
        CheckpointError: A file is damaged or absurd, or config.json is missing.
    """
    path = find_inside(folder, CONFIG_NAME)
    settings = {"config": parse_json(read_file(path, _MAX_CONFIG_BYTES), folder / CONFIG_NAME)}
    for key, name in _OPTIONAL.items():
        path = find_inside(folder, name)
        limit = _MAX_TOKENIZER_CONFIG_BYTES if key == "tokenizer" else _MAX_CONFIG_BYTES
        settings[f"{key}_config"] = parse_json(read_file(path, limit), folder / name) if path.exists() else {}
    for key in ("config", "generation_config"):
        _refuse_absurd(settings[key], folder / (CONFIG_NAME if key == "config" else _OPTIONAL["generation"]))
    return settings


def _refuse_absurd(value: Any, path: Path) -> None:
    """Refuse numbers that no setting of a model has, wherever in a configuration they stand."""
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(item, int | float) and abs(item) > _MAX_NUMBER:
            raise CheckpointError(
                f"{path} holds the number {str(item)[:40]}, which is absurd; at most 2 ** 53 is allowed"
            )
        _refuse_absurd(item, path)
