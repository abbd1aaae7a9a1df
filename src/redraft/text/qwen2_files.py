"""Tokenizers that are published as ``vocab.json`` and ``merges.txt``, without a ``tokenizer.json``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from redraft.errors import CheckpointError
from redraft.reading import find_inside, parse_json, read_file

__all__ = ["MAX_BYTES", "MAX_VALUES", "read_qwen2"]

MAX_BYTES = 64 << 20
"""Gemma's tokenizer.json, the largest of them, has 33 million."""

MAX_VALUES = 3_000_000
"""Of a tokenizer.json: an entry of the vocabulary counts as two, a merge as three; Gemma's has 2.1 million."""

_QWEN2_CLASSES = ("Qwen2Tokenizer", "Qwen2TokenizerFast", "DreamTokenizer")
"""Tokenizers that are published as vocab.json and merges.txt, and share Qwen2's way to cut a text."""

_QWEN2_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""A fact of the format: it stands in the tokenizer.json of every Qwen2 model."""


def read_qwen2(folder: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the layout that vocab.json and merges.txt stand for.

    Args:
        folder: The checkpoint.
        settings: Content of its tokenizer_config.json.

    Returns:
        What its tokenizer.json would hold, added tokens left out.

    Raises:
        CheckpointError: The files are missing or damaged, or the tokenizer cuts texts in another way than Qwen2's.
    """
    kind = settings.get("tokenizer_class")
    if not find_inside(folder, "vocab.json").exists() or kind not in _QWEN2_CLASSES:
        raise CheckpointError(
            f"{folder} has no tokenizer.json, and its tokenizer class {str(kind)[:80]!r} is not one of "
            f"{', '.join(_QWEN2_CLASSES)}, for which vocab.json and merges.txt are enough"
        )
    path = folder / "vocab.json"
    vocabulary = parse_json(read_file(find_inside(folder, path.name), MAX_BYTES), path, max_values=MAX_VALUES)
    try:
        lines = read_file(find_inside(folder, "merges.txt"), MAX_BYTES).decode().split("\n")
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{folder / 'merges.txt'} is not UTF-8 text") from error
    merges = [line.rstrip("\r").split(" ") for line in lines if line.strip() and not line.startswith("#version")]
    split = {"type": "Split", "pattern": {"Regex": _QWEN2_PATTERN}, "behavior": "Isolated", "invert": False}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    return {
        "version": "1.0",
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]},
        "decoder": byte_level,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": merges},
    }
