"""How many threads a pass runs on: as many as were quickest lately.

On an idle machine a second thread makes a pass of a small model 1.4 times as fast. Beside one busy process it makes it
six times as slow, because each of its hundred products waits until both threads have had their share of the processor
(``docs/speed.md``). Neither is right for long, so passes are timed, and now and then a few run on another number.
What is computed does not depend on it: a test holds that no bit does.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import fmean

import torch

__all__ = ["ThreadLadder", "ThreadTuner"]

_STRETCH = 4
"""Passes whose mean is compared. A single one may be lucky: a neighbour pauses for a few milliseconds now and then."""

_FIRST, _LONGEST = 16, 512
"""Passes between two trials: few after a change, twice as many after each trial that brought nothing."""

_GAIN = 0.95
"""What another number has to cost at most, against this one's 1, to take its place."""

_ALARM = 1.5
"""Where passes cost so much more than they did, something has changed, and a trial does not wait for its turn."""

_OVERHEAD = 32
"""Positions that take as long as what every pass takes, whatever its size."""


class ThreadLadder:
    """Numbers of threads, and which of them is worth taking, from the costs of passes alone.

    >>> ladder = ThreadLadder(2)
    >>> for _ in range(12):
    ...     ladder.note({1: 1.0, 2: 6.0}[ladder.count])
    >>> ladder.count
    1

    Args:
        most: The greatest number, with which it begins; the others are the powers of two below it.
    """

    def __init__(self, most: int) -> None:
        self._counts = tuple(sorted({most} | {1 << power for power in range(most.bit_length()) if 1 << power < most}))
        self._home = len(self._counts) - 1
        self._trial: int | None = None
        self._direction = -1
        self._home_cost: float | None = None
        self._costs: deque[float] = deque(maxlen=_STRETCH)
        self._patience = _FIRST // 2
        self._num_left = _STRETCH + 1  # the very first pass takes longer on any number of threads

    @property
    def count(self) -> int:
        """Threads for the next pass."""
        return self._counts[self._home if self._trial is None else self._trial]

    def note(self, cost: float) -> None:
        """Take what a pass on ``count`` threads cost.

        Args:
            cost: Its time, in any unit; comparable with other passes'.
        """
        if len(self._counts) == 1:
            return
        self._costs.append(cost)
        self._num_left -= 1
        mean = fmean(self._costs)
        is_full = len(self._costs) == _STRETCH
        if self._trial is not None:
            if self._num_left == 0:
                self._judge_trial(mean)
        elif self._num_left <= 0 or (is_full and self._home_cost is not None and mean > _ALARM * self._home_cost):
            self._home_cost = mean
            self._begin_trial()

    def _begin_trial(self) -> None:
        if not 0 <= self._home + self._direction < len(self._counts):
            self._direction = -self._direction
        self._trial = self._home + self._direction
        self._costs.clear()
        self._num_left = _STRETCH

    def _judge_trial(self, mean: float) -> None:
        assert self._trial is not None, "a trial is under way"
        assert self._home_cost is not None, "a trial follows passes of the other number"
        if mean < _GAIN * self._home_cost:
            self._home, self._home_cost, self._patience = self._trial, mean, _FIRST
        else:
            self._direction, self._patience = -self._direction, min(2 * self._patience, _LONGEST)
        self._trial = None
        self._costs.clear()
        self._num_left = self._patience


class ThreadTuner:
    """Sets the number of torch's threads around the passes of one model on a CPU.

    At most as many as torch is set to when a pass begins, and that number is back in force when it has ended.
    """

    def __init__(self) -> None:
        self._ladders: dict[int, ThreadLadder] = {}
        self._leading: ThreadLadder | None = None

    @contextmanager
    def leading(self) -> Iterator[None]:
        """What runs inside runs on the number of threads that is due."""
        most = torch.get_num_threads()
        if most not in self._ladders:
            self._ladders[most] = ThreadLadder(most)
        ladder = self._ladders[most]
        self._leading, outer = ladder, self._leading
        if ladder.count != most:
            torch.set_num_threads(ladder.count)
        try:
            yield
        finally:
            self._leading = outer
            if torch.get_num_threads() != most:
                torch.set_num_threads(most)

    def note(self, num_positions: int, seconds: float) -> None:
        """Take what a pass took, if it ran under ``leading``.

        Args:
            num_positions: Positions that went through the model, of all rows.
            seconds: Its time.
        """
        ladder = self._leading
        if ladder is None:
            return
        before = ladder.count
        ladder.note(seconds / (num_positions + _OVERHEAD))
        if ladder.count != before:
            torch.set_num_threads(ladder.count)
