"""The chat format: a prompt is a list of settled segments.

A settled segment is its role's token, then its text. The answer that is being written, the canvas, carries no marker;
it ends with end of text, and so does every position after it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from redraft.errors import PromptError
from redraft.text.tokenizer import Tokenizer

__all__ = ["Role", "Segment", "encode_conversation", "encode_request", "encode_segment", "read_role"]

Role = Literal["system", "user", "assistant"]
"""Who speaks."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One settled turn."""

    role: Role
    """Who speaks."""
    text: str
    """What is said; plain text, nothing in it is parsed."""


def read_role(name: str) -> Role:
    """Return the role of that name, which may come from a file or a request.

    Args:
        name: What came.

    Returns:
        The role.

    Raises:
        PromptError: There is no such role.
    """
    for role in get_args(Role):
        if name == role:
            return role
    raise PromptError(f"role {name!r} is unknown; use one of {', '.join(get_args(Role))}")


def encode_segment(tokenizer: Tokenizer, segment: Segment) -> list[int]:
    """Return the token ids of a settled segment: its role's token, then its text.

    >>> tokenizer = Tokenizer.builtin()
    >>> [tokenizer.token_text(i) for i in encode_segment(tokenizer, Segment("user", "1 + 2"))]
    ['<|user|>', '1', ' + ', '2']

    Args:
        tokenizer: The tokenizer of the model that will read it.
        segment: The turn.

    Returns:
        The ids.
    """
    special = tokenizer.special
    marker = {"system": special.system, "user": special.user, "assistant": special.assistant}[segment.role]
    return [marker, *tokenizer.encode(segment.text)]


def encode_request(tokenizer: Tokenizer, prompt: str | None, draft: str | None = None) -> list[int]:
    """Return the token ids of a context that asks for a text: what is to be done, and what the text is so far.

    >>> tokenizer = Tokenizer.builtin()
    >>> [tokenizer.token_text(i) for i in encode_request(tokenizer, "1 + 2", "3")]
    ['<|user|>', '1', ' + ', '2', '<|assistant|>', '3']

    Args:
        tokenizer: The tokenizer of the model that will read it.
        prompt: The user's segment; None for none.
        draft: The text so far, an earlier turn of the assistant's; None to leave it to the canvas alone.

    Returns:
        The ids; empty for two of None.
    """
    ids = [] if prompt is None else encode_segment(tokenizer, Segment("user", prompt))
    return ids if draft is None else ids + encode_segment(tokenizer, Segment("assistant", draft))


def encode_conversation(tokenizer: Tokenizer, segments: Iterable[Segment]) -> list[list[int]]:
    """Return the token ids of each segment, in order; the denoiser takes them one by one into its context."""
    return [encode_segment(tokenizer, segment) for segment in segments]
