"""The arms that run on our engine: the diffusion model at any effort, and the autoregressive model of its size."""

import time
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from redraft.engine import AutoregressiveEngine, BatchEngine, BatchLimits, Engine, Request
from redraft.engine.result import Result
from redraft.evaluation.bench.turn import Turn, sum_up
from redraft.evaluation.bench.workload import Asked

__all__ = ["Arm", "EngineArm"]

_NUM_FIRSTS = 4
"""Questions of a turn whose first draft is waited for, apart from the turn's own time."""


@runtime_checkable
class Arm(Protocol):
    """Somebody who answers."""

    def answer(self, asked: Sequence[Asked], *, effort: str, batch: int, seed: int) -> Turn:
        """Answer every question.

        Args:
            asked: The questions.
            effort: Passes against quality; no effect where there is no such dial.
            batch: How many are under way at once.
            seed: Question i is asked with seed + i.

        Returns:
            What came of it.
        """
        ...


class EngineArm:
    """Answers as users of the engine are answered.

    Args:
        engine: The model at work.
        is_trained: Whether it knows where to stop; else it writes as many tokens as the right answer has.
    """

    def __init__(self, engine: Engine, *, is_trained: bool = True) -> None:
        self.engine, self._is_trained = engine, is_trained

    def answer(self, asked: Sequence[Asked], *, effort: str, batch: int, seed: int) -> Turn:
        """Answer every question; see ``Arm.answer``."""
        requests = [self._request(question, index, effort, seed) for index, question in enumerate(asked)]
        results, wall_s = self._answer_all(requests, batch)
        firsts = [self._first_draft_s(request) for request in requests[:_NUM_FIRSTS]] if batch == 1 else []
        return sum_up(asked, results, wall_s=wall_s, first_draft_s=firsts)

    def _request(self, question: Asked, index: int, effort: str, seed: int) -> Request:
        most = min(question.num_answer_tokens, self.engine.canvas_length)
        limit = {} if self._is_trained else {"max_new_tokens": most}
        settings = self.engine.settings(effort, **limit)
        return Request(segments=question.segments, id=str(index), seed=seed + index, settings=settings)

    def _answer_all(self, requests: Sequence[Request], batch: int) -> tuple[list[Result], float]:
        """Answer them, and say how long it took."""
        if batch > 1 and not isinstance(self.engine, AutoregressiveEngine):
            # Nothing is kept for later requests, since a repeat asks the same ones again.
            with BatchEngine(self.engine, BatchLimits(max_rows=batch, max_cache_bytes=0)) as batching:
                since = time.perf_counter()
                results = list(batching.answer_all(requests))
                return results, time.perf_counter() - since
        since = time.perf_counter()
        if batch == 1:
            results = [self.engine.generate(request) for request in requests]
        else:
            results = self.engine.generate_batch(requests, batch_size=batch)
        return results, time.perf_counter() - since

    def _first_draft_s(self, request: Request) -> float:
        """From the request to the first text that could be shown, over all of the canvas or of one token."""
        frames = self.engine.stream(request)
        seconds = next(frames).seconds
        del frames  # what would come after the first frame is never drawn
        return seconds
