"""Everything about requests that is no pass: opening one, its context, its canvases, its result.

The plain loop and the batching engine differ in who is scored together with whom. All else they do here, so that a
request means the same to both.
"""

import time
from collections.abc import Sequence

import torch

from redraft.denoiser import Cache, Denoiser
from redraft.denoiser.families import BlockContext, BlockDenoiser
from redraft.engine.job import Job, Stopwatch
from redraft.engine.layout import Layout, Reader
from redraft.engine.request import Request
from redraft.engine.result import Result
from redraft.errors import ConfigError, ContextLengthError
from redraft.sampler import Canvas, SamplerSettings, Step
from redraft.sampler.canvas import ids_of

__all__ = ["Desk"]

_LEAST_ROWS = 12
"""A matrix product of fewer rows may be taken by another kernel, by the number of threads (MKL on AVX2): last bits."""


class Desk:
    """One model's.

    Args:
        denoiser: The model.
        tokenizer: The one that it was trained with.
        layout: How requests are laid over context and canvases.
        context_length: Longest settled context that it takes.
        canvas_length: Longest canvas that it takes.
        name: Says in results which model answered.
        device: Where the denoiser lives.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        tokenizer: Reader,
        layout: Layout,
        *,
        context_length: int,
        canvas_length: int,
        name: str,
        device: torch.device,
    ) -> None:
        self.denoiser = denoiser
        self.tokenizer = tokenizer
        self.layout = layout
        self.special_ids = layout.special_ids
        self.context_length = context_length
        self.canvas_length = canvas_length
        self.name = name
        self.device = device

    def open(self, request: Request) -> Job:
        """Encode a request's text and check that the model can take it.

        Args:
            request: What is asked.

        Returns:
            The request on its way, with the clock running.

        Raises:
            ContextLengthError: It does not fit the model.
        """
        watch = Stopwatch()
        since = time.perf_counter()
        opening = self.layout.open(request)
        watch.add("tokenize", since)
        job = Job(request=request, segments=opening.segments, given=opening.given, watch=watch)
        self.check_canvas(request.settings)
        later = self.room_behind(job)
        if job.prompt_tokens - len(job.given) + later > self.context_length:
            fewest = request.settings.canvas_length
            remedy = "shorten it"
            if later:
                is_one_enough = self.layout.block_length is None and request.settings.max_new_tokens > fewest
                remedy = f"lower max_new_tokens{f' to {fewest}' if is_one_enough else ''} or shorten it"
            needed = f"and max_new_tokens={request.settings.max_new_tokens} needs {later} more, " if later else ""
            raise ContextLengthError(
                f"the prompt has {job.prompt_tokens} tokens, {needed}"
                f"but the model {self.name} takes a context of {self.context_length}; {remedy}"
            )
        return job

    def check_canvas(self, settings: SamplerSettings) -> None:
        """Refuse canvases that are not this model's.

        Args:
            settings: How an answer is to be drawn.

        Raises:
            ConfigError: The canvas is too long, no block, or of another family.
        """
        block_length = self.layout.block_length
        if block_length is not None and settings.canvas_length != block_length:
            raise ConfigError(
                f"canvas_length={settings.canvas_length}, but the model {self.name} draws blocks of {block_length}; "
                "leave it out; for a longer answer raise max_new_tokens, which opens further blocks"
            )
        if settings.family == "masked" and self.special_ids.mask is None:
            raise ConfigError(f"family='masked', but the model {self.name} has no [MASK]; use family='uniform'")
        if settings.canvas_length > self.canvas_length:
            raise ConfigError(
                f"canvas_length={settings.canvas_length} is longer than the {self.canvas_length} that the model "
                f"{self.name} takes; for a longer answer raise max_new_tokens, which opens further canvases"
            )

    def room_behind(self, job: Job) -> int:
        """Context positions that a job may yet take, beside those of its prompt."""
        settings = job.request.settings
        return self.layout.room(settings, self.layout.num_canvases(settings, len(job.given)))

    @torch.inference_mode()
    def encode(self, segment: list[int], context: Cache | None) -> Cache:
        """Take one segment of one request into its context.

        Args:
            segment: The token ids.
            context: What stands before it; not changed.

        Returns:
            The context with the segment in it: the same bits whatever the number of threads.
        """
        copies = -(-_LEAST_ROWS // len(segment))
        tokens = torch.tensor([segment] * copies, device=self.device)
        if copies > 1 and context is not None:
            context = context.select(torch.zeros(copies, dtype=torch.int64, device=self.device))
        cache = self.denoiser.encode(tokens, context)
        return cache if copies == 1 else cache.select(torch.zeros(1, dtype=torch.int64, device=self.device))

    def prefill(self, jobs: Sequence[Job]) -> Cache | None:
        """Take the settled segments of jobs of equal shape into one context."""
        since = time.perf_counter()
        cache: Cache | None = None
        for rows in zip(*(job.segments for job in jobs), strict=True):
            cache = self._encode_rows([*rows], cache)
        for job in jobs:
            job.watch.add("prefill", since)
        return cache

    def settle(self, jobs: Sequence[Job], cache: Cache | None) -> Cache:
        """Take a finished canvas of each job into the context."""
        since = time.perf_counter()
        cache = self._encode_rows([self.layout.settled(job.canvas) for job in jobs], cache)
        for job in jobs:
            job.watch.add("prefill", since)
        return cache

    def _encode_rows(self, rows: list[list[int]], cache: Cache | None) -> Cache:
        if len(rows) == 1:
            return self.encode(rows[0], cache)
        with torch.inference_mode():
            return self.denoiser.encode(torch.tensor(rows, device=self.device), cache)

    def blank_canvas(self, jobs: Sequence[Job], cache: Cache | None, block: int) -> Canvas:
        """A canvas per job of equal shape, all open but for what is given."""
        settings, mask = jobs[0].request.settings, self.special_ids.mask
        if settings.family == "masked":
            assert mask is not None, "settings of a family without its token are refused"
            given = self._given(jobs, cache)
            canvas = Canvas.blank(len(jobs), settings.canvas_length, mask, device=self.device)
            if not given.shape[1]:
                return canvas
            canvas.tokens[:, : given.shape[1]] = given
            canvas.is_editable[:, : given.shape[1]] = False
            return Canvas.from_tokens(canvas.tokens, canvas.is_editable, mask)
        return Canvas.noise(
            torch.tensor([job.request.seed for job in jobs]),
            settings.canvas_length,
            self.denoiser.vocab_size,
            special=self.special_ids,
            block=block,
            device=self.device,
        )

    @torch.inference_mode()
    def _given(self, jobs: Sequence[Job], cache: Cache | None) -> torch.Tensor:
        """What stands on the canvases before the first pass, one row per job."""
        given = [job.given[: job.num_given] for job in jobs]
        if self.layout.opens_with_likeliest and not given[0] and isinstance(cache, BlockContext):
            assert isinstance(self.denoiser, BlockDenoiser), "only these leave such a context"
            logits = self.denoiser.next_logits(cache).float()
            logits[:, self.special_ids.mask] = -torch.inf
            return logits.argmax(dim=-1, keepdim=True)
        return torch.tensor(given, dtype=torch.int64, device=self.device).view(len(jobs), -1)

    def close_canvas(self, job: Job, step: Step, row: int) -> Result | None:
        """Take a canvas that is finished, or has to be.

        Args:
            job: Whose.
            step: The pass after which it is taken; where it is not the canvas's last, its proposal is taken.
            row: Which row of the step.

        Returns:
            The result if it was the last one.
        """
        job.take_canvas(ids_of((step.tokens if step.is_finished[row] else step.proposed)[row]), self.tokenizer)
        is_last = step.block + 1 >= self.layout.num_canvases(job.request.settings, len(job.given))
        is_over = job.is_done or is_last or job.is_spent()
        return job.result(self.tokenizer, self.name) if is_over else None
