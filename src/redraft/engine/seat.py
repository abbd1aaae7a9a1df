"""One request among those that are being drawn: its canvas, what it sees, and how it goes on."""

import time

import torch

from redraft.denoiser import Cache, ScoresSome
from redraft.engine.desk import Desk
from redraft.engine.frame import Frame
from redraft.engine.job import Job
from redraft.engine.prefix import PrefixCache
from redraft.engine.result import Result
from redraft.engine.scoring import Sought
from redraft.engine.ticket import Ticket
from redraft.sampler import Step
from redraft.sampler.drawing import Drawing
from redraft.sampler.guidance import is_self_conditioned
from redraft.types import Logits

__all__ = ["Seat"]


class Seat:
    """A request's state from pass to pass. Between two canvases that is nothing but tokens.

    Args:
        job: The request on its way.
        ticket: What its caller holds.
        desk: The model's.
        prefixes: Where contexts come from.
        num_bytes: Memory that is set aside for it.
    """

    def __init__(self, job: Job, ticket: Ticket, desk: Desk, prefixes: PrefixCache, *, num_bytes: int) -> None:
        self.job = job
        self.ticket = ticket
        self.num_bytes = num_bytes
        self._desk, self._prefixes = desk, prefixes
        self._segments = [*job.segments]
        self._context: Cache | None = None
        self._drawing: Drawing | None = None
        self._last_step: Step | None = None
        self._text_before, self._num_given = "", 0

    @property
    def num_positions(self) -> int:
        """Canvas positions of the next pass, or of the whole canvas before there is one."""
        return self.job.request.settings.canvas_length if self._drawing is None else self._drawing.num_positions

    @property
    def num_prefill_tokens(self) -> int:
        """Tokens that have to be encoded before the next canvas."""
        return self._prefixes.num_missing(self._segments)

    def open_canvas(self) -> None:
        """Lay out the next canvas behind its context."""
        job, desk = self.job, self._desk
        since = time.perf_counter()
        self._context = self._prefixes.context_of(self._segments)
        job.watch.add("prefill", since)
        self._text_before, self._num_given = desk.tokenizer.decode(job.completion), job.num_given
        self._drawing = Drawing(
            desk.blank_canvas([job], self._context, job.num_canvases),
            settings=job.request.settings,
            special=desk.special_ids,
            seeds=torch.tensor([job.request.seed]),
            block=job.num_canvases,
            vocab_size=desk.denoiser.vocab_size,
            is_self_conditioned=is_self_conditioned(desk.denoiser),
            takes_sketches=isinstance(desk.denoiser, ScoresSome),
        )
        self._last_step = None

    def sought(self) -> list[Sought]:
        """What the next pass needs scored.

        Returns:
            One canvas; none where nothing is open on it from the start.
        """
        assert self._drawing is not None, "a canvas is open"
        scale = self.job.request.settings.guidance_scale
        return [Sought(ask=ask, context=self._context, guidance_scale=scale) for ask in self._drawing.asks()]

    def advance(self, scores: list[Logits], since: float) -> Result | None:
        """Take the canvas one pass further, and show it.

        Args:
            scores: Of what was sought.
            since: When the pass began, by ``time.perf_counter``.

        Returns:
            The result, if this was the request's last pass.
        """
        job, drawing = self.job, self._drawing
        assert drawing is not None, "a canvas is open"
        step = drawing.standing() if drawing.is_done else drawing.advance(scores)
        job.note_pass(step, 0)
        job.watch.add("denoise", since)
        self._last_step = step
        result = self._close() if step.is_last or job.is_spent() else None
        if self.ticket.is_watched:
            self.ticket.put(self._frame(step, result))
        return result

    @property
    def is_between_canvases(self) -> bool:
        """Whether the open canvas is finished and another one is due."""
        return self._drawing is None

    def end_now(self) -> Result:
        """The result of a request whose time is up: what its last pass proposed, if there was one."""
        if self._last_step is not None and self._drawing is not None:
            result = self._close()
            assert result is not None, "a request that is spent opens no further canvas"
            return result
        return self.job.result(self._desk.tokenizer, self._desk.name)

    def _close(self) -> Result | None:
        """Take the canvas; where another one is due, it is the next segment of the context."""
        assert self._last_step is not None, "there was a pass"
        result = self._desk.close_canvas(self.job, self._last_step, 0)
        self._context = self._drawing = None
        self._segments.append(self._desk.layout.settled(self.job.canvas))
        return result

    def _frame(self, step: Step, result: Result | None) -> Frame:
        job = self.job
        return Frame(
            request_id=job.request.id,
            step=step,
            tokenizer=self._desk.tokenizer,
            text_before=self._text_before,
            nfe=job.nfe_before + job.nfe,
            seconds=result.seconds.total if result else job.watch.total,
            result=result,
            num_given=self._num_given,
        )
