"""What a watcher sees of one pass: the step as it is, and the canvas as pieces of text.

The loop is never repeated for the sake of watching: a frame wraps the ``Step`` that the sampler yielded.
"""

from dataclasses import dataclass
from typing import Literal

from redraft.engine.layout import Reader
from redraft.engine.result import Result
from redraft.sampler import Step
from redraft.sampler.canvas import ids_of

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

    tokenizer: Reader
    """Reads the tokens."""

    text_before: str
    """Text of the canvases that are already finished."""

    nfe: int
    """Forward passes so far, over all canvases."""

    seconds: float
    """Time since the request, that which the watcher took left out."""

    result: Result | None
    """The answer; only on the last frame."""

    num_given: int = 0
    """Positions at the beginning of the canvas that hold the prompt's last tokens; not shown."""

    def pieces(self) -> list[Piece]:
        """The open canvas as text, up to its settled end.

        Returns:
            Runs of settled, provisional and open positions in reading order.
        """
        ends, is_control = self.tokenizer.special.ends, self.tokenizer.is_control
        runs: list[tuple[PieceState, list[int]]] = []
        step, shown = self.step, slice(self.num_given, None)
        for token, proposed, is_settled, is_sure in zip(
            ids_of(step.tokens[0, shown]),
            ids_of(step.proposed[0, shown]),
            ids_of(step.is_settled[0, shown]),
            ids_of(step.confidence[0, shown] >= _LEAST_CONFIDENCE),
            strict=True,
        ):
            if is_settled and token in ends:
                break
            state: PieceState = "settled"
            if not is_settled:
                state = "provisional" if is_sure and not is_control(proposed) else "open"
                token = proposed
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
        """Settled tokens of the open canvas that count: neither given nor [NULL] nor the end of the text."""
        shown = slice(self.num_given, None)
        settled = self.step.tokens[0, shown][self.step.is_settled[0, shown]]
        return sum(not self.tokenizer.is_control(token) for token in ids_of(settled))
