"""The engine of the autoregressive arm: one token per pass, left to right, on kept keys and values.

It answers the same requests with the same results as ``Engine``; ``nfe`` counts a pass for every slot that was written,
[NULL] and the end of the text included. Greedy unless a temperature is set.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import torch

from redraft.denoiser import Denoiser, KeyValueCache, Transformer
from redraft.denoiser.causal import SlotReader
from redraft.engine.autoregressive_canvas import WrittenCanvas
from redraft.engine.engine import Engine
from redraft.engine.frame import Frame
from redraft.engine.job import Job
from redraft.engine.request import Request
from redraft.engine.result import Result
from redraft.errors import ConfigError
from redraft.sampler import SamplerSettings
from redraft.sampler.canvas import ids_of
from redraft.sampler.guidance import LEAST
from redraft.sampler.propose import Proposal
from redraft.sampler.random import Draws

__all__ = ["AutoregressiveEngine", "engine_for"]

_SETTINGS = ("canvas_length", "max_new_tokens", "temperature", "top_p")
"""What means something here; all else is about which position settles when."""


def engine_for(model: Transformer) -> type[Engine]:
    """The engine that decodes a native model as it was trained.

    Args:
        model: Says so by its configuration.

    Returns:
        The class; make an engine with ``from_transformer`` or ``from_checkpoint``.
    """
    return AutoregressiveEngine if model.config.is_causal else Engine


class AutoregressiveEngine(Engine):
    """Answers requests with a causal transformer.

    Args:
        denoiser: The model.
        tokenizer: The one that it was trained with.
        **options: Those of ``Engine``.

    Raises:
        ConfigError: The model is none.
    """

    def __init__(self, denoiser: Any, tokenizer: Any, **options: Any) -> None:
        if not isinstance(denoiser, Transformer) or not denoiser.config.is_causal:
            raise ConfigError("this model does not write left to right; use redraft.engine.Engine")
        super().__init__(cast(Denoiser, denoiser), tokenizer, **options)
        self._model = denoiser

    def settings(self, effort: str = "medium", **changes: Any) -> SamplerSettings:
        """Settings for this model; see ``Engine.settings``.

        Args:
            effort: Any; a token costs one pass at each of them.
            **changes: canvas_length, max_new_tokens, temperature and top_p.

        Returns:
            The settings.

        Raises:
            ConfigError: A name or a value is not allowed, or has no effect here.
        """
        idle = sorted(changes.keys() - set(_SETTINGS))
        if idle:
            raise ConfigError(
                f"{idle[0]} has no effect: the model {self.name} writes left to right, one token a pass; "
                f"leave it out (known here: {', '.join(_SETTINGS)})"
            )
        return super().settings(effort, **changes)

    def generate(self, request: Request) -> Result:
        """Answer one request; see ``Engine.generate``."""
        return self._answer([request])[0]

    def generate_batch(
        self, requests: Sequence[Request], *, batch_size: int = 16, tick: Callable[[int], None] | None = None
    ) -> list[Result]:
        """Answer many requests, those with prompts of equal shape together; see ``Engine.generate_batch``."""
        groups: dict[tuple[Any, ...], list[int]] = {}
        for index, request in enumerate(requests):
            lengths = tuple(len(segment) for segment in self._open(request).segments)
            is_limited = request.max_passes is not None or request.deadline_s is not None  # such a one is drawn alone
            groups.setdefault((lengths, request.settings, index if is_limited else None), []).append(index)
        results: dict[int, Result] = {}
        for members in groups.values():
            for start in range(0, len(members), batch_size):
                chunk = members[start : start + batch_size]
                results |= zip(chunk, self._answer([requests[index] for index in chunk]), strict=True)
                if tick is not None:
                    tick(len(results))
        return [results[index] for index in range(len(requests))]

    def stream(self, request: Request) -> Iterator[Frame]:
        """Answer one request and show the canvas after every token; see ``Engine.stream``."""
        job = self._open(request)
        canvas = WrittenCanvas(request.settings.canvas_length, self.special_ids, self.device)
        for proposal in self._write([job]):
            canvas.put(proposal.tokens, proposal.confidence)
            self._take(job, ids_of(proposal.tokens[:, 0])[0])
            result = self._close(job) if self._is_done(job) else None
            job.watch.pause()
            yield Frame(
                request_id=request.id,
                step=canvas.step(is_last=result is not None),
                tokenizer=self.tokenizer,
                text_before="",
                nfe=canvas.num_written,
                seconds=result.seconds.total if result else job.watch.total,
                result=result,
            )
            if result is not None:
                return
            job.watch.go_on()

    def _answer(self, requests: Sequence[Request]) -> list[Result]:
        """Answer requests of equal shape; a row that is done is read on, unheard, until all are."""
        jobs = [self._open(request) for request in requests]
        results: dict[int, Result] = {}
        for proposal in self._write(jobs):
            for row, token in enumerate(ids_of(proposal.tokens[:, 0])):
                if row in results:
                    continue
                self._take(jobs[row], token)
                if self._is_done(jobs[row]):
                    results[row] = self._close(jobs[row])
            if len(results) == len(jobs):
                break
        return [results[row] for row in range(len(jobs))]

    @torch.inference_mode()
    def _write(self, jobs: Sequence[Job]) -> Iterator[Proposal]:
        """Propose the token of one slot after the other, a row per job; what is proposed is what is read next."""
        context = self._prefill(jobs)
        assert isinstance(context, KeyValueCache), "a prompt is never empty, and a native model keeps its own kind"
        settings, special = jobs[0].request.settings, self.special_ids
        assert special.mask is not None, "a native tokenizer has one"
        never = torch.tensor([special.mask, *special.forbidden], device=self.device)
        seeds = tuple(job.request.seed for job in jobs)
        since = time.perf_counter()
        reader = SlotReader(self._model, context, num_rows=len(jobs), num_slots=settings.canvas_length)
        before = torch.full((len(jobs), 1), special.mask, dtype=torch.int64, device=self.device)
        for slot in range(settings.canvas_length):
            with self.tuner.leading():
                begin = time.perf_counter()
                logits = reader.read(before).float()
                self.tuner.note(len(jobs), time.perf_counter() - begin)
            logits[..., never] = LEAST
            draws = Draws(seeds=seeds, block=0, step=slot, length=1, device=logits.device)
            proposal = Proposal(logits, temperature=settings.temperature, top_p=settings.top_p, draws=draws)
            before = proposal.tokens
            for job in jobs:
                job.watch.add("denoise", since)
            yield proposal
            since = time.perf_counter()

    def _open(self, request: Request) -> Job:
        """Encode a request's text and check that the model can take it; there is one canvas and no other."""
        settings = request.settings
        if settings.max_new_tokens > settings.canvas_length:
            raise ConfigError(
                f"max_new_tokens={settings.max_new_tokens}, but the model {self.name} writes one canvas of "
                f"{settings.canvas_length}; use {settings.canvas_length} or fewer"
            )
        return self.desk.open(request)

    def _take(self, job: Job, token: int) -> None:
        """Note a token and the pass that it took."""
        job.canvas.append(token)
        job.nfe += 1
        job.num_passes += 1

    def _is_done(self, job: Job) -> bool:
        settings = job.request.settings
        if job.canvas[-1] in self.tokenizer.special.ends or len(job.canvas) == settings.canvas_length:
            return True
        num_written = sum(not self.tokenizer.is_control(token) for token in job.canvas)
        return num_written >= settings.max_new_tokens or job.is_spent()

    def _close(self, job: Job) -> Result:
        job.take_canvas(job.canvas, self.tokenizer)
        return job.result(self.tokenizer, self.name)
