"""Requests in, results out: the only place where text meets the sampler.

A request's life here: encode the text, take each segment into the context once, draw canvases until the text ends,
decode. Every request is a pure function of its own content: ``generate`` draws it alone, so its bytes depend on nobody
else. ``generate_batch`` draws equal shapes together for throughput; ``redraft.engine.batching`` answers requests that
come and go. What does not fit the model is an ``InputError``.
"""

import dataclasses
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import torch

from redraft.denoiser import Cache, Denoiser, LeanTransformer, ThreadTuner, Transformer
from redraft.denoiser.checkpoint import Loaded
from redraft.denoiser.compiled import CompiledTransformer
from redraft.denoiser.graphs import CudaRecorder, GraphedTransformer
from redraft.denoiser.program_store import Programs
from redraft.engine.desk import Desk
from redraft.engine.frame import Frame
from redraft.engine.job import Job
from redraft.engine.layout import Layout, NativeLayout, Reader
from redraft.engine.request import Request
from redraft.engine.result import Result
from redraft.errors import CheckpointError, ConfigError
from redraft.sampler import SamplerSettings, Step, sample
from redraft.text import Tokenizer

__all__ = ["Engine", "Presets"]

Presets = Callable[[str, Mapping[str, Any]], SamplerSettings]
"""From an effort, and the settings that were asked for by name, to what the others should be."""


class Engine:
    """Answers requests with one model.

    >>> from redraft.denoiser import FakeDenoiser
    >>> tokenizer = Tokenizer.builtin()
    >>> answer = tokenizer.encode("39") + [tokenizer.special.end_of_text] * 6
    >>> sure = torch.nn.functional.one_hot(torch.tensor([answer]), tokenizer.vocab_size) * 20.0
    >>> fake = FakeDenoiser(vocab_size=tokenizer.vocab_size, logits_of=lambda canvas, _: sure[:, : canvas.shape[1]])
    >>> engine = Engine(fake, tokenizer, context_length=64, canvas_length=8)
    >>> engine.generate(Request.from_prompt("36 + 3 = ?", settings=engine.settings())).text
    '39'

    Args:
        denoiser: The model.
        tokenizer: The one that it was trained with.
        context_length: Longest settled context that it takes.
        canvas_length: Longest canvas that it takes.
        name: Says in results which model answered.
        digest: Pins the model's bytes, where they come from a checkpoint.
        device: Where the denoiser lives.
        defaults: Sampler settings by name that suit this model better than the presets do.
        layout: How requests are laid over context and canvases; None for the way of our own models.
        presets: What an effort means; None for our own.
        tuner: Chooses how many threads a pass runs on, for a denoiser that tells it how long passes took.
        dtype: What the denoiser multiplies in; reports say so.
        is_compiled: Whether its passes are compiled; reports say that too.
        shows_draft: Whether an edit's draft also stands in the context, as the model was trained to read it.

    Raises:
        CheckpointError: Denoiser and tokenizer don't belong together.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        tokenizer: Reader,
        *,
        context_length: int,
        canvas_length: int,
        name: str = "unnamed",
        digest: str = "",
        device: torch.device | str = "cpu",
        defaults: dict[str, Any] | None = None,
        layout: Layout | None = None,
        presets: Presets | None = None,
        tuner: ThreadTuner | None = None,
        dtype: str = "float32",
        is_compiled: bool = False,
        shows_draft: bool = False,
    ) -> None:
        # Published models may score more ids than there are: their matrices are padded.
        is_native = isinstance(tokenizer, Tokenizer)
        if tokenizer.vocab_size > denoiser.vocab_size or (is_native and tokenizer.vocab_size != denoiser.vocab_size):
            raise CheckpointError(
                f"the tokenizer has {tokenizer.vocab_size} entries, the model scores {denoiser.vocab_size}; "
                "they don't belong together"
            )
        if layout is None:
            assert isinstance(tokenizer, Tokenizer), "a tokenizer that is not ours needs a layout"
            layout = NativeLayout(tokenizer)
        self.denoiser = denoiser
        self.tokenizer = tokenizer
        self.context_length = context_length
        self.canvas_length = canvas_length
        self.name = name
        self.digest = digest
        self.device = torch.device(device)
        self.tuner = tuner or ThreadTuner()
        self.dtype = dtype
        self.is_compiled = is_compiled
        self.shows_draft = shows_draft
        own = {"canvas_length": canvas_length, "max_new_tokens": canvas_length} if presets is None else {}
        self._defaults: dict[str, Any] = own | (defaults or {})
        self.desk = Desk(
            denoiser,
            tokenizer,
            layout,
            context_length=context_length,
            canvas_length=canvas_length,
            name=name,
            device=self.device,
        )
        self._presets: Presets = presets or _native_preset
        self.special_ids = layout.special_ids
        self.settings()  # a checkpoint's defaults are checked when it is opened, not at its first request

    @classmethod
    def from_transformer(
        cls,
        model: Transformer,
        tokenizer: Tokenizer,
        *,
        uses_graphs: bool = False,
        is_int8: bool = False,
        programs: Programs | None = None,
        **options: Any,
    ) -> "Engine":
        """Put a native transformer to work, as it is in memory; where it fits, laid out for answering.

        Args:
            model: The transformer.
            tokenizer: What it was trained with.
            uses_graphs: Record passes and replay them; for a transformer on a GPU that ``LeanTransformer`` fits.
            is_int8: Multiply in whole numbers; for a transformer on a CPU that ``LeanTransformer`` fits.
            programs: Of the transformer's ``ProgramShape``; its passes are compiled then.
            **options: What else the engine takes.

        Returns:
            The engine.
        """
        config, device = model.config, model.head.weight.device
        options = {"context_length": config.context_length, "canvas_length": config.canvas_length} | options
        # Its calls take no other cache than its own, which is narrower than the protocol says.
        tuner = ThreadTuner()
        watcher = tuner if device.type == "cpu" else None
        if uses_graphs:
            denoiser = GraphedTransformer(model, CudaRecorder(device))
        elif programs is not None:
            denoiser = CompiledTransformer(model, programs, watcher, is_int8=is_int8)
            options["is_compiled"] = True
        else:
            assert not is_int8 or LeanTransformer.fits(model), "whole numbers need the layout for answering"
            denoiser = LeanTransformer(model, watcher, is_int8=is_int8) if LeanTransformer.fits(model) else model
        if is_int8:
            options["dtype"] = "int8"
        return cls(cast(Denoiser, denoiser), tokenizer, device=device, tuner=tuner, **options)

    @classmethod
    def from_checkpoint(
        cls,
        loaded: Loaded,
        *,
        name: str,
        uses_graphs: bool = False,
        is_int8: bool = False,
        programs: Programs | None = None,
    ) -> "Engine":
        """Put a loaded checkpoint to work.

        Args:
            loaded: What ``load_checkpoint`` returned.
            name: Says in results which model answered.
            uses_graphs: As for ``from_transformer``.
            is_int8: As for ``from_transformer``.
            programs: As for ``from_transformer``.

        Returns:
            The engine.

        Raises:
            CheckpointError: Its tokenizer or its default settings are damaged.
        """
        defaults = loaded.extra.get("sampler", {})
        if not isinstance(defaults, dict):
            raise CheckpointError(f"the model {name} has default settings that are no table")
        tokenizer = Tokenizer.from_json(loaded.tokenizer_json)
        shows_draft = _shows_draft(loaded.extra, name)
        try:
            return cls.from_transformer(
                loaded.model,
                tokenizer,
                name=name,
                digest=loaded.digest,
                defaults=defaults,
                shows_draft=shows_draft,
                uses_graphs=uses_graphs,
                is_int8=is_int8,
                programs=programs,
            )
        except ConfigError as error:
            raise CheckpointError(f"the model {name} has default settings that don't work: {error}") from error

    def settings(self, effort: str = "medium", **changes: Any) -> SamplerSettings:
        """Sampler settings for this model.

        Args:
            effort: instant, low, medium or high.
            **changes: Single settings by name; they go before the model's defaults, which go before the preset.

        Returns:
            The settings.

        Raises:
            ConfigError: A name or a value is not allowed.
        """
        values = self._defaults | changes
        preset = self._presets(effort, values)
        known = {field.name: str(field.type) for field in dataclasses.fields(SamplerSettings)}
        unknown = sorted(values.keys() - known.keys())
        if unknown:
            raise ConfigError(f"{unknown[0]!r} is no sampler setting; known are {', '.join(sorted(known))}")
        # JSON and people write 1 for 1.0.
        values = {name: float(v) if type(v) is int and "float" in known[name] else v for name, v in values.items()}
        settings = dataclasses.replace(preset, **values)
        self.desk.check_canvas(settings)
        return settings

    def generate(self, request: Request) -> Result:
        """Answer one request.

        Args:
            request: What is asked.

        Returns:
            The answer.
        """
        result = None
        for frame in self.stream(request):
            result = frame.result
        assert result is not None, "the last frame carries the result"
        return result

    def stream(self, request: Request) -> Iterator[Frame]:
        """Answer one request and show every pass on the way.

        Args:
            request: What is asked.

        Yields:
            One frame per pass; the last one carries the result.
        """
        job = self._open(request)
        cache = self._prefill([job])
        for block in itertools.count():
            text_before, num_given = self.tokenizer.decode(job.completion), job.num_given
            for step in self._draw([job], cache, block):
                result = self.desk.close_canvas(job, step, 0) if step.is_last or job.is_spent() else None
                job.watch.pause()
                yield Frame(
                    request_id=request.id,
                    step=step,
                    tokenizer=self.tokenizer,
                    text_before=text_before,
                    nfe=job.nfe_before + job.nfe,
                    seconds=result.seconds.total if result else job.watch.total,
                    result=result,
                    num_given=num_given,
                )
                if result is not None:
                    return
                job.watch.go_on()
            cache = self.desk.settle([job], cache)

    def generate_batch(
        self, requests: Sequence[Request], *, batch_size: int = 16, tick: Callable[[int], None] | None = None
    ) -> list[Result]:
        """Answer many requests, those of equal shape together.

        Rows of a batch share matrix products. Where the machine's products give a row the same bits in any batch (this
        holds for CPUs that the tests have run on, nobody promises it), results equal those of ``generate``.

        Args:
            requests: What is asked.
            batch_size: Most rows together.
            tick: Called with the number of requests that are answered, after each batch.

        Returns:
            One result per request, in order; if any does not fit the model, nothing is drawn.
        """
        groups: dict[tuple[Any, ...], list[int]] = {}
        for index, request in enumerate(requests):
            job = self._open(request)
            lengths = (*(len(segment) for segment in job.segments), len(job.given))
            is_limited = request.max_passes is not None or request.deadline_s is not None  # such a one is drawn alone
            groups.setdefault((lengths, request.settings, index if is_limited else None), []).append(index)
        results: dict[int, Result] = {}
        for members in groups.values():
            for start in range(0, len(members), batch_size):
                chunk = members[start : start + batch_size]
                if len(chunk) == 1:
                    results[chunk[0]] = self.generate(requests[chunk[0]])
                else:
                    results |= zip(chunk, self._generate_together([requests[i] for i in chunk]), strict=True)
                if tick is not None:
                    tick(len(results))
        return [results[index] for index in range(len(requests))]

    def _generate_together(self, requests: Sequence[Request]) -> list[Result]:
        """Answer requests of equal shape, canvas by canvas; a row that is done leaves."""
        jobs = {index: self._open(request) for index, request in enumerate(requests)}
        results: dict[int, Result] = {}
        cache = self._prefill([*jobs.values()])
        for block in itertools.count():
            open_rows = set(range(len(jobs)))
            for step in self._draw([*jobs.values()], cache, block):
                for row, (index, job) in enumerate(jobs.items()):
                    if step.is_finished[row] and row in open_rows:
                        open_rows.remove(row)
                        result = self.desk.close_canvas(job, step, row)
                        if result is not None:
                            results[index] = result
            assert not open_rows, "every row finishes"
            going_on = [row for row, index in enumerate(jobs) if index not in results]
            if not going_on:
                return [results[index] for index in range(len(requests))]
            if len(going_on) < len(jobs) and cache is not None:
                cache = cache.select(torch.tensor(going_on, device=self.device))
            jobs = {index: job for index, job in jobs.items() if index not in results}
            cache = self.desk.settle([*jobs.values()], cache)
        raise AssertionError("the last canvas gives a result")

    def _open(self, request: Request) -> Job:
        return self.desk.open(request)

    def _prefill(self, jobs: Sequence[Job]) -> Cache | None:
        with self.tuner.leading():
            return self.desk.prefill(jobs)

    def _draw(self, jobs: Sequence[Job], cache: Cache | None, block: int) -> Iterator[Step]:
        """Run the loop over one canvas per job and note what it cost."""
        settings = jobs[0].request.settings
        since = time.perf_counter()
        steps = sample(
            self.denoiser,
            context=cache,
            canvas=self.desk.blank_canvas(jobs, cache, block),
            settings=settings,
            special=self.special_ids,
            seeds=torch.tensor([job.request.seed for job in jobs]),
            block=block,
        )
        is_finished = (False,) * len(jobs)
        while True:
            with torch.inference_mode(), self.tuner.leading():
                step = next(steps, None)
            if step is None:
                return
            for row, job in enumerate(jobs):
                job.watch.add("denoise", since)
                if not is_finished[row]:
                    job.note_pass(step, row)
            is_finished = step.is_finished
            yield step
            since = time.perf_counter()


def _shows_draft(extra: Mapping[str, Any], name: str) -> bool:
    """What a checkpoint says of the context of an edit; nothing means that it holds the instruction alone."""
    editing = extra.get("editing", {})
    shows_draft = cast(dict[str, Any], editing).get("shows_draft", False) if isinstance(editing, dict) else None
    if not isinstance(shows_draft, bool):
        raise CheckpointError(
            f"the model {name} says of editing {editing!r}, not whether it shows_draft: true or false"
        )
    return shows_draft


def _native_preset(effort: str, values: Mapping[str, Any]) -> SamplerSettings:
    """Our own presets, by the family that was asked for."""
    return SamplerSettings.for_effort(effort, values.get("family", "masked"))
