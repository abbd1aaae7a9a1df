"""Which tokenizers are taken: the parts that the families' tokenizers are made of, with nothing out of proportion.

The library behind them trusts what it reads: a chain of replacements doubles a text forty times, and a pattern may
search for ever.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from redraft.errors import CheckpointError

__all__ = ["MAX_ID", "read_layout"]

MAX_ID = 1 << 22
_MAX_PATTERN_CHARS = 4096
_MAX_PARTS = 8
_MAX_GROWTH = 4

_PARTS: Mapping[str, frozenset[str]] = {
    "normalizer": frozenset({"NFC", "NFD", "NFKC", "NFKD", "Replace", "Prepend", "Sequence"}),
    "pre_tokenizer": frozenset({"ByteLevel", "Split", "Digits", "Metaspace", "Sequence"}),
    "decoder": frozenset({"ByteLevel", "Replace", "ByteFallback", "Fuse", "Strip", "Metaspace", "Sequence"}),
}
_LISTS = ("normalizers", "pretokenizers", "decoders")

_CLASS = re.compile(r"\[(?:\\.|[^\]\\])*\]")
_SLOW = re.compile(r"\)(?:[*+]|\{\d*,\d*\}|\{\d{2,}\})|\\[gk1-9]|\(\?[&(]")
"""Repeated groups, references and recursion: what makes a search exponential, and what no published pattern uses."""


def read_layout(layout: dict[str, Any], path: Path) -> dict[str, int]:
    """Refuse a tokenizer of another kind, and return its vocabulary.

    Args:
        layout: Content of a tokenizer.json; a model without a type is given one.
        path: Where it came from, for the message.

    Returns:
        Token text to id.

    Raises:
        CheckpointError: It is of another kind, damaged, or out of proportion.
    """
    model = layout.get("model")
    if not isinstance(model, dict) or model.get("type", "BPE") != "BPE":
        kind = model.get("type") if isinstance(model, dict) else model
        raise CheckpointError(f"{path}: a tokenizer of type {str(kind)[:40]!r} is not supported; BPE is")
    if model.get("dropout"):
        raise CheckpointError(f"{path}: the tokenizer draws its merges at random (dropout), which no prompt should")
    vocabulary, merges = model.get("vocab"), model.get("merges")
    if not isinstance(vocabulary, dict) or not isinstance(merges, list):
        raise CheckpointError(f"{path}: the tokenizer has no vocabulary or no merges")
    if any(type(i) is not int or not 0 <= i < MAX_ID for i in vocabulary.values()):
        raise CheckpointError(f"{path}: the vocabulary has ids that are not whole numbers in 0 to {MAX_ID - 1}")
    if len(set(vocabulary.values())) != len(vocabulary):
        raise CheckpointError(f"{path}: the vocabulary gives an id to two tokens")
    model["type"] = "BPE"  # older files leave it out
    for name in _PARTS:
        _check_part(layout.get(name), name, path)
    return vocabulary


def _check_part(part: Any, name: str, path: Path, depth: int = 0) -> None:
    """Refuse a step of the pipeline that the families' tokenizers don't need, or that makes much out of little."""
    if part is None:
        return
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(kind, str) or kind not in _PARTS[name] or depth > 2:
        raise CheckpointError(f"{path}: a {name} of type {str(kind)[:40]!r} is not supported")
    inside = next((part[key] for key in _LISTS if key in part), [])
    if not isinstance(inside, list) or len(inside) > _MAX_PARTS:
        raise CheckpointError(f"{path}: its {name} is malformed or has more than {_MAX_PARTS} parts")
    for item in inside:
        _check_part(item, name, path, depth + 1)
    if sum(isinstance(item, dict) and item.get("type") in ("Replace", "Prepend") for item in inside) > 3:
        raise CheckpointError(f"{path}: its {name} replaces more than three things")
    added = part.get("content") if kind == "Replace" else part.get("prepend") if kind == "Prepend" else ""
    if not isinstance(added, str) or len(added) > _MAX_GROWTH:
        raise CheckpointError(
            f"{path}: its {name} puts in {str(added)[:40]!r}; at most {_MAX_GROWTH} characters are allowed"
        )
    if part.get("prepend_scheme") == "first":
        raise CheckpointError(f"{path}: its {name} treats the beginning of a text differently, which is not supported")
    pattern = part.get("pattern")
    pattern = next(iter(pattern.values()), "") if isinstance(pattern, dict) else pattern
    is_expression = isinstance(part.get("pattern"), dict) and "Regex" in part["pattern"]
    if pattern is not None and (not isinstance(pattern, str) or not 0 < len(pattern) <= _MAX_PATTERN_CHARS):
        raise CheckpointError(f"{path}: a pattern of its {name} is no text of 1 to {_MAX_PATTERN_CHARS} characters")
    if is_expression and pattern is not None and _SLOW.search(_CLASS.sub("x", pattern)):
        raise CheckpointError(
            f"{path}: a pattern of its {name} can take for ever; no published model has one of its kind"
        )
