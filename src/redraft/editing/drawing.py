"""Runs the one loop over a sheet, and notes what the model thought of each token that stands at the end."""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from redraft.denoiser import Cache, Denoiser
from redraft.editing.run import Run
from redraft.editing.sheet import Sheet
from redraft.engine import AutoregressiveEngine, Engine
from redraft.errors import ConfigError, ContextLengthError
from redraft.sampler import Canvas, SamplerSettings, Step, sample
from redraft.sampler.canvas import ids_of
from redraft.text import Tokenizer, encode_request

__all__ = ["Drawn", "Log", "draw", "instruction_tokens", "native_tokenizer", "read_context", "steps_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """A finished canvas."""

    sheet: Sheet
    """Where its positions stand in the text; longer than at first where the canvas has grown."""
    tokens: list[int]
    """What stands on it."""
    confidence: list[float]
    """Probability of each token: when it was put there, or, of what was kept, in the last pass; 1 where pinned."""
    nfe: int
    """Forward passes."""
    is_stable: bool
    """Whether the last pass changed nothing any more."""
    seconds: float
    """Time in the loop; that of whoever watched is left out."""


class Log:
    """What the passes over one canvas come to.

    Args:
        sheet: Where its positions stand in the text.
    """

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.seconds = 0.0
        self._last: Step | None = None
        self._is_written = torch.zeros(1, len(sheet.tokens), dtype=torch.bool)

    @property
    def last(self) -> Step:
        """The last step; there is one as soon as the loop has yielded."""
        assert self._last is not None, "the loop yields at least once"
        return self._last

    @property
    def nfe(self) -> int:
        """Forward passes so far."""
        return self.last.nfe[0]

    def watch(self, steps: Iterator[Step]) -> Iterator[Step]:
        """Yield the loop's steps and note them."""
        while True:
            since = time.perf_counter()
            with torch.inference_mode():
                step = next(steps, None)
            self.seconds += time.perf_counter() - since
            if step is None:
                return
            self._last = step
            self._is_written = self._is_written | (step.committed | step.revised).cpu()
            yield step

    def drawn(self, kept: Sequence[float] | None = None) -> Drawn:
        """What has come of it.

        Args:
            kept: The last pass's probability of each token; None if nobody listened in.

        Returns:
            The canvas as the last step left it.
        """
        last = self.last
        final = ids_of(last.tokens[0])
        stays = [1.0] * len(final) if kept is None else kept
        put = [float(number) for number in last.confidence[0]]
        marks = zip(self._is_written[0].tolist(), put, self.sheet.is_editable, stays, strict=True)
        return Drawn(
            sheet=self.sheet,
            tokens=final,
            confidence=[1.0 if not free else new if is_new else old for is_new, new, free, old in marks],
            nfe=self.nfe,
            is_stable=not bool((last.revised | last.committed).any()),
            seconds=self.seconds,
        )


def native_tokenizer(engine: Engine) -> Tokenizer:
    """The engine's tokenizer, if it has empty slots.

    Args:
        engine: The model at work.

    Returns:
        The tokenizer.

    Raises:
        ConfigError: The model is a published one, whose canvases have no [NULL], or writes left to right.
    """
    if isinstance(engine, AutoregressiveEngine):
        raise ConfigError(
            f"the model {engine.name} writes left to right and can't edit in place; use a diffusion model"
        )
    if not isinstance(engine.tokenizer, Tokenizer):
        raise ConfigError(
            f"the model {engine.name} has no empty slots, so that a text can't grow or shrink on its canvas; use a "
            "model that redraft train made"
        )
    return engine.tokenizer


def instruction_tokens(engine: Engine, instruction: str | None, *, room_beside: int = 0) -> int:
    """Count the tokens that an instruction takes in the context.

    Args:
        engine: The model at work.
        instruction: What to do; None for none, which takes nothing.
        room_beside: Positions of the context that something else may need.

    Returns:
        Their number.

    Raises:
        ContextLengthError: They are too many.
    """
    number, most = len(encode_request(native_tokenizer(engine), instruction)), engine.context_length - room_beside
    if number > most:
        beside = " beside a text" if room_beside else ""
        raise ContextLengthError(
            f"the instruction has {number} tokens, but the model {engine.name} takes {most}{beside}; shorten it"
        )
    return number


@torch.inference_mode()
def read_context(engine: Engine, instruction: str | None, draft: str | None = None) -> Cache | None:
    """Take an instruction into the context.

    Args:
        engine: The model at work.
        instruction: What to do; None for none.
        draft: What is to be revised, for a model that reads it there; None for none.

    Returns:
        The context; None for an empty one.

    Raises:
        ContextLengthError: It is too long.
    """
    ids = encode_request(native_tokenizer(engine), instruction, draft)
    return engine.denoiser.encode(torch.tensor([ids], device=engine.device)) if ids else None


def steps_of(
    engine: Engine,
    sheet: Sheet,
    tokens: Sequence[int],
    *,
    denoiser: Denoiser,
    context: Cache | None,
    settings: SamplerSettings,
    seed: int,
    block: int,
) -> Iterator[Step]:
    """Start the loop on a sheet.

    Args:
        engine: The model at work.
        sheet: Says what may change.
        tokens: What stands on it by now.
        denoiser: Whom the loop asks; the engine's, or one around it.
        context: What ``read_context`` returned.
        settings: How to go on.
        seed: Fixes every draw ...
        block: ... together with the number of the canvas.

    Returns:
        The loop's steps, at least one.
    """
    special = engine.special_ids
    assert special.mask is not None, "a model that redraft train made has [MASK]"
    canvas = torch.tensor([tokens], device=engine.device)
    return sample(
        denoiser,
        context=context,
        canvas=Canvas.from_tokens(canvas, torch.tensor([sheet.is_editable], device=engine.device), special.mask),
        settings=settings,
        # Text on a sheet ends where the sheet says: it gets shorter by empty slots, never by an early end.
        special=replace(special, forbidden=(*special.forbidden, *special.ends)),
        seeds=torch.tensor([seed]),
        block=block,
    )


def draw(
    engine: Engine, sheet: Sheet, *, context: Cache | None, settings: SamplerSettings, seed: int, block: int
) -> Run[Drawn]:
    """Draw a sheet with gaps.

    Args:
        engine: The model at work.
        sheet: The canvas before the first pass.
        context: What ``read_context`` returned.
        settings: How to go on.
        seed: Fixes every draw ...
        block: ... together with the number of the canvas.

    Returns:
        A run that yields the loop's steps and ends in the canvas after the last pass.
    """

    def passes() -> Generator[Step, None, Drawn]:
        log = Log(sheet)
        steps = steps_of(
            engine,
            sheet,
            sheet.tokens,
            denoiser=engine.denoiser,
            context=context,
            settings=settings,
            seed=seed,
            block=block,
        )
        yield from log.watch(steps)
        return log.drawn()

    return Run(passes())
