"""Tokens that a published tokenizer finds in a text before anything else is done to it, and those that have a name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redraft.errors import CheckpointError
from redraft.text.pipeline_checks import MAX_ID

__all__ = ["AddedToken", "extra_texts", "named_texts", "plain_token", "read_added_tokens"]

_MAX_ADDED = 20_000
_MAX_TOKEN_CHARS = 256
_NAMES = ("bos", "eos", "pad", "mask", "unk")


@dataclass(frozen=True, kw_only=True, slots=True)
class AddedToken:
    """A token that is found in a text before anything else is done to it."""

    text: str
    """What it looks like."""
    id: int
    """Its id."""
    is_special: bool
    """Whether it is marked as no text."""
    takes_left: bool
    """Whether it swallows white space before it."""
    takes_right: bool
    """Whether it swallows white space after it."""
    is_single_word: bool
    """Whether it counts only between things that are no letters."""
    is_normalised: bool
    """Whether it is looked for after the text was normalised."""


def read_added_tokens(
    listed: Any, settings: Mapping[str, Any], older: Mapping[str, Any], path: Path
) -> tuple[AddedToken, ...]:
    """Return the added tokens of tokenizer.json, and what only the files beside it know."""
    listed = [] if listed is None else listed
    decoder = settings.get("added_tokens_decoder") or {}
    if not isinstance(listed, list) or not isinstance(decoder, dict) or len(listed) + len(decoder) > 2 * _MAX_ADDED:
        raise CheckpointError(f"{path}: its added tokens are malformed or more than {_MAX_ADDED}")
    entries = [entry if isinstance(entry, dict) else {} for entry in listed]
    entries += [{**entry, "id": _whole(key)} for key, entry in decoder.items() if isinstance(entry, dict)]
    entries += [{"content": text, "id": id, "normalized": False} for text, id in older.items()]
    tokens: dict[str, AddedToken] = {}
    for entry in entries:
        text, id = entry.get("content"), entry.get("id")
        if (
            not isinstance(text, str)
            or not 0 < len(text) <= _MAX_TOKEN_CHARS
            or type(id) is not int
            or not 0 <= id < MAX_ID
        ):
            raise CheckpointError(f"{path}: the added token {str(text)[:40]!r} with id {str(id)[:40]} is malformed")
        flags = {key: bool(entry.get(key)) for key in ("special", "lstrip", "rstrip", "single_word", "normalized")}
        token = AddedToken(
            text=text,
            id=id,
            is_special=flags["special"] or (text in tokens and tokens[text].is_special),
            takes_left=flags["lstrip"],
            takes_right=flags["rstrip"],
            is_single_word=flags["single_word"],
            is_normalised=flags["normalized"],
        )
        if text in tokens and tokens[text].id != id:
            raise CheckpointError(f"{path} and the files beside it disagree about the id of {text[:80]!r}")
        tokens[text] = tokens.get(text, token) if not flags["special"] else token
    return tuple(sorted(tokens.values(), key=lambda token: token.id))


def plain_token(text: str, id: int) -> AddedToken:
    """Return a token without any flag."""
    flags = dict.fromkeys(("is_special", "takes_left", "takes_right", "is_single_word", "is_normalised"), False)
    return AddedToken(text=text, id=id, **flags)


def extra_texts(settings: Mapping[str, Any]) -> set[str]:
    """Return the texts that a configuration lists as special without giving them a name."""
    found: set[str] = set()
    for key in ("additional_special_tokens", "extra_special_tokens"):
        listed = settings.get(key)
        for value in listed.values() if isinstance(listed, dict) else listed if isinstance(listed, list) else ():
            text = value.get("content") if isinstance(value, dict) else value
            if isinstance(text, str) and 0 < len(text) <= _MAX_TOKEN_CHARS:
                found.add(text)
    return found


def _whole(key: Any) -> int:
    return int(key) if isinstance(key, str) and key.isascii() and key.isdecimal() and len(key) < 10 else -1


def named_texts(settings: Mapping[str, Any], older: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Return the texts of the tokens that have a name."""
    named: dict[str, str] = {}
    for name in (f"{name}_token" for name in _NAMES):
        value = settings.get(name, older.get(name))
        text = value.get("content") if isinstance(value, dict) else value
        if text is None:
            continue
        if not isinstance(text, str) or not 0 < len(text) <= _MAX_TOKEN_CHARS:
            raise CheckpointError(f"{folder / 'tokenizer_config.json'}: its {name} {str(text)[:40]!r} is no token")
        named[name] = text
    return named
