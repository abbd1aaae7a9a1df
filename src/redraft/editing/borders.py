"""The border between a text and the gap behind it: which of the two the space between words belongs to."""

from redraft.text import Tokenizer

__all__ = ["lends_space", "without_space"]


def lends_space(tokenizer: Tokenizer, piece: str) -> bool:
    """Whether the space at the end of a piece of text is better seen from inside the gap behind it.

    In most vocabularies a space belongs to the word behind it, so that a text hardly ever shows one that stands alone,
    and of a word without it a model often leaves out the first letters ("token healing"). What a line is indented by
    is no such space.

    >>> lends_space(Tokenizer.builtin(), "return "), lends_space(Tokenizer.builtin().by_word(), "return ")
    (True, False)

    Args:
        tokenizer: The model's.
        piece: What stands before the gap.

    Returns:
        Whether it is.
    """
    is_between = len(piece) > 1 and piece.endswith(" ") and not piece[-2].isspace()
    return is_between and len(tokenizer.encode(" a")) == 1


def without_space(tokenizer: Tokenizer, piece: str) -> str:
    """A piece of text without the space that it lends to the gap behind it.

    Args:
        tokenizer: The model's.
        piece: What stands before the gap.

    Returns:
        What is shown of it.
    """
    return piece[:-1] if lends_space(tokenizer, piece) else piece
