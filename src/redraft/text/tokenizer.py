"""Text to token ids and back, without loss.

A thin wrapper around a byte-level BPE of the ``tokenizers`` library. It knows nothing of chat, tasks or models. Every
string of valid Unicode survives ``decode(encode(text))``; text that spells a special token stays text.
"""

import json
from collections.abc import Iterable
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from string import ascii_letters, digits
from typing import TYPE_CHECKING

from redraft.errors import CheckpointError, PromptError
from redraft.text.slack import SLACK_EVERY
from redraft.text.special import SPECIAL_TEXTS, SpecialTokens
from redraft.text.vocabulary import (
    CHARACTER_PATTERN,
    PIECE_PATTERN,
    WORD_PATTERN,
    bytes_of_tokens,
    digit_ids,
    layout_of,
    read_vocabulary,
)

if TYPE_CHECKING:
    import tokenizers

__all__ = ["Tokenizer"]


_CONTINUATIONS = frozenset(bytes([byte]) for byte in range(0x80, 0xC0))
"""Bytes of UTF-8 that never begin a character."""


class Tokenizer:
    """Encodes text to ordinary token ids and decodes them.

    >>> tokenizer = Tokenizer.builtin()
    >>> [tokenizer.token_text(i) for i in tokenizer.encode("12 + 3")]
    ['1', '2', ' + ', '3']
    >>> tokenizer.decode(tokenizer.encode("[MASK] 质数") + [tokenizer.special.end_of_text])
    '[MASK] 质数'

    Made by ``builtin``, ``load`` or ``from_json``.
    """

    def __init__(self, json_text: str, vocabulary: dict[str, int], backend: "tokenizers.Tokenizer") -> None:
        self._json = json_text
        self._backend = backend
        self._special = SpecialTokens.from_vocabulary(vocabulary)
        bytes_of = bytes_of_tokens(vocabulary, self._special.first)
        self._digits = digit_ids(bytes_of)
        self._bytes_of = [*bytes_of, *(b"" for _ in SPECIAL_TEXTS)]

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
            The tokenizer, after it was checked to be complete.

        Raises:
            CheckpointError: The text is damaged or describes another kind of tokenizer.
        """
        vocabulary = read_vocabulary(text)
        import tokenizers  # here, because commands that load no model should not pay for it

        try:
            backend = tokenizers.Tokenizer.from_str(text)
        except Exception as error:  # the library raises plain Exception
            raise CheckpointError(
                f"the tokenizer can't be loaded ({error}); it is damaged or not Redraft's, "
                "take tokenizer.json from a Redraft checkpoint"
            ) from error
        return cls(text, vocabulary, backend)

    @cached_property
    def slack_every(self) -> int:
        """Most tokens between two slots of a draft: ``SLACK_EVERY``, or 2 characters, one of which is easily put in."""
        return 2 if self._cuts_characters else SLACK_EVERY

    @property
    def _cuts_characters(self) -> bool:
        (cut, _) = json.loads(self._json)["pre_tokenizer"]["pretokenizers"]
        return cut["pattern"]["Regex"] == CHARACTER_PATTERN

    def letters(self) -> dict[int, int] | None:
        """Return what words are made of, letters and digits of ASCII and "_", each id with that of its lower case.

        Returns:
            None where words are pieces, and letters no tokens of their own.
        """
        if not self._cuts_characters:
            return None
        ids = {character: self.encode(character)[0] for character in f"{ascii_letters}{digits}_"}
        return {id: ids[character.lower()] for character, id in ids.items()}

    def by_character(self) -> "Tokenizer":
        """Return a tokenizer with the same ids that takes each character for itself.

        >>> tokenizer = Tokenizer.builtin()
        >>> [tokenizer.token_text(i) for i in tokenizer.by_character().encode("a cat")]
        ['a', ' ', 'c', 'a', 't']
        """
        return self._cut_by(CHARACTER_PATTERN)

    def by_word(self) -> "Tokenizer":
        """Return a tokenizer with the same ids that gives a word the same pieces wherever it stands.

        >>> tokenizer = Tokenizer.builtin()
        >>> [tokenizer.token_text(i) for i in tokenizer.by_word().encode("a list (list)")]
        ['a', ' ', 'list', ' ', '(', 'list', ')']
        """
        return self._cut_by(WORD_PATTERN)

    def by_piece(self) -> "Tokenizer":
        """Return a tokenizer with the same ids that cuts as the built-in one does."""
        return self._cut_by(PIECE_PATTERN)

    def _cut_by(self, pattern: str) -> "Tokenizer":
        model = json.loads(self._json)["model"]
        layout = layout_of(model["vocab"], model["merges"], pattern)
        return self.from_json(json.dumps(layout, ensure_ascii=False))

    def has_ids_of(self, other: "Tokenizer") -> bool:
        """Whether each id is the same text to both, so that weights can be taken over."""
        return self._bytes_of == other._bytes_of and self._special == other._special

    def to_json(self) -> str:
        """Return the content of ``tokenizer.json``, byte for byte as it was loaded."""
        return self._json

    def save(self, path: Path) -> None:
        """Write ``tokenizer.json`` to ``path``."""
        path.write_text(self._json, encoding="utf-8", newline="")

    @property
    def vocab_size(self) -> int:
        """Number of ids, special ones included."""
        return len(self._bytes_of)

    @property
    def special(self) -> SpecialTokens:
        """The special ids. They are the last ones of the vocabulary."""
        return self._special

    @property
    def digit_token_ids(self) -> tuple[int, ...]:
        """The ids of ``0`` to ``9``. An ASCII digit is always one token of its own."""
        return self._digits

    def is_control(self, token_id: int) -> bool:
        """Whether an id is no text: decoded to nothing, never encoded from a user's words."""
        return token_id >= self._special.first

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
        bytes_of, size = self._bytes_of, self.vocab_size
        pieces: list[bytes] = []
        for token_id in ids:
            if not 0 <= token_id < size:
                raise PromptError(f"token id {token_id} is not in the vocabulary; ids run from 0 to {size - 1}")
            pieces.append(bytes_of[token_id])
        return b"".join(pieces).decode("utf-8", errors="replace")

    def token_bytes(self, token_id: int) -> bytes:
        """Return the bytes that one token stands for: none for a special one, maybe a part of a character.

        >>> tokenizer = Tokenizer.builtin()
        >>> b"".join(map(tokenizer.token_bytes, tokenizer.encode("é!"))).decode()
        'é!'

        Args:
            token_id: An id of the vocabulary.

        Returns:
            The bytes.

        Raises:
            PromptError: The id is not in the vocabulary.
        """
        if not 0 <= token_id < self.vocab_size:
            raise PromptError(f"token id {token_id} is not in the vocabulary; ids run from 0 to {self.vocab_size - 1}")
        return self._bytes_of[token_id]

    def goes_on(self, token_id: int) -> bool:
        """Whether a token begins in the midst of a character.

        Args:
            token_id: An id of the vocabulary; a special one stands for no bytes and goes on with nothing.

        Returns:
            True if its first byte is not the first of a character.

        Raises:
            PromptError: The id is not in the vocabulary.
        """
        return self.token_bytes(token_id)[:1] in _CONTINUATIONS

    def token_text(self, token_id: int) -> str:
        """Return what one token reads as: its text, or the name of a special token.

        A token that is only a part of a character reads as U+FFFD. An unknown id is refused as by ``decode``.

        Args:
            token_id: An id of the vocabulary.

        Returns:
            The text.
        """
        if self._special.first <= token_id < self.vocab_size:
            return self._special.text_of(token_id)
        return self.decode([token_id])
