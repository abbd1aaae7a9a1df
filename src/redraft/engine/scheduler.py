"""Who is drawn next. Knows rows by their size only: no token, no tensor.

Three rules make it fair. Requests get a row in the order in which they came, whatever their size. Where more rows are
open than one pass may hold, they take turns, the one that waited longest first. A request with another canvas to draw
gives up its row at the end of a canvas if others wait, and queues again: so a long answer delays nobody by more than a
canvas.
"""

from collections import deque
from typing import Generic, Protocol, TypeVar, runtime_checkable

from redraft.engine.limits import BatchLimits

__all__ = ["RequestScheduler", "Row"]


@runtime_checkable
class Row(Protocol):
    """What a scheduler has to know of a request."""

    @property
    def num_bytes(self) -> int:
        """Memory that is set aside for it while it is open."""
        ...

    @property
    def num_positions(self) -> int:
        """Canvas positions of its next pass."""
        ...

    @property
    def num_prefill_tokens(self) -> int:
        """Tokens that have to be encoded before its first pass."""
        ...


_R = TypeVar("_R", bound=Row)


class RequestScheduler(Generic[_R]):
    """Waiting and open rows of one engine.

    Args:
        limits: How much may go on at once.
    """

    def __init__(self, limits: BatchLimits) -> None:
        self._limits = limits
        self.waiting: deque[_R] = deque()
        self.open: deque[_R] = deque()
        self.num_bytes = 0

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self.waiting and not self.open

    def add(self, row: _R) -> None:
        """Queue a row behind all others."""
        self.waiting.append(row)

    def admit(self) -> _R | None:
        """Open the row that has waited longest, if there is room for it.

        Returns:
            The row; None when nobody waits, or the first has to wait on. Nobody overtakes it, so it gets its turn.
        """
        if not self.waiting or len(self.open) >= self._limits.max_rows:
            return None
        if self.open and self.num_bytes + self.waiting[0].num_bytes > self._limits.max_bytes:
            return None
        row = self.waiting.popleft()
        self.open.append(row)
        self.num_bytes += row.num_bytes
        return row

    def admit_all(self) -> list[_R]:
        """Open rows until one has to wait, or enough has to be encoded before the next pass.

        Returns:
            The rows, in order.
        """
        admitted: list[_R] = []
        num_tokens = 0
        while self.waiting and num_tokens < self._limits.max_prefill_tokens:
            next_tokens = self.waiting[0].num_prefill_tokens
            if admitted and num_tokens + next_tokens > self._limits.max_prefill_tokens:
                break
            row = self.admit()
            if row is None:
                break
            admitted.append(row)
            num_tokens += next_tokens
        return admitted

    def turn(self) -> list[_R]:
        """Choose the rows of the next pass.

        Returns:
            As many as it may hold, those that waited longest first; they go to the back.
        """
        chosen: list[_R] = []
        num_positions = 0
        while len(chosen) < len(self.open):
            row = self.open[0]
            if chosen and num_positions + row.num_positions > self._limits.max_positions:
                break
            num_positions += row.num_positions
            chosen.append(row)
            self.open.rotate(-1)
        return chosen

    def close(self, row: _R) -> None:
        """Take a row out, open or waiting."""
        if row in self.open:
            self.open.remove(row)
            self.num_bytes -= row.num_bytes
        else:
            self.waiting.remove(row)

    def give_way(self, row: _R) -> bool:
        """Send an open row to the back of the queue if others wait.

        Args:
            row: One that is between two canvases.

        Returns:
            Whether it has to wait now.
        """
        if not self.waiting:
            return False
        self.close(row)
        self.add(row)
        return True
