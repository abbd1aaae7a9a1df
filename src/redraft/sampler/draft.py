"""What the loop carries from pass to pass: the canvas, and a little memory for the rules that look back."""

from dataclasses import dataclass

import torch

from redraft.sampler.canvas import Canvas, Counts
from redraft.sampler.stop import Fingerprints, RowMask, fingerprint
from redraft.types import Probs, TokenMask, Tokens, WholePerRow

__all__ = ["Draft", "RowGroup"]


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Rows that go through a pass together, because they are equally wide."""

    rows: tuple[int, ...]
    """Which rows, ascending."""
    width: int
    """How many positions of them are scored."""
    is_sketched: bool = False
    """Whether those behind are seen all the same, through a few of them."""

    def is_whole(self, canvas: Canvas) -> bool:
        """Whether the group is all of a batch, in full width."""
        return len(self.rows) == canvas.batch and self.width == canvas.length

    def index_in(self, canvas: Canvas) -> slice | WholePerRow:
        """Where the group's rows stand in a batch: a slice where they are all of it, which spares a gather."""
        if len(self.rows) == canvas.batch:
            return slice(None)
        return torch.tensor(self.rows, device=canvas.tokens.device)


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """The state of all rows, or of a group of them."""

    canvas: Canvas
    """What stands where."""
    is_after_end: TokenMask
    """Positions behind the first end of text."""
    may_end: TokenMask
    """Positions where an end of text may stand; see ``Ending``."""
    num_revisions: Counts
    """How often each position was edited or reopened."""
    last_best: Tokens
    """The likeliest canvas of the last pass; -1 before the first."""
    last_probs: Probs | None
    """The distributions of the last pass; None without self-conditioning."""
    stable_for: WholePerRow
    """Passes for which the likeliest canvas has stood still."""
    settled_passes: WholePerRow
    """Passes that left everything settled."""
    seen: Fingerprints
    """Every canvas of the rows so far."""
    is_finished: RowMask
    """Rows that are done."""

    @classmethod
    def start(cls, canvas: Canvas, may_end: TokenMask) -> "Draft":
        """The state before the first pass.

        Args:
            canvas: What to draw on; rows with nothing editable are finished at once.
            may_end: Positions where an end of text may stand.

        Returns:
            The state.
        """
        per_row = torch.zeros(canvas.batch, dtype=torch.int64, device=canvas.tokens.device)
        return cls(
            canvas=canvas,
            is_after_end=torch.zeros_like(canvas.is_editable),
            may_end=may_end,
            num_revisions=torch.zeros_like(canvas.tokens),
            last_best=torch.full_like(canvas.tokens, -1),
            last_probs=None,
            stable_for=per_row,
            settled_passes=per_row,
            seen=fingerprint(canvas.tokens).unsqueeze(1),
            is_finished=~canvas.is_editable.any(dim=1),
        )

    @property
    def in_play(self) -> TokenMask:
        """Positions that a pass may write on."""
        return self.canvas.is_editable & ~self.is_after_end

    def cut(self, group: RowGroup) -> "Draft":
        """The state of a group of rows, as wide as they are scored.

        Args:
            group: Which rows, and how wide.

        Returns:
            Their state.
        """
        canvas = self.canvas
        if group.is_whole(canvas):
            return self
        rows = group.index_in(canvas)
        part = (rows, slice(group.width))
        return Draft(
            canvas=Canvas(
                tokens=canvas.tokens[part],
                is_editable=canvas.is_editable[part],
                is_masked=canvas.is_masked[part],
                is_settled=canvas.is_settled[part],
                age=canvas.age[part],
                confidence=canvas.confidence[part],
            ),
            is_after_end=self.is_after_end[part],
            may_end=self.may_end[part],
            num_revisions=self.num_revisions[part],
            last_best=self.last_best[part],
            last_probs=None if self.last_probs is None else self.last_probs[part],
            stable_for=self.stable_for[rows],
            settled_passes=self.settled_passes[rows],
            seen=self.seen[rows],
            is_finished=self.is_finished[rows],
        )
