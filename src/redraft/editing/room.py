"""How much of a canvas each gap gets, and how much of the text around it can be seen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from redraft.text import Tokenizer

__all__ = ["Room", "room_for"]

_BEFORE_SHARE = (2, 3)
"""Of the text around a gap that does not fit, this share of what does is taken from before it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """A canvas shared out."""

    pieces: tuple[tuple[int, ...], ...]
    """Token ids of the text around the gaps, as much of it as can be seen."""
    lengths: tuple[int, ...]
    """Positions of each gap."""
    canvas_length: int
    """Positions of the canvas, an end of text included."""
    max_tokens: int | None
    """Most tokens of a fill."""

    def widened(self, is_full: Sequence[bool]) -> "Room | None":
        """Twice the room for the gaps that came out full.

        Args:
            is_full: Which.

        Returns:
            The canvas shared out anew; None if no full gap can get more.
        """
        lengths = list(self.lengths)
        left = self.canvas_length - 1 - sum(map(len, self.pieces)) - sum(lengths)
        for index, length in enumerate(lengths):
            # A slot more than the longest fill shows that it has come to its end.
            most = length if self.max_tokens is None else max(self.max_tokens + 1 - length, 0)
            more = min(length, left, most) if is_full[index] else 0
            lengths[index] += more
            left -= more
        return replace(self, lengths=tuple(lengths)) if tuple(lengths) != self.lengths else None


def room_for(
    tokenizer: Tokenizer,
    pieces: Sequence[Sequence[int]],
    gap_tokens: int,
    max_tokens: int | None,
    canvas_length: int,
    *,
    may_cut: bool = False,
) -> Room | None:
    """Share out a canvas.

    Args:
        tokenizer: Says where characters end.
        pieces: Token ids of the text around the gaps.
        gap_tokens: Positions that each gap should have.
        max_tokens: Most tokens of a fill.
        canvas_length: Positions of the canvas.
        may_cut: Whether text far from the only gap may be left out.

    Returns:
        The shares; None if it does not fit.
    """
    num_gaps = len(pieces) - 1
    wanted = gap_tokens if max_tokens is None else min(gap_tokens, max_tokens + 1)
    total = canvas_length - 1 - sum(map(len, pieces))
    if may_cut and total < wanted:
        assert num_gaps == 1, "text is cut around one gap only"
        wanted = min(wanted, max(1, (canvas_length - 1) // 2))
        pieces = _cut(tokenizer, pieces[0], pieces[1], canvas_length - 1 - wanted)
        total = canvas_length - 1 - sum(map(len, pieces))
    each = min(wanted, total // num_gaps)
    if each < min(wanted, 8) and not may_cut:
        return None
    return Room(
        pieces=tuple(map(tuple, pieces)),
        lengths=(each,) * num_gaps,
        canvas_length=canvas_length,
        max_tokens=max_tokens,
    )


def _cut(
    tokenizer: Tokenizer, before: Sequence[int], behind: Sequence[int], most: int
) -> tuple[Sequence[int], Sequence[int]]:
    """The nearest tokens on both sides, from whole characters on."""
    share = most * _BEFORE_SHARE[0] // _BEFORE_SHARE[1]
    num_behind = min(len(behind), max(most - share, most - len(before)))
    num_before = min(len(before), most - num_behind)
    before, behind = before[len(before) - num_before :], behind[:num_behind]
    while before and tokenizer.goes_on(before[0]):
        before = before[1:]
    return before, behind
