"""Many requests at once, from any number of threads or coroutines; each gets the bytes that it would get alone.

A thread ticks a ``Batch`` while there is work. What callers hold is a ``Ticket``.
"""

import threading
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from types import TracebackType

from redraft.engine.batch import Batch
from redraft.engine.engine import Engine
from redraft.engine.frame import Frame
from redraft.engine.limits import BatchLimits
from redraft.engine.request import Request
from redraft.engine.result import Result
from redraft.engine.ticket import Ticket

__all__ = ["BatchEngine"]

_ROWS_AHEAD = 4
"""Requests taken ahead of the oldest unanswered one, by row, so that none stays empty while that one takes long."""


class BatchEngine:
    """Answers requests that come and go.

    >>> from redraft.denoiser import FakeDenoiser
    >>> from redraft.text import Tokenizer
    >>> import torch
    >>> tokenizer = Tokenizer.builtin()
    >>> answer = torch.tensor([tokenizer.encode("39") + [tokenizer.special.end_of_text] * 6])
    >>> sure = torch.nn.functional.one_hot(answer, tokenizer.vocab_size) * 20.0
    >>> fake = FakeDenoiser(
    ...     vocab_size=tokenizer.vocab_size,
    ...     logits_of=lambda canvas, _: sure[:, : canvas.shape[1]].expand(canvas.shape[0], -1, -1),
    ... )
    >>> engine = Engine(fake, tokenizer, context_length=64, canvas_length=8)
    >>> with BatchEngine(engine) as batching:
    ...     requests = [Request.from_prompt(f"{n} + 3 = ?", settings=engine.settings()) for n in (36, 7)]
    ...     tickets = [batching.submit(request) for request in requests]
    ...     [ticket.result().text for ticket in tickets]
    ['39', '39']

    Args:
        engine: Whose model answers; its plain loop must not be used beside this one in another thread.
        limits: How much may go on at once.
    """

    def __init__(self, engine: Engine, limits: BatchLimits | None = None) -> None:
        self.batch = Batch(engine, limits)
        self._is_closed = False
        self._has_work = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="redraft-batching", daemon=True)
        self._thread.start()

    def __enter__(self) -> "BatchEngine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def submit(self, request: Request, *, is_watched: bool = False) -> Ticket:
        """Hand a request in.

        Args:
            request: What is asked.
            is_watched: Whether the ticket shall collect a frame per pass.

        Returns:
            Its ticket, at once.
        """
        with self._has_work:
            assert not self._is_closed, "a closed engine takes no requests"
            ticket = self.batch.add(request, is_watched=is_watched)
            self._has_work.notify()
        return ticket

    def cancel(self, ticket: Ticket) -> None:
        """End a request before its next pass, if it is not over by then; see ``Ticket.state``."""
        ticket.cancel()

    def generate(self, request: Request) -> Result:
        """Answer one request; see ``Engine.generate``."""
        return self.submit(request).result()

    def answer_all(self, requests: Iterable[Request]) -> Iterator[Result]:
        """Answer many, taking them as there is room.

        Args:
            requests: What is asked.

        Yields:
            One result per request, in order.
        """
        tickets: deque[Ticket] = deque()
        try:
            for request in requests:
                if len(tickets) >= _ROWS_AHEAD * self.batch.limits.max_rows:
                    yield tickets.popleft().result()
                tickets.append(self.submit(request))
            while tickets:
                yield tickets.popleft().result()
        finally:
            for ticket in tickets:
                ticket.cancel()

    def stream(self, request: Request) -> Iterator[Frame]:
        """Answer one request and show every pass; a watcher that goes away cancels it.

        Args:
            request: What is asked.

        Yields:
            One frame per pass; the last one carries the result.
        """
        ticket = self.submit(request, is_watched=True)
        try:
            yield from ticket.frames()
        finally:
            ticket.cancel()

    async def generate_async(self, request: Request) -> Result:
        """Answer one request without blocking the event loop; one that is not waited for any more is cancelled."""
        ticket = self.submit(request)
        try:
            return await ticket.wait()
        finally:
            ticket.cancel()

    async def stream_async(self, request: Request) -> AsyncIterator[Frame]:
        """Answer one request and show every pass without blocking the event loop; see ``stream``.

        Args:
            request: What is asked.

        Yields:
            One frame per pass; the last one carries the result.
        """
        ticket = self.submit(request, is_watched=True)
        try:
            async for frame in ticket.frames_async():
                yield frame
        finally:
            ticket.cancel()

    def close(self) -> None:
        """Cancel what is under way and stop; returns when the last pass is over."""
        with self._has_work:
            self._is_closed = True
            self._has_work.notify()
        self._thread.join()

    def _work(self) -> None:
        """Tick while there is work."""
        while True:
            with self._has_work:
                self._has_work.wait_for(lambda: self._is_closed or not self.batch.is_idle)
                if self._is_closed:
                    self.batch.cancel_all()
                    if self.batch.is_idle:
                        return
            try:
                self.batch.tick()
            except BaseException as error:  # whoever waits must hear of it, or would wait for ever
                self.batch.fail_all(error)
