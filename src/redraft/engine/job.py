"""The engine's notes on a request that is being answered."""

import time
from dataclasses import dataclass, field
from typing import Literal

from redraft.engine.layout import Reader
from redraft.engine.request import Request
from redraft.engine.result import FinishReason, Result, Seconds
from redraft.sampler import Step

__all__ = ["Job", "Stage", "Stopwatch"]

Stage = Literal["tokenize", "prefill", "denoise", "detokenize"]
"""What the time goes into."""


class Stopwatch:
    """Adds up the time of each stage; ``pause`` leaves out what the watcher of a stream takes."""

    def __init__(self) -> None:
        self._spent: dict[Stage, float] = {"tokenize": 0.0, "prefill": 0.0, "denoise": 0.0, "detokenize": 0.0}
        self._started = time.perf_counter()
        self._paused_at = 0.0

    def add(self, stage: Stage, since: float) -> None:
        """Count the time from ``since`` until now, both by ``time.perf_counter``, for a stage."""
        self._spent[stage] += time.perf_counter() - since

    def pause(self) -> None:
        """Stop the total."""
        self._paused_at = time.perf_counter()

    def go_on(self) -> None:
        """Go on after a pause, as if it had taken no time."""
        self._started += time.perf_counter() - self._paused_at

    @property
    def total(self) -> float:
        """Time since the start, pauses left out."""
        return time.perf_counter() - self._started

    def seconds(self) -> Seconds:
        """All stages and the total as they are now."""
        return Seconds(**self._spent, filter=0.0, total=self.total)


@dataclass(kw_only=True, slots=True)
class Job:
    """One request on its way to a result."""

    request: Request
    """What is asked."""

    segments: list[list[int]]
    """The settled turns as token ids."""

    watch: Stopwatch
    """Where the time goes."""

    given: list[int] = field(default_factory=list[int])
    """What stands pinned at the beginning of the first canvas."""

    completion: list[int] = field(default_factory=list[int])
    """Tokens of the text so far, finished canvases only."""

    canvas: list[int] = field(default_factory=list[int])
    """Tokens of the last finished canvas, as they stand."""

    num_canvases: int = 0
    """Finished canvases."""

    has_ended: bool = False
    """Whether the model ended the text."""

    nfe_before: int = 0
    """Forward passes over finished canvases."""

    nfe: int = 0
    """Forward passes over the open canvas."""

    revised: int = 0
    """Revisions so far."""

    num_passes: int = 0
    """Passes so far, over all canvases."""

    opened_at: float = field(default_factory=time.perf_counter)
    """When it came, by ``time.perf_counter``."""

    cut: FinishReason | None = None
    """Why the answer ends before the model ended it; None while nothing says so."""

    @property
    def prompt_tokens(self) -> int:
        """Tokens that were asked with, those on the first canvas included."""
        return sum(len(segment) for segment in self.segments) + len(self.given)

    @property
    def num_given(self) -> int:
        """Pinned tokens at the beginning of the open canvas."""
        return 0 if self.num_canvases else len(self.given)

    @property
    def is_done(self) -> bool:
        """Whether no further canvas is due."""
        return self.cut is not None or self.has_ended or len(self.completion) >= self.request.settings.max_new_tokens

    def is_spent(self) -> bool:
        """Whether the request's passes or its time are used up; remembered, so that the result can say so."""
        request = self.request
        if self.cut is None and request.max_passes is not None and self.num_passes >= request.max_passes:
            self.cut = "passes"
        if self.cut is None and request.deadline_s is not None:
            self.cut = "deadline" if time.perf_counter() - self.opened_at >= request.deadline_s else None
        return self.cut is not None

    def note_pass(self, step: Step, row: int) -> None:
        """Count a pass over the open canvas."""
        self.num_passes += 1
        self.nfe = step.nfe[row]
        self.revised += int(step.revised[row].sum())

    def take_canvas(self, tokens: list[int], tokenizer: Reader) -> None:
        """Append a finished canvas to the text: what stands before the first end, control tokens left out."""
        self.canvas = tokens
        ends = tokenizer.special.ends
        for token in tokens[self.num_given :]:
            if token in ends:
                self.has_ended = True
                break
            if not tokenizer.is_control(token):
                self.completion.append(token)
        self.num_canvases += 1
        self.nfe_before, self.nfe = self.nfe_before + self.nfe, 0

    def result(self, tokenizer: Reader, model: str) -> Result:
        """Decode the text, cut to its greatest length, and close the books."""
        since = time.perf_counter()
        limit = self.request.settings.max_new_tokens
        is_whole = self.has_ended and len(self.completion) <= limit
        finish_reason: FinishReason = self.cut or ("stop" if is_whole else "length")
        completion = self.completion[:limit]
        text = tokenizer.decode(completion)
        self.watch.add("detokenize", since)
        return Result(
            id=self.request.id,
            text=text,
            model=model,
            seed=self.request.seed,
            finish_reason=finish_reason,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=len(completion),
            nfe=self.nfe_before + self.nfe,
            revised_tokens=self.revised,
            seconds=self.watch.seconds(),
        )
