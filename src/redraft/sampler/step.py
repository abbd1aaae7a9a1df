"""The record of one pass: what CLI, server, studio, evaluation and tests read, so that nobody repeats the loop."""

from dataclasses import dataclass

from redraft.types import Confidence, TokenMask, Tokens

__all__ = ["Step"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """The canvas after one pass, and what the pass did.

    Tensors have the width of the whole canvas, narrowed or not, and are never written to again. A row that finished
    earlier stays as it was: it commits and revises nothing.
    """

    index: int
    """Which pass over this canvas, from 0."""
    block: int
    """Which canvas of the request, from 0."""
    tokens: Tokens
    """The canvas now; [MASK] or noise where open. In the last step of a row: its result."""
    proposed: Tokens
    """What the pass would write if it ended here: settled tokens as they are, the proposal where open. For display."""
    is_settled: TokenMask
    """Positions whose token stands."""
    is_masked: TokenMask
    """Positions that hold [MASK]."""
    committed: TokenMask
    """Open positions that settled in this pass, the fill after an end of text left out."""
    revised: TokenMask
    """Settled positions that changed or reopened in this pass."""
    confidence: Confidence
    """Settled: probability that the token had when it settled (1 if given). Open: that of the proposal."""
    nfe: tuple[int, ...]
    """Forward passes so far over this canvas, one number per row; guidance counts two a pass."""
    is_finished: tuple[bool, ...]
    """Rows that are done; this or an earlier step is their last."""
    is_last: bool
    """Whether every row is done."""
