"""The special tokens: their names in code, their texts in ``tokenizer.json``, their ids at run time.

Ids are read by name from the tokenizer that a checkpoint carries and are never written down anywhere else. They are the
last ids of the vocabulary, so that "any ordinary token" is the range ``0 .. first - 1``.

The texts name vocabulary entries only. The same characters in a user's text are ordinary text, always.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from redraft.errors import CheckpointError

__all__ = ["NUM_RESERVED", "SPECIAL_TEXTS", "SpecialTokens"]

NUM_RESERVED = 8
"""Entries without a meaning yet, so that a later one needs no new vocabulary."""

_NAMED_TEXTS = {
    "mask": "[MASK]",
    "end_of_text": "<|endoftext|>",
    "null": "[NULL]",
    "system": "<|system|>",
    "user": "<|user|>",
    "assistant": "<|assistant|>",
    "fim_prefix": "<|fim_prefix|>",
    "fim_suffix": "<|fim_suffix|>",
    "fim_middle": "<|fim_middle|>",
    "fim_pad": "<|fim_pad|>",
    "repo_name": "<|repo_name|>",
    "file_sep": "<|file_sep|>",
    "delete": "[DEL]",
    "insert": "[INS]",
}

SPECIAL_TEXTS: tuple[str, ...] = (*_NAMED_TEXTS.values(), *(f"<|reserved_{i}|>" for i in range(NUM_RESERVED)))
"""All of them, in the order of their ids."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpecialTokens:
    """The id of each special token."""

    mask: int
    """An open position of a canvas."""
    end_of_text: int
    """Ends an answer and fills the rest of its canvas; never counted as a token."""
    null: int
    """An empty slot: reads as nothing, so a region of fixed width can hold a shorter text; never counted."""
    system: int
    """Opens a system segment."""
    user: int
    """Opens a user's segment."""
    assistant: int
    """Opens a settled segment of the assistant, an earlier turn for example. A canvas carries no marker."""
    fim_prefix: int
    """Opens the text before a gap."""
    fim_suffix: int
    """Opens the text after a gap."""
    fim_middle: int
    """Opens the text of a gap."""
    fim_pad: int
    """Fills a fill-in-the-middle example to its length."""
    repo_name: int
    """Opens the name of a repository."""
    file_sep: int
    """Separates files."""
    delete: int
    """Label of a position that an edit removes."""
    insert: int
    """Label of a position where an edit puts something in."""
    reserved: tuple[int, ...]
    """Ids without a meaning yet."""

    @classmethod
    def from_vocabulary(cls, vocabulary: Mapping[str, int]) -> "SpecialTokens":
        """Read every id by name.

        Args:
            vocabulary: Token text to id, as ``tokenizer.json`` holds it.

        Returns:
            The ids.

        Raises:
            CheckpointError: One of them is missing, or they are not the last ids in their order.
        """
        missing = [text for text in SPECIAL_TEXTS if text not in vocabulary]
        if missing:
            raise CheckpointError(
                f"the tokenizer has no special token {missing[0]} ({len(missing)} of {len(SPECIAL_TEXTS)} missing); it "
                "is damaged or not Redraft's, take tokenizer.json from a Redraft checkpoint"
            )
        ids = [vocabulary[text] for text in SPECIAL_TEXTS]
        first = len(vocabulary) - len(SPECIAL_TEXTS)
        if ids != list(range(first, len(vocabulary))):
            raise CheckpointError(
                f"the tokenizer's special tokens must be its last {len(SPECIAL_TEXTS)} ids in their order, starting at "
                f"{first}, but they are {ids}; it is damaged, take tokenizer.json from a Redraft checkpoint"
            )
        named = dict(zip(_NAMED_TEXTS, ids, strict=False))
        return cls(**named, reserved=tuple(ids[len(_NAMED_TEXTS) :]))

    @property
    def first(self) -> int:
        """The lowest special id; every id below it is ordinary text."""
        return self.mask

    @property
    def ids(self) -> tuple[int, ...]:
        """All special ids, ascending."""
        return tuple(range(self.first, self.first + len(SPECIAL_TEXTS)))

    @property
    def ends(self) -> tuple[int, ...]:
        """Every id that ends a text: here there is one."""
        return (self.end_of_text,)

    def text_of(self, token_id: int) -> str:
        """Return the name of a special token, ``[MASK]`` for example."""
        assert self.first <= token_id < self.first + len(SPECIAL_TEXTS), f"{token_id} is not a special token"
        return SPECIAL_TEXTS[token_id - self.first]
