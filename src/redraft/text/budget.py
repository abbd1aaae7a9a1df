"""What one run of somebody else's template may use: steps, seconds, characters, items."""

import time
from contextvars import ContextVar
from typing import Any

from redraft.errors import CheckpointError

__all__ = ["MAX_CHARS", "MAX_ITEMS", "Budget", "budget_of_run", "refusal"]

MAX_CHARS = 1 << 20
"""Of any one string and of the output: a context of 250,000 tokens."""

MAX_ITEMS = 20_000
"""Of any one list, nested ones counted in full: more turns than any context holds."""

_MAX_CHARS_IN_ALL = 1 << 26
"""Of all strings that are made on the way; at most a quarter of a gibibyte if none is let go."""

_MAX_STEPS = 400_000
"""Loop passes, calls, operations and outputs, each pass weighed by what stands inside the loop: a conversation of 1,000
turns takes 60,000 in the longest published templates."""

_MAX_SECONDS = 5.0
"""Real templates take milliseconds."""

_MAX_DEPTH = 32
_MAX_NUMBER = 1 << 63
_STEP_ITEMS = 2
_STEP_CHARS = 1 << 12


class Budget:
    """Counts what a run uses and stops it at the limit.

    >>> budget = Budget(max_steps=10)
    >>> budget.spend(9)
    >>> budget.spend(2)
    Traceback (most recent call last):
    redraft.errors.CheckpointError: the chat template takes more than 10 steps; ...

    Args:
        max_steps: Most steps.
        max_seconds: Longest time.
    """

    def __init__(self, *, max_steps: int = _MAX_STEPS, max_seconds: float = _MAX_SECONDS) -> None:
        self._max_steps, self._steps = max_steps, 0
        self._max_seconds, self._deadline = max_seconds, time.monotonic() + max_seconds
        self._chars = 0

    def spend(self, steps: int = 1) -> None:
        """Take so many steps, or stop."""
        self._steps += steps
        if self._steps > self._max_steps:
            raise refusal(f"takes more than {self._max_steps} steps")
        if time.monotonic() > self._deadline:
            raise refusal(f"takes longer than {self._max_seconds:g} s")

    def foresee(self, count: int) -> None:
        """Refuse a string of this length before it is made; ``take`` charges for it afterwards."""
        if count > MAX_CHARS:
            raise refusal(f"makes a text of {count} characters; at most {MAX_CHARS} are allowed")

    def spend_chars(self, count: int) -> None:
        """Take room for a string of this length."""
        self.foresee(count)
        self._chars += count
        if self._chars > _MAX_CHARS_IN_ALL:
            raise refusal(f"makes texts of more than {_MAX_CHARS_IN_ALL} characters in all")
        self.spend(count // _STEP_CHARS)

    def take(self, value: Any) -> Any:
        """Return a value that was made, if its strings, lists and numbers are not too large; nested ones count.

        Lists are measured as if each reference were a copy: writing one out takes that long.
        """
        if isinstance(value, str):
            self.spend_chars(len(value))
        elif isinstance(value, int):
            if abs(value) > _MAX_NUMBER:
                raise refusal("makes a number beyond 2 ** 63")
        elif isinstance(value, list | tuple | dict):
            items, chars = _measure(value, 0, 0, 0)
            self.spend(items // _STEP_ITEMS)
            self.spend_chars(chars)
        return value


budget_of_run: ContextVar[Budget] = ContextVar("budget_of_run")
"""The budget of the run under way, so that one compiled template may run in several threads."""


def refusal(what: str) -> CheckpointError:
    """Return the error that ends a template which ``what``."""
    return CheckpointError(f"the chat template {what}; it is damaged or hostile, use another one")


def _measure(value: Any, items: int, chars: int, depth: int) -> tuple[int, int]:
    """Return how many items and characters a value would take if it were written out."""
    items += 1
    if isinstance(value, str):
        chars += len(value)
    elif isinstance(value, list | tuple | dict):
        inside = [*value.keys(), *value.values()] if isinstance(value, dict) else value
        if depth > _MAX_DEPTH:
            raise refusal(f"nests lists more than {_MAX_DEPTH} levels deep")
        if items + len(inside) > MAX_ITEMS:
            raise refusal(f"makes a list of more than {MAX_ITEMS} items, nested ones counted in full")
        for item in inside:
            items, chars = _measure(item, items, chars, depth + 1)
    if items > MAX_ITEMS or chars > MAX_CHARS:
        raise refusal(f"makes a list of more than {MAX_ITEMS} items or {MAX_CHARS} characters in all")
    return items, chars
