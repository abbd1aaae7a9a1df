"""Draws examples ahead of the run, in processes of their own, so that a fast device never waits for problems.

An example is a function of its number and the progress of the run, so it is the same whoever draws it.
"""

import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import pairwise
from typing import Generic, TypeVar

from redraft.errors import RedraftError

__all__ = ["DrawnAhead"]

Item = TypeVar("Item")


class DrawnAhead(Generic[Item]):
    """Ranges of numbered items, asked for before they are needed.

    Args:
        draw: Draws the items of a range at a progress; goes to other processes, so a function of a module or the method
            of an object that can travel.
        num_workers: Processes; they start with the first range and end with ``close``.
    """

    def __init__(self, draw: Callable[[int, int, float], list[Item]], num_workers: int) -> None:
        self.draw = draw
        self.num_workers = num_workers
        self._executor: ProcessPoolExecutor | None = None
        self._asked: dict[tuple[int, int, float], list[Future[list[Item]]]] = {}

    def ask(self, start: int, stop: int, progress: float) -> None:
        """Have a range drawn, without waiting for it.

        Args:
            start: First number.
            stop: Number behind the last one.
            progress: Of the run, as ``draw`` takes it.
        """
        if (start, stop, progress) in self._asked:
            return
        if self._executor is None:
            # Not fork: the threads of torch would not survive it.
            context = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(self.num_workers, context, initializer=_leave_interrupts_to_the_run)
        share, rest = divmod(stop - start, self.num_workers)
        cuts = [start + share * part + min(part, rest) for part in range(self.num_workers + 1)]
        self._asked[start, stop, progress] = [
            self._executor.submit(self.draw, low, high, progress) for low, high in pairwise(cuts) if high > low
        ]

    def take(self, start: int, stop: int, progress: float) -> list[Item]:
        """Wait for a range, asking for it first if nobody has.

        Args:
            start: First number.
            stop: Number behind the last one.
            progress: Of the run, as ``draw`` takes it.

        Returns:
            The items, in order.

        Raises:
            RedraftError: If a process ended before its work did; what ``draw`` raises comes as it is.
        """
        self.ask(start, stop, progress)
        try:
            return [item for part in self._asked.pop((start, stop, progress)) for item in part.result()]
        except BrokenProcessPool as error:
            self.close()
            raise RedraftError(
                f"one of the {self.num_workers} processes that draw examples has ended, perhaps for want of memory; "
                "lower data.num_workers"
            ) from error

    def close(self) -> None:
        """End the processes and forget what was asked for."""
        self._asked.clear()
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None


def _leave_interrupts_to_the_run() -> None:
    """An interrupt on a terminal reaches every process; only the run's own acts on it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
