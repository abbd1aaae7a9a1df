"""From what ``--model`` says to a folder: a shipped name, a path, or ``owner/name`` on the Hugging Face hub.

Of a repository on the hub, weights as safetensors and small text files are fetched and nothing else: no code, no
pickles. ``HF_HUB_OFFLINE=1`` keeps to what was fetched before.
"""

import os
import re
from pathlib import Path
from typing import Any

from redraft.engine.catalog import resolve
from redraft.engine.hub_client import ask_the_hub
from redraft.errors import CheckpointError

__all__ = ["fetch", "fetch_settings", "is_hub_name", "resolve_model"]

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}(?:@[A-Za-z0-9][\w.-]{0,99})?", re.ASCII)

_SETTINGS = (
    "config.json",
    "generation_config.json",
    "model.safetensors.index.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "chat_template.json",
)
_TOKENIZER = ("tokenizer.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt")
_WEIGHTS = ("model.safetensors", "model-*-of-*.safetensors")
_WEIGHT_FILE = re.compile(r"model(-\d+-of-\d+)?\.safetensors")


def is_hub_name(model: str) -> bool:
    """Say whether this is a name on the hub: ``owner/name``, with ``@revision`` or not, and no folder of that name.

    >>> is_hub_name("GSAI-ML/LLaDA-8B-Instruct"), is_hub_name("./LLaDA"), is_hub_name("nano")
    (True, False, False)
    """
    return _NAME.fullmatch(model) is not None and ".." not in model and not Path(model).exists()


def resolve_model(model: str) -> Path:
    """Return the folder that ``--model`` means; a model on the hub is fetched first.

    Args:
        model: The name of a shipped checkpoint, a path with a separator in it, or ``owner/name`` or
            ``owner/name@revision`` on the hub.

    Returns:
        An existing folder with a config.json.

    Raises:
        ConfigError: There is no such model.
        CheckpointError: It is there and can't be fetched.
        DependencyError: It is on the hub, and ``huggingface_hub`` is not installed.
    """
    return fetch(model) if is_hub_name(model) else resolve(model)


def fetch(name: str) -> Path:
    """Fetch a model from the hub, or find it where it was fetched to before.

    Args:
        name: ``owner/name`` or ``owner/name@revision``.

    Returns:
        Its folder, in the hub's own cache.

    Raises:
        ConfigError: There is no such model, or it can't be had.
        DependencyError: ``huggingface_hub`` is not installed.
    """
    return _snapshot(name, (*_SETTINGS, *_TOKENIZER, *_WEIGHTS))


def fetch_settings(name: str) -> tuple[Path, int | None]:
    """Fetch the small files of a model, to look at it before its weights are fetched.

    Args:
        name: ``owner/name`` or ``owner/name@revision``.

    Returns:
        Its folder, and the size of its weights in bytes where the hub tells.

    Raises:
        ConfigError: There is no such model, or it can't be had.
        DependencyError: ``huggingface_hub`` is not installed.
    """
    folder = _snapshot(name, _SETTINGS)
    if os.environ.get("HF_HUB_OFFLINE", "") not in ("", "0"):
        return folder, None
    repository, _, revision = name.partition("@")

    def total(hub: Any) -> int:
        info: Any = hub.HfApi().model_info(repository, revision=revision or None, files_metadata=True)
        files: list[Any] = info.siblings or []
        return sum(int(file.size or 0) for file in files if _WEIGHT_FILE.fullmatch(file.rfilename))

    return folder, ask_the_hub(name, total) or None


def _snapshot(name: str, patterns: tuple[str, ...]) -> Path:
    repository, _, revision = name.partition("@")

    def download(hub: Any) -> Path:
        # The stars of a pattern match separators as well; nothing below the repository's root is wanted.
        path = hub.snapshot_download(
            repository, revision=revision or None, allow_patterns=list(patterns), ignore_patterns=["*/*"]
        )
        return Path(path)

    folder = ask_the_hub(name, download)
    if not (folder / "config.json").is_file():
        raise CheckpointError(
            f"{name} on the Hugging Face hub has no config.json, so it is no model in a layout known here"
        )
    return folder
