"""Slots: an answer whose numbers and words keep their place, and yet reads naturally.

A field that is narrower than its slot is filled with [NULL] on the left, so that the last digit of a number always has
the same position; [NULL] reads as nothing. Where no width can be said beforehand, as for a word that is copied, the
slot is the next multiple of a few tokens: what follows then stands at one of few places, not anywhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from redraft.errors import ConfigError
from redraft.text.tokenizer import Tokenizer

__all__ = ["COPIED_MULTIPLE", "Field", "lay_out"]

COPIED_MULTIPLE = 4
"""Tokens that the slot of a copied text is rounded up to, so that a longer one shifts what follows less often."""


@dataclass(frozen=True, slots=True)
class Field:
    """A piece of an answer."""

    text: str
    """What it reads as."""
    width: int | None = None
    """Number of tokens of its slot; None: as many as the text needs, rounded up to ``multiple``."""
    multiple: int = 1
    """What a slot without a ``width`` is rounded up to, in tokens."""

    def __post_init__(self) -> None:
        """Check the width."""
        if self.width is not None and self.width < 1:
            raise ConfigError(f"field width is {self.width}; it must be at least 1 token, or None for no fixed width")
        if self.multiple < 1 or (self.width is not None and self.multiple > 1):
            raise ConfigError(
                f"field multiple is {self.multiple} and width {self.width}; use a multiple of 1 or more, and without a "
                "width where it is more than 1"
            )


def lay_out(tokenizer: Tokenizer, fields: Iterable[Field]) -> list[int]:
    r"""Encode each field on its own and pad it on the left with [NULL] to its width.

    ``tokenizer.decode`` of the result is the joined text of the fields.

    >>> tokenizer = Tokenizer.builtin()
    >>> ids = lay_out(tokenizer, [Field("39", width=4), Field("\n")])
    >>> [tokenizer.token_text(i) for i in ids]
    ['[NULL]', '[NULL]', '3', '9', '\n']

    Args:
        tokenizer: The tokenizer of the model that will read it.
        fields: The pieces, in order.

    Returns:
        Token ids.

    Raises:
        ConfigError: A field needs more tokens than its width.
    """
    laid_out: list[int] = []
    for field in fields:
        ids = tokenizer.encode(field.text)
        width = -(-len(ids) // field.multiple) * field.multiple if field.width is None else field.width
        if len(ids) > width:
            raise ConfigError(
                f"the field {field.text!r} needs {len(ids)} tokens, but its width is {width}; "
                "widen the slot or shorten the text"
            )
        laid_out += [tokenizer.special.null] * (width - len(ids)) + ids
    return laid_out
