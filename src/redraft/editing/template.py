"""A text with holes: what stands around them, and how they are marked."""

from collections.abc import Sequence

from redraft.editing.source import Source, source_of
from redraft.errors import ConfigError, PromptError

__all__ = ["HOLE", "pieces_of_template"]

HOLE = "{{}}"
"""Marks a hole."""

_MAX_HOLES = 200


def pieces_of_template(
    prefix: str | None, suffix: str | None, template: str | None, hole: str = HOLE
) -> tuple[Source, Sequence[str]]:
    """The text around the gaps.

    Args:
        prefix: What stands before a single gap; None for nothing.
        suffix: What stands behind it; None for nothing.
        template: A text with holes, in place of both.
        hole: Marks one.

    Returns:
        How line endings are written, and one piece more than there are gaps.

    Raises:
        PromptError: There is no text, or a template without a hole.
        ConfigError: It was given twice, or the mark is empty.
    """
    if template is not None and (prefix is not None or suffix is not None):
        raise ConfigError("give a template, or a prefix and a suffix, not both")
    if template is None:
        pieces = [prefix or "", suffix or ""]
        if not "".join(pieces):
            raise PromptError("there is no text around the gap; give a prefix, a suffix or a template")
    else:
        if not hole:
            raise ConfigError("the mark of a hole is empty; leave it out, or give some text")
        pieces = template.split(hole)
        if len(pieces) < 2:
            raise PromptError(f"the template has no hole; mark each gap with {hole}")
    if len(pieces) > _MAX_HOLES + 1:
        raise PromptError(f"the template has {len(pieces) - 1} holes; at most {_MAX_HOLES} can be filled at once")
    # A mark that no text holds keeps the pieces apart while the packaging is taken off all of them at once.
    whole = "".join(pieces)
    if not whole:
        return Source(text="", is_crlf=False, has_mark=False), pieces
    source = source_of(whole)
    if source.has_mark:
        first = next(index for index, piece in enumerate(pieces) if piece)
        pieces[first] = pieces[first].removeprefix(source.mark)
    if source.is_crlf and not any(piece.endswith("\r") for piece in pieces):
        return source, [piece.replace("\r\n", "\n") for piece in pieces]
    return Source(text=source.text, is_crlf=False, has_mark=source.has_mark), pieces
