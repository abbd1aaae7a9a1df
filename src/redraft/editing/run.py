"""A job that is watched pass by pass and ends in a result."""

from collections.abc import Generator, Iterator
from typing import Generic, TypeVar

from redraft.sampler import Step

__all__ = ["Run"]

Outcome = TypeVar("Outcome")


class Run(Generic[Outcome], Iterator[Step]):
    """Yields the loop's steps; ``result`` is there at the end, and takes whoever asks for it there.

    Args:
        steps: Yields steps and returns the outcome.
    """

    def __init__(self, steps: Generator[Step, None, Outcome]) -> None:
        self._steps = steps
        self._outcomes: list[Outcome] = []

    def __next__(self) -> Step:
        try:
            return next(self._steps)
        except StopIteration as stop:
            if not self._outcomes:
                self._outcomes.append(stop.value)
            raise StopIteration from None

    @property
    def result(self) -> Outcome:
        """The outcome; passes that are still due are taken first."""
        for _ in self:
            pass
        assert self._outcomes, "a run that raised has no result"
        return self._outcomes[0]
