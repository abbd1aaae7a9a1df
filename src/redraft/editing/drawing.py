"""Runs the one loop over a sheet, and notes what the model thought of each token that stands at the end."""

import time
from collections.abc import Generator
from dataclasses import dataclass, replace

import torch

from redraft.denoiser import Cache, Denoiser
from redraft.editing.run import Run
from redraft.editing.sheet import Sheet
from redraft.engine import AutoregressiveEngine, Engine
from redraft.engine.job import ids_of
from redraft.errors import ConfigError, ContextLengthError
from redraft.sampler import Canvas, SamplerSettings, SpecialIds, Step, sample
from redraft.text import Segment, Tokenizer, encode_segment
from redraft.types import Logits, Probs, TokenMask, Tokens

__all__ = ["Drawn", "Witness", "draw", "native_tokenizer", "read_instruction"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """A finished canvas."""

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


class Witness:
    """Passes a denoiser's scores on and keeps the last ones.

    Args:
        denoiser: Whom to ask.
    """

    def __init__(self, denoiser: Denoiser) -> None:
        self._denoiser = denoiser
        self.vocab_size = denoiser.vocab_size
        self.uses_self_conditioning = bool(getattr(denoiser, "uses_self_conditioning", False))
        self.last: Logits | None = None

    def encode(self, tokens: Tokens, cache: Cache | None = None, *, is_valid: TokenMask | None = None) -> Cache:
        """Take a segment into the context; see ``Denoiser.encode``."""
        return self._denoiser.encode(tokens, cache, is_valid=is_valid)

    def denoise(self, canvas: Tokens, cache: Cache | None = None, *, self_conditioning: Probs | None = None) -> Logits:
        """Score a canvas; see ``Denoiser.denoise``."""
        logits = self._denoiser.denoise(canvas, cache, self_conditioning=self_conditioning)
        self.last = logits.detach()
        return logits

    def probability_of(self, tokens: list[int]) -> list[float]:
        """What the last pass gave to each token of the only row; 0 where it scored nothing."""
        if self.last is None:
            return [0.0] * len(tokens)
        width = min(self.last.shape[1], len(tokens))
        logits = self.last[0, :width].float()
        chosen = torch.tensor(tokens[:width], device=logits.device).unsqueeze(1)
        probs = (logits.gather(1, chosen).squeeze(1) - logits.logsumexp(dim=1)).exp()
        return _numbers_of(probs) + [0.0] * (len(tokens) - width)


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


@torch.inference_mode()
def read_instruction(engine: Engine, instruction: str | None) -> tuple[Cache | None, int]:
    """Take an instruction into the context.

    Args:
        engine: The model at work.
        instruction: What to do; None for an empty context.

    Returns:
        The context, and its length in tokens.

    Raises:
        ContextLengthError: It is too long.
    """
    if instruction is None:
        return None, 0
    ids = encode_segment(native_tokenizer(engine), Segment("user", instruction))
    if len(ids) > engine.context_length:
        raise ContextLengthError(
            f"the instruction has {len(ids)} tokens, but the model {engine.name} takes {engine.context_length}; "
            "shorten it"
        )
    return engine.denoiser.encode(torch.tensor([ids], device=engine.device)), len(ids)


def draw(
    engine: Engine, sheet: Sheet, *, context: Cache | None, settings: SamplerSettings, seed: int, block: int
) -> Run[Drawn]:
    """Redraft a sheet.

    Args:
        engine: The model at work.
        sheet: The canvas before the first pass.
        context: What ``read_instruction`` returned.
        settings: How to go on.
        seed: Fixes every draw ...
        block: ... together with the number of the canvas.

    Returns:
        A run that yields the loop's steps and ends in the canvas after the last pass.
    """
    return Run(_passes(engine, sheet, context, settings, seed, block))


def _passes(
    engine: Engine, sheet: Sheet, context: Cache | None, settings: SamplerSettings, seed: int, block: int
) -> Generator[Step, None, Drawn]:
    special = _without_end(engine.special_ids)
    tokens = torch.tensor([sheet.tokens], device=engine.device)
    is_editable = torch.tensor([sheet.is_editable], device=engine.device)
    # Of a gap the steps say everything; a draft's own tokens have no confidence unless somebody listens in.
    witness = None if special.mask in sheet.tokens else Witness(engine.denoiser)
    steps = sample(
        witness or engine.denoiser,
        context=context,
        canvas=Canvas.from_tokens(tokens, is_editable, special.mask),
        settings=settings,
        special=special,
        seeds=torch.tensor([seed]),
        block=block,
    )
    last: Step | None = None
    is_written = torch.zeros_like(is_editable)
    spent = 0.0
    while True:
        since = time.perf_counter()
        with torch.inference_mode():
            step = next(steps, None)
        spent += time.perf_counter() - since
        if step is None:
            break
        last = step
        is_written = is_written | step.committed | step.revised
        yield step
    assert last is not None, "the loop yields at least once"
    final = ids_of(last.tokens[0])
    kept = [1.0] * len(final) if witness is None else witness.probability_of(final)
    confidence = _numbers_of(last.confidence[0])
    written = zip(is_written[0].tolist(), confidence, sheet.is_editable, kept, strict=True)
    return Drawn(
        tokens=final,
        confidence=[
            1.0 if not may_change else put if was_written else stays for was_written, put, may_change, stays in written
        ],
        nfe=last.nfe[0],
        is_stable=not bool((last.revised | last.committed).any()),
        seconds=spent,
    )


def _numbers_of(row: torch.Tensor) -> list[float]:
    return [float(number) for number in row]


def _without_end(special: SpecialIds) -> SpecialIds:
    """Text on a sheet ends where the sheet says: it gets shorter by empty slots, never by an early end."""
    return replace(special, forbidden=(*special.forbidden, *special.ends))
