"""What a caller holds of a request that was handed in: its frames as they come, its result, a way to cancel it."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Literal

from redraft.engine.frame import Frame
from redraft.engine.request import Request
from redraft.engine.result import Result
from redraft.errors import RequestCancelledError

__all__ = ["Ticket", "TicketState"]

TicketState = Literal["pending", "done", "cancelled", "failed"]
"""pending: waiting or being drawn."""


class Ticket:
    """One request. The engine writes on it, callers read, in any thread.

    Args:
        request: What is asked.
        is_watched: Whether frames are wanted.
        max_unread: Most frames that are kept unread; the oldest go first.
    """

    def __init__(self, request: Request, *, is_watched: bool, max_unread: int) -> None:
        self.request = request
        self.is_watched = is_watched
        self.is_cancel_wanted = False
        self.state: TicketState = "pending"
        self._frames: deque[Frame] = deque(maxlen=max_unread)
        self._result: Result | None = None
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._listeners: list[Callable[[], None]] = []

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.state != "pending"

    def cancel(self) -> None:
        """Ask for the end; it comes before the next pass, if the request is not over by then."""
        self.is_cancel_wanted = True

    def result(self, timeout_s: float | None = None) -> Result:
        """Wait for the answer.

        Args:
            timeout_s: Longest wait; None for any.

        Returns:
            The answer.

        Raises:
            RequestCancelledError: It was cancelled.
            TimeoutError: It is still pending.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self.is_over, timeout_s):
                raise TimeoutError(f"the request is still pending after {timeout_s} s")
        return self._outcome()

    def frames(self) -> Iterator[Frame]:
        """Wait for the frames of a watched request; the last one carries the result.

        Yields:
            Every frame once, whoever takes it; none after a cancellation.
        """
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._frames) or self.is_over)
                frame = self._frames.popleft() if self._frames else None
            if frame is None:
                break
            yield frame
        if self.state != "cancelled":
            self._outcome()

    async def wait(self) -> Result:
        """Wait for the answer without blocking the event loop; see ``result``."""
        await self._until(lambda: self.is_over)
        return self._outcome()

    async def frames_async(self) -> AsyncIterator[Frame]:
        """Wait for the frames without blocking the event loop; see ``frames``.

        Yields:
            Every frame once.
        """
        while True:
            await self._until(lambda: bool(self._frames) or self.is_over)
            if not self._frames:
                break
            yield self._frames.popleft()
        if self.state != "cancelled":
            self._outcome()

    async def _until(self, is_due: Callable[[], bool]) -> None:
        """Wait until something holds; the engine's thread says when to look again."""
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            if not loop.is_closed():  # the watcher may have gone without a word
                loop.call_soon_threadsafe(changed.set)

        with self._changed:
            self._listeners.append(wake)
        try:
            while not is_due():
                await changed.wait()
                changed.clear()
        finally:
            with self._changed:
                self._listeners.remove(wake)

    def put(self, frame: Frame) -> None:
        """Add a frame; the engine's call."""
        if self.is_watched:
            self._tell(lambda: self._frames.append(frame))

    def finish(self, state: TicketState, *, result: Result | None = None, error: BaseException | None = None) -> None:
        """End it; the engine's call."""

        def write() -> None:
            self.state, self._result, self._error = state, result, error

        self._tell(write)

    def _tell(self, write: Callable[[], None]) -> None:
        with self._changed:
            write()
            self._changed.notify_all()
            listeners = [*self._listeners]
        for wake in listeners:
            wake()

    def _outcome(self) -> Result:
        if self._error is not None:
            raise self._error
        if self.state == "cancelled":
            raise RequestCancelledError(f"the request {self.request.id!r} was cancelled")
        assert self._result is not None, "what is done has a result"
        return self._result
