"""Text to token ids and back, without loss.

A thin wrapper around a byte-level BPE of the ``tokenizers`` library. It knows nothing of chat, tasks or models. Every
string of valid Unicode survives ``decode(encode(text))``; text that spells a special token stays text.
"""

import json
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from redraft.errors import CheckpointError, PromptError
from redraft.text.special import SPECIAL_TEXTS, SpecialTokens

if TYPE_CHECKING:
    import tokenizers

__all__ = ["MAX_VOCAB_SIZE", "Tokenizer"]

MAX_VOCAB_SIZE = 2048
"""A small vocabulary keeps the embedding of a model of a few million parameters from being most of it."""

_PROBE = "0123456789 -1.5×(2+3)²\r\n\tdef f():\0 é e\u0301 请计算 🧮" + "".join(SPECIAL_TEXTS)
"""Has to come back unchanged from a tokenizer that is fit for use."""


@cache
def _byte_of_char() -> dict[str, int]:
    """Return the byte behind each character of a byte-level vocabulary.

    The format writes a printable Latin-1 byte as itself and the others, in order, as the characters from U+0100 on.
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(0x100 + i): byte for i, byte in enumerate(others)}


class Tokenizer:
    """Encodes text to ordinary token ids and decodes them.

    >>> tokenizer = Tokenizer.builtin()
    >>> [tokenizer.token_text(i) for i in tokenizer.encode("12 + 3")]
    ['1', '2', ' + ', '3']
    >>> tokenizer.decode(tokenizer.encode("[MASK] 质数") + [tokenizer.special.end_of_text])
    '[MASK] 质数'
    """

    def __init__(self, json_text: str, backend: "tokenizers.Tokenizer") -> None:
        """Wrap a loaded backend; use ``builtin``, ``load`` or ``from_json`` instead."""
        vocabulary = backend.get_vocab(with_added_tokens=True)
        self._json = json_text
        self._backend = backend
        self._special = SpecialTokens.from_vocabulary(vocabulary)
        self._bytes_of = _bytes_of_ids(vocabulary, self._special.first)
        self._digits = _digit_ids(self._bytes_of)

    @classmethod
    @cache
    def builtin(cls) -> "Tokenizer":
        """Return the tokenizer that ships with the package."""
        return cls.from_json(resources.files("redraft.text").joinpath("tokenizer.json").read_text(encoding="utf-8"))

    @classmethod
    def load(cls, path: Path) -> "Tokenizer":
        """Read a ``tokenizer.json``.

        Args:
            path: The file.

        Returns:
            The tokenizer.

        Raises:
            CheckpointError: The file can't be read, or does not hold a Redraft tokenizer.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CheckpointError(f"can't read the tokenizer {path}: {error}") from error
        return cls.from_json(text)

    @classmethod
    def from_json(cls, text: str) -> "Tokenizer":
        """Build a tokenizer from the content of a ``tokenizer.json``.

        Args:
            text: What ``to_json`` returned.

        Returns:
            The tokenizer, after it was checked to be complete and lossless.

        Raises:
            CheckpointError: The text is damaged or describes another kind of tokenizer.
        """
        _check_layout(text)
        import tokenizers  # here, because commands that load no model should not pay for it

        try:
            backend = tokenizers.Tokenizer.from_str(text)
        except Exception as error:  # the library raises plain Exception
            raise CheckpointError(
                f"the tokenizer can't be loaded ({error}); it is damaged or not Redraft's, "
                "take tokenizer.json from a Redraft checkpoint"
            ) from error
        tokenizer = cls(text, backend)
        if tokenizer.decode(tokenizer.encode(_PROBE)) != _PROBE:
            raise CheckpointError(
                "the tokenizer does not give a text back unchanged; it is damaged or not Redraft's, "
                "take tokenizer.json from a Redraft checkpoint"
            )
        return tokenizer

    def to_json(self) -> str:
        """Return the content of ``tokenizer.json``, byte for byte as it was loaded."""
        return self._json

    def save(self, path: Path) -> None:
        """Write ``tokenizer.json`` to ``path``."""
        path.write_text(self._json, encoding="utf-8", newline="")

    @property
    def vocab_size(self) -> int:
        """Number of ids, special ones included."""
        return len(self._bytes_of) + len(SPECIAL_TEXTS)

    @property
    def special(self) -> SpecialTokens:
        """The special ids. They are the last ones of the vocabulary."""
        return self._special

    @property
    def digit_token_ids(self) -> tuple[int, ...]:
        """The ids of ``0`` to ``9``. An ASCII digit is always one token of its own."""
        return self._digits

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text; never a special one, whatever the text spells.

        Args:
            text: Any text, the empty one included.

        Returns:
            Ordinary token ids, each below ``special.first``.

        Raises:
            PromptError: The text has a lone surrogate, which is no character.
        """
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise PromptError(
                f"the text has a lone surrogate (U+{ord(text[error.start]):04X}) at character {error.start}, which is "
                "not valid Unicode; remove it, or read the file with the encoding that it was written in"
            ) from error
        return self._backend.encode(text, add_special_tokens=False).ids

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of some ids: special ones read as nothing, broken UTF-8 as U+FFFD.

        Args:
            ids: Token ids.

        Returns:
            The text.

        Raises:
            PromptError: An id is not in the vocabulary.
        """
        pieces: list[bytes] = []
        for token_id in ids:
            if not 0 <= token_id < self.vocab_size:
                raise PromptError(
                    f"token id {token_id} is not in the vocabulary; ids run from 0 to {self.vocab_size - 1}"
                )
            if token_id < self._special.first:
                pieces.append(self._bytes_of[token_id])
        return b"".join(pieces).decode("utf-8", errors="replace")

    def token_text(self, token_id: int) -> str:
        """Return what one token reads as: its text, or the name of a special token.

        A token that is only a part of a character reads as U+FFFD.

        Args:
            token_id: An id of the vocabulary.

        Returns:
            The text.

        Raises:
            PromptError: The id is not in the vocabulary.
        """
        if self._special.first <= token_id < self.vocab_size:
            return self._special.text_of(token_id)
        return self.decode([token_id])


def _check_layout(text: str) -> None:
    """Refuse what is not a byte-level BPE of ours before the backend sees it: its own errors are hard to read."""
    try:
        layout = json.loads(text)
    except ValueError as error:
        raise CheckpointError(
            f"the tokenizer is not valid JSON ({error}); it is damaged, take tokenizer.json from a Redraft checkpoint"
        ) from error
    model = layout.get("model") if isinstance(layout, dict) else None
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    complaint = None
    if not isinstance(model, dict) or model.get("type") != "BPE" or not isinstance(vocabulary, dict):
        complaint = "is not a byte-level BPE"
    elif layout.get("added_tokens") or layout.get("normalizer") or layout.get("post_processor"):
        complaint = "adds tokens or changes the text before encoding, which would not be lossless"
    elif len(vocabulary) > MAX_VOCAB_SIZE:
        complaint = f"has {len(vocabulary)} entries, at most {MAX_VOCAB_SIZE} are allowed"
    elif not all(isinstance(i, int) for i in vocabulary.values()) or set(vocabulary.values()) != set(
        range(len(vocabulary))
    ):
        complaint = f"must number its {len(vocabulary)} entries from 0 to {len(vocabulary) - 1} without a gap"
    if complaint is not None:
        raise CheckpointError(f"the tokenizer {complaint}; take tokenizer.json from a Redraft checkpoint")


def _bytes_of_ids(vocabulary: dict[str, int], first_special: int) -> list[bytes]:
    """Return the bytes of every ordinary token, by id."""
    byte_of_char = _byte_of_char()
    ordinary = sorted((i, token) for token, i in vocabulary.items() if i < first_special)
    missing = [char for char in byte_of_char if char not in vocabulary]
    foreign = [token for _, token in ordinary if not byte_of_char.keys() >= set(token)]
    if missing or foreign:
        detail = f"{len(missing)} of the 256 bytes are missing" if missing else f"{foreign[0]!r} is no byte-level token"
        raise CheckpointError(
            f"the tokenizer is not a byte-level BPE ({detail}); it is damaged or not Redraft's, "
            "take tokenizer.json from a Redraft checkpoint"
        )
    return [bytes(byte_of_char[char] for char in token) for _, token in ordinary]


def _digit_ids(bytes_of: list[bytes]) -> tuple[int, ...]:
    """Return the ids of the ten digits, and make sure that no longer token holds one."""
    digits = [str(digit).encode() for digit in range(10)]
    glued = [token for token in bytes_of if len(token) > 1 and any(digit in token for digit in digits)]
    if glued:
        raise CheckpointError(
            f"the tokenizer merges digits ({glued[0].decode('utf-8', 'replace')!r} is one token); each has to be a "
            "token of its own, take tokenizer.json from a Redraft checkpoint"
        )
    return tuple(bytes_of.index(digit) for digit in digits)
