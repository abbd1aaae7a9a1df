"""What a ``tokenizer.json`` of ours holds, and the checks before anything is made of it.

Two files differ in the vocabulary, in the merges, and in which of three patterns cuts. All else is compared with the
layout here, and refused if it is not the same: the library behind the tokenizer ends the whole process on some damaged
patterns.
"""

import json
from functools import cache
from typing import Any

from redraft.errors import CheckpointError
from redraft.text.special import SPECIAL_TEXTS

__all__ = [
    "CHARACTER_PATTERN",
    "MAX_VOCAB_SIZE",
    "PIECE_PATTERN",
    "WORD_PATTERN",
    "bytes_of_tokens",
    "digit_ids",
    "layout_of",
    "read_vocabulary",
]

MAX_VOCAB_SIZE = 2048
"""A small vocabulary keeps the embedding of a model of a few million parameters from being most of it."""

_BINARY = r"+\-−*×/÷=^·"
_BARE = r"()√²³"
_LETTER = r"[\p{L}\p{M}&&[^\p{Han}\p{Hiragana}\p{Katakana}]]"
_PUNCTUATION = rf"[^\s\p{{L}}\p{{M}}0-9<{_BINARY}{_BARE}]"
_IDEOGRAM = r"[\p{Han}\p{Hiragana}\p{Katakana}]"


def _pattern(word: str, ideograms: str) -> str:
    """Return what cuts a text, given what cuts a word off and what cuts off words without spaces between them."""
    cuts = (
        r"[0-9]",
        # Operators of programs, and marks of HTML and of addresses, that maths does not use.
        r" ?(?:\*\*|//|->|[=!<>+\-*/]=) ?",
        r" ?/>|://|\(\)|\):",
        rf" ?[{_BINARY}] ?",
        rf"[{_BARE}]",
        # In a list of numbers the space belongs to the comma; before a word it does not.
        r"[,:] (?!\p{L})",
        r"\r?\n[ \t]{0,32}",
        word,
        ideograms,
        r"<[!?/]?",
        rf" ?{_PUNCTUATION}{{1,16}}",
        r"[ \t]{1,32}(?!\S)",
        r"\s",
    )
    return "|".join(cuts)


PIECE_PATTERN = _pattern(rf"(?: |[._]|</?)?{_LETTER}{{1,32}}", rf"{_IDEOGRAM}{{1,32}}")
"""Cuts a text into pieces; tokens never cross a cut. Every repetition is bounded, so that no text is slow.

The trained models depend on it as much as on the vocabulary: a change makes every checkpoint foreign.
"""

WORD_PATTERN = _pattern(rf"(?:[._]|</?)?{_LETTER}{{1,32}}", _IDEOGRAM)
"""The same with the space before a word and each ideogram on its own, so that a word has the same pieces wherever it
stands: for models that copy words from one place to another."""

CHARACTER_PATTERN = r"[\s\S]"
"""Cuts a text into single characters, for models that change text letter by letter."""


_WHAT_TO_DO = "it is damaged or not Redraft's, take tokenizer.json from a Redraft checkpoint"


def layout_of(vocabulary: dict[str, int], merges: list[Any], pattern: str = PIECE_PATTERN) -> dict[str, Any]:
    """Return the content of a ``tokenizer.json``: no added tokens, no normaliser, pieces, then byte-level BPE."""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False},
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
            ],
        },
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": vocabulary,
            "merges": merges,
        },
    }


def read_vocabulary(text: str) -> dict[str, int]:
    """Return the vocabulary of a ``tokenizer.json``.

    Args:
        text: The content of the file.

    Returns:
        Token text to id; the ids run from 0 without a gap.

    Raises:
        CheckpointError: The text is damaged, or describes another kind of tokenizer.
    """
    try:
        layout = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"the tokenizer is not valid JSON ({error}); {_WHAT_TO_DO}") from error
    model = layout.get("model") if isinstance(layout, dict) else None
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    merges = model.get("merges") if isinstance(model, dict) else None
    if not isinstance(vocabulary, dict) or not isinstance(merges, list):
        raise CheckpointError(f"the tokenizer is not a byte-level BPE; {_WHAT_TO_DO}")
    layouts = [layout_of(vocabulary, merges, each) for each in (PIECE_PATTERN, WORD_PATTERN, CHARACTER_PATTERN)]
    same_cut = (ours for ours in layouts if ours["pre_tokenizer"] == layout.get("pre_tokenizer"))
    complaint = _first_difference(layout, next(same_cut, layouts[0])) or _complaint(vocabulary, merges)
    if complaint is not None:
        raise CheckpointError(f"the tokenizer {complaint}; {_WHAT_TO_DO}")
    return vocabulary


def _first_difference(layout: dict[str, Any], ours: dict[str, Any]) -> str | None:
    """Say which part of a layout is not ours; None if all are."""
    for part in (*ours, *layout):
        if part not in ours or part not in layout or layout[part] != ours[part]:
            return f"has another {part} than the tokenizers of this version"
    return None


def _complaint(vocabulary: dict[str, int], merges: list[Any]) -> str | None:
    """Say what is wrong with the numbering or the merges; None if nothing is."""
    size = len(vocabulary)
    if size > MAX_VOCAB_SIZE:
        return f"has {size} entries, at most {MAX_VOCAB_SIZE} are allowed"
    if any(type(i) is not int for i in vocabulary.values()) or set(vocabulary.values()) != set(range(size)):
        return f"does not number its {size} entries from 0 to {size - 1} without a gap"
    for merge in merges:
        is_pair = isinstance(merge, list) and len(merge) == 2 and all(isinstance(part, str) for part in merge)
        if not is_pair or not vocabulary.keys() >= {*merge, "".join(merge)}:
            return f"has a merge that does not fit its vocabulary: {merge!r}"
    merged = {"".join(merge) for merge in merges}
    expected = {token for token in vocabulary if len(token) > 1 and token not in SPECIAL_TEXTS}
    if merged != expected:
        return (
            f"has no merge that leads to {len(expected - merged)} entries, and {len(merged - expected)} to special ones"
        )
    return None


@cache
def _byte_of_char() -> dict[str, int]:
    """Return the byte behind each character of a byte-level vocabulary.

    The format writes a printable Latin-1 byte as itself and the others, in order, as the characters from U+0100 on.
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(0x100 + i): byte for i, byte in enumerate(others)}


def bytes_of_tokens(vocabulary: dict[str, int], num_ordinary: int) -> list[bytes]:
    """Return the bytes of every ordinary token, by id.

    Args:
        vocabulary: What ``read_vocabulary`` returned.
        num_ordinary: Number of ordinary tokens; their ids come first.

    Returns:
        One entry per ordinary token.

    Raises:
        CheckpointError: A token is not written in the byte-level alphabet, or one of the 256 bytes has no token.
    """
    byte_of_char = _byte_of_char()
    missing = [char for char in byte_of_char if vocabulary.get(char, num_ordinary) >= num_ordinary]
    if missing:
        raise CheckpointError(f"the tokenizer has no token for {len(missing)} of the 256 bytes; {_WHAT_TO_DO}")
    tokens = sorted((i, token) for token, i in vocabulary.items() if i < num_ordinary)
    foreign = [token for _, token in tokens if not byte_of_char.keys() >= set(token)]
    if foreign:
        raise CheckpointError(f"the tokenizer's entry {foreign[0]!r} is no byte-level token; {_WHAT_TO_DO}")
    return [bytes(byte_of_char[char] for char in token) for _, token in tokens]


def digit_ids(bytes_of: list[bytes]) -> tuple[int, ...]:
    """Return the ids of the ten digits.

    Args:
        bytes_of: What ``bytes_of_tokens`` returned.

    Returns:
        The ids of 0 to 9.

    Raises:
        CheckpointError: A longer token holds a digit.
    """
    digits = [str(digit).encode() for digit in range(10)]
    glued = [token for token in bytes_of if len(token) > 1 and any(digit in token for digit in digits)]
    if glued:
        what = glued[0].decode("utf-8", "replace")
        raise CheckpointError(f"the tokenizer has {what!r} as one token, but a digit stands alone; {_WHAT_TO_DO}")
    return tuple(bytes_of.index(digit) for digit in digits)
