"""Gives a published tokenizer a mask token: an id that it has and does not use, or a new one behind all others.

An autoregressive checkpoint has no mask. Its embedding often has rows that no token uses, because the number of rows is
rounded up, or tokens that are reserved for purposes to come; the published block-diffusion models took such ids too
(151665 on Qwen2.5 for Fast-dLLM v2, 151669 on Qwen3 for SDAR: the first unused ones). Only files are read and written
here; the weights of the row are ``redraft.training.block_start``.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from redraft.errors import CheckpointError
from redraft.reading import find_inside, parse_json, read_file
from redraft.text.published_files import read_tokenizer_files

__all__ = ["MaskToken", "choose_mask_token", "files_with_mask_token"]

Origin = Literal["present", "unused", "reserved", "new"]

_MAX_BYTES = 64 << 20
_MAX_VALUES = 3_000_000
_RESERVED = re.compile(r"<\|?(?:reserved_special_token|reserved|unused|extra)_?\d+\|?>")
"""Llama 3 has <|reserved_special_token_0|>, others <unused0> or <|extra_0|>."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MaskToken:
    """A tokenizer's mask, and where it came from."""

    id: int
    """Its id."""
    text: str
    """What it looks like."""
    origin: Origin
    """present: the tokenizer had a mask; unused: an id between the last token and the last row of the embedding;
    reserved: a token without a purpose so far; new: the embedding has to grow by one row."""


def choose_mask_token(folder: Path, *, num_rows: int, text: str) -> MaskToken:
    """Choose the mask of a published folder.

    Args:
        folder: The checkpoint.
        num_rows: Rows of its embedding.
        text: What a mask is to look like if the tokenizer has none.

    Returns:
        The choice: a mask that is there, else the first unused id, else the first reserved token, else a new id.

    Raises:
        CheckpointError: The tokenizer is damaged, or has ids for which the embedding has no row.
    """
    files = read_tokenizer_files(folder)
    id_of: dict[str, int] = {**files.layout["model"]["vocab"], **{token.text: token.id for token in files.added}}
    used = set(id_of.values())
    if max(used, default=-1) >= num_rows:
        raise CheckpointError(
            f"{folder}: its tokenizer has the id {max(used)}, its embedding {num_rows} rows; do they belong together?"
        )
    for known in (files.named.get("mask_token"), text):
        if known is not None and known in id_of:
            return MaskToken(id=id_of[known], text=known, origin="present")
    unused = next((id for id in range(num_rows) if id not in used), None)
    if unused is not None:
        return MaskToken(id=unused, text=text, origin="unused")
    taken = {*files.named.values()}
    reserved = [
        token
        for token in files.added
        if _RESERVED.fullmatch(token.text) and token.text not in taken and token.id not in files.ends
    ]
    if reserved:
        return MaskToken(id=reserved[0].id, text=reserved[0].text, origin="reserved")
    return MaskToken(id=num_rows, text=text, origin="new")


def files_with_mask_token(folder: Path, mask: MaskToken) -> dict[str, bytes]:
    """The files of the tokenizer that have to change so that every reader finds the mask.

    Args:
        folder: The checkpoint.
        mask: What ``choose_mask_token`` chose.

    Returns:
        New content by file name; tokenizer_config.json is always among them.

    Raises:
        CheckpointError: A file is damaged.
    """
    entry = {
        "content": mask.text,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }

    def add_to_tokenizer(values: dict[str, Any]) -> None:
        added = [other for other in values.get("added_tokens") or [] if other.get("id") != mask.id]
        values["added_tokens"] = sorted([*added, {"id": mask.id, **entry}], key=lambda other: other["id"])

    def add_to_settings(values: dict[str, Any]) -> None:
        values["mask_token"] = mask.text
        values["added_tokens_decoder"] = {**(values.get("added_tokens_decoder") or {}), str(mask.id): entry}

    def add_to_map(values: dict[str, Any]) -> None:
        values["mask_token"] = mask.text

    def add_to_list(values: dict[str, Any]) -> None:
        values[mask.text] = mask.id

    changed = _changed(folder, "tokenizer_config.json", add_to_settings, is_required=True)
    changed |= _changed(folder, "tokenizer.json", add_to_tokenizer)
    changed |= _changed(folder, "special_tokens_map.json", add_to_map)
    return changed | _changed(folder, "added_tokens.json", add_to_list)


def _changed(
    folder: Path, name: str, change: Callable[[dict[str, Any]], None], *, is_required: bool = False
) -> dict[str, bytes]:
    """One file with a change made to it; nothing where there is none, unless it is required."""
    path = find_inside(folder, name)
    if not path.exists() and not is_required:
        return {}
    raw = read_file(path, _MAX_BYTES) if path.exists() else b"{}"
    values = parse_json(raw, folder / name, max_values=_MAX_VALUES)
    change(values)
    return {name: (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode()}
