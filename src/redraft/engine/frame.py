"""What a watcher sees of one pass: the step as it is, and the canvas as pieces of text.

The loop is never repeated for the sake of watching: a frame wraps the ``Step`` that the sampler yielded.
"""

from dataclasses import dataclass
from typing import Literal

from redraft.engine.job import ids_of
from redraft.engine.result import Result
from redraft.sampler import Step
from redraft.text import Tokenizer

__all__ = ["Frame", "Piece", "PieceState"]

PieceState = Literal["settled", "provisional", "open"]
"""settled: the text stands. provisional: what the model would write now. open: too unsure to be shown."""

_LEAST_CONFIDENCE = 0.35
"""Proposals below this read as noise to a human; chosen by watching, it changes nothing but the display."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A run of neighbouring positions in the same state."""

    text: str
    """What it reads as; for open positions one ``░`` each."""

    state: PieceState
    """How much it can be relied on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """One pass of one request."""

    request_id: str
    """The request's."""

    step: Step
    """The pass, as the sampler yielded it; of a batch of one."""

    tokenizer: Tokenizer
    """Reads the tokens."""

    text_before: str
    """Text of the canvases that are already finished."""

    nfe: int
    """Forward passes so far, over all canvases."""

    seconds: float
    """Time since the request, that which the watcher took left out."""

    result: Result | None
    """The answer; only on the last frame."""

    def pieces(self) -> list[Piece]:
        """The open canvas as text, up to its settled end.

        Returns:
            Runs of settled, provisional and open positions in reading order.
        """
        special = self.tokenizer.special
        runs: list[tuple[PieceState, list[int]]] = []
        step = self.step
        can_be_read = (step.proposed[0] < special.first) & (step.confidence[0] >= _LEAST_CONFIDENCE)
        for token, proposed, is_settled, is_readable in zip(
            ids_of(step.tokens[0]),
            ids_of(step.proposed[0]),
            ids_of(step.is_settled[0]),
            ids_of(can_be_read),
            strict=True,
        ):
            if is_settled and token == special.end_of_text:
                break
            state: PieceState = "settled"
            if not is_settled:
                state, token = ("provisional", proposed) if is_readable else ("open", special.mask)
            if not runs or runs[-1][0] != state:
                runs.append((state, []))
            runs[-1][1].append(token)
        pieces = [
            Piece(state=state, text="░" * len(run) if state == "open" else self.tokenizer.decode(run))
            for state, run in runs
        ]
        return [piece for piece in pieces if piece.text]

    @property
    def num_settled(self) -> int:
        """Settled tokens of the open canvas that count: neither [NULL] nor the end of the text."""
        tokens, is_settled = self.step.tokens[0], self.step.is_settled[0]
        return int((is_settled & (tokens < self.tokenizer.special.first)).sum())
