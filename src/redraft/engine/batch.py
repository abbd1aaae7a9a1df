"""Step-level continuous batching: requests join and leave at any pass, and each is drawn as if it were alone.

One tick: let go of whoever is cancelled or out of time, open canvases for those who wait, score the canvases whose turn
it is together, and take each of them one pass further by its own rules. Nothing here runs by itself;
``redraft.engine.batching`` ticks in a thread.
"""

import time
from collections import deque

import torch

from redraft.engine.engine import Engine
from redraft.engine.limits import BatchLimits, Footprint
from redraft.engine.prefix import PrefixCache
from redraft.engine.request import Request
from redraft.engine.scheduler import RequestScheduler
from redraft.engine.scoring import SharedScorer
from redraft.engine.seat import Seat
from redraft.engine.steadiness import rows_are_steady
from redraft.engine.ticket import Ticket
from redraft.errors import QueueFullError

__all__ = ["Batch"]


class Batch:
    """All requests of one engine. ``add`` and ``Ticket.cancel`` are for any thread, ``tick`` for one at a time.

    Args:
        engine: Whose model answers. Its plain loop gives the same bytes.
        limits: How much may go on at once.
    """

    def __init__(self, engine: Engine, limits: BatchLimits | None = None) -> None:
        self.limits = limits or BatchLimits()
        self._desk = engine.desk
        self._tuner = engine.tuner
        self._footprint = Footprint(engine.desk)
        self.prefixes = PrefixCache(engine.desk.encode, max_bytes=self.limits.max_cache_bytes)
        shares = self.limits.shares_passes
        self.scorer = SharedScorer(
            engine.denoiser,
            special=engine.special_ids,
            device=engine.device,
            shares_passes=rows_are_steady(engine.desk) if shares is None else shares,
        )
        self._scheduler: RequestScheduler[Seat] = RequestScheduler(self.limits)
        self._arrived: deque[Seat] = deque()
        self.num_passes = 0

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self._arrived and self._scheduler.is_idle

    @property
    def num_open(self) -> int:
        """Requests whose canvases are open."""
        return len(self._scheduler.open)

    @property
    def num_waiting(self) -> int:
        """Requests that wait."""
        return len(self._arrived) + len(self._scheduler.waiting)

    @property
    def num_reserved_bytes(self) -> int:
        """Memory that is set aside for open rows."""
        return self._scheduler.num_bytes

    def add(self, request: Request, *, is_watched: bool = False) -> Ticket:
        """Queue a request.

        Args:
            request: What is asked.
            is_watched: Whether the ticket shall collect a frame per pass.

        Returns:
            The request's ticket.

        Raises:
            QueueFullError: Too many wait already.
        """
        if self.num_waiting >= self.limits.max_waiting:
            raise QueueFullError(
                f"{self.num_waiting} requests wait already, and no more than max_waiting={self.limits.max_waiting} "
                "may; try again later"
            )
        job = self._desk.open(request)
        num_bytes = self._footprint.require(job, self.limits.max_bytes)
        ticket = Ticket(request, is_watched=is_watched, max_unread=self.limits.max_unread_frames)
        self._arrived.append(Seat(job, ticket, self._desk, self.prefixes, num_bytes=num_bytes))
        return ticket

    def tick(self) -> int:
        """Take the requests whose turn it is one pass further.

        Returns:
            Number of rows that were scored.
        """
        with torch.inference_mode(), self._tuner.leading():
            return self._tick()

    def _tick(self) -> int:
        scheduler = self._scheduler
        # 1. Who comes, and who goes without a pass.
        while self._arrived:
            scheduler.add(self._arrived.popleft())
        self._let_go()
        # 2. Open canvases: of those who wait, and of those who went on to another one.
        for seat in scheduler.admit_all():
            seat.open_canvas()
        # 3. Score the canvases together.
        turn = scheduler.turn()
        since = time.perf_counter()
        sought = [seat.sought() for seat in turn]
        scores = iter(self.scorer([one for each in sought for one in each]))
        self.num_passes += bool(turn)
        # 4. Go on, each by its own rules.
        for seat, each in zip(turn, sought, strict=True):
            result = seat.advance([next(scores) for _ in each], since)
            if result is not None:
                scheduler.close(seat)
                seat.ticket.finish("done", result=result)
            elif seat.is_between_canvases and not scheduler.give_way(seat):
                seat.open_canvas()
        if self.is_idle:
            self.scorer.forget()
        return len(turn)

    def cancel_all(self) -> None:
        """Ask for the end of every request."""
        for seat in [*self._arrived, *self._scheduler.waiting, *self._scheduler.open]:
            seat.ticket.cancel()

    def fail_all(self, error: BaseException) -> None:
        """End every request with an error, and forget what was kept.

        Args:
            error: What every caller will see.
        """
        while self._arrived:
            self._scheduler.add(self._arrived.popleft())
        for seat in [*self._scheduler.waiting, *self._scheduler.open]:
            self._scheduler.close(seat)
            seat.ticket.finish("failed", error=error)
        self.prefixes.clear()

    def _let_go(self) -> None:
        """End requests that are cancelled or out of time, waiting ones too."""
        for seat in [*self._scheduler.waiting, *self._scheduler.open]:
            if seat.ticket.is_cancel_wanted:
                self._scheduler.close(seat)
                seat.ticket.finish("cancelled")
            elif seat.job.is_spent():
                self._scheduler.close(seat)
                seat.ticket.finish("done", result=seat.end_now())
