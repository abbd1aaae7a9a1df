"""The small files that belong to a model whatever its layout, and come along when it is written once more."""

import re
from pathlib import Path

from redraft.denoiser.manifest import MANIFEST_NAME
from redraft.denoiser.shards import INDEX_NAME
from redraft.errors import CheckpointError
from redraft.reading import find_inside, read_file

__all__ = ["carried_files"]

_CONFIG_NAME = "config.json"
_MAX_FILE_BYTES = 64 << 20
_MAX_FILES = 64
_CARRIED = re.compile(r"[\w][\w.-]*\.(?:json|jinja|txt|md|model)|LICEN[CS]E[\w.-]*|NOTICE[\w.-]*", re.ASCII)
"""Tokenizers, templates, settings, cards and licences; nothing that could run."""


def carried_files(folder: Path) -> dict[str, bytes]:
    """The small files that belong to a model whatever its layout: tokenizer, template, settings, card, licence.

    Args:
        folder: A published checkpoint.

    Returns:
        Content by name; config.json, the index and the manifest are not among them, nor is any file of code.

    Raises:
        CheckpointError: One is absurdly large, or a link leads out of the folder.
    """
    own = {_CONFIG_NAME, INDEX_NAME, MANIFEST_NAME}
    names = sorted(path.name for path in folder.iterdir() if _CARRIED.fullmatch(path.name) and path.name not in own)
    if len(names) > _MAX_FILES:
        raise CheckpointError(f"{folder} holds {len(names)} small files; at most {_MAX_FILES} are carried over")
    return {name: read_file(find_inside(folder, name), _MAX_FILE_BYTES) for name in names if (folder / name).is_file()}
