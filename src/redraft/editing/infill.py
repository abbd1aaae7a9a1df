"""Fills gaps of unknown length: each is a row of open positions between text that stays, and keeps what it needs."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

from redraft.denoiser import Cache
from redraft.editing.borders import lends_space, without_space
from redraft.editing.drawing import Drawn, draw, instruction_tokens, native_tokenizer, read_context
from redraft.editing.presets import infill_settings
from redraft.editing.result import Fill, InfillResult
from redraft.editing.room import Room, room_for
from redraft.editing.run import Run
from redraft.editing.sheet import lay_gaps
from redraft.editing.source import Source
from redraft.editing.template import HOLE, pieces_of_template
from redraft.engine import Engine, Request
from redraft.errors import ConfigError
from redraft.sampler import SamplerSettings, Step
from redraft.text import Tokenizer

__all__ = ["GAP_TOKENS", "infill_text"]

GAP_TOKENS = 48
"""Positions of a gap at first: as much room as training leaves beyond what a gap needs."""


@dataclass(kw_only=True, slots=True)
class _Infill:
    """An infill under way."""

    engine: Engine
    source: Source
    pieces: Sequence[str]
    settings: SamplerSettings
    seed: int
    context: Cache | None
    prompt_tokens: int
    max_tokens: int | None
    gap_tokens: int
    may_grow: bool
    drawn: list[Drawn] = field(default_factory=list[Drawn])


def infill_text(
    engine: Engine,
    prefix: str | None = None,
    suffix: str | None = None,
    *,
    template: str | None = None,
    hole: str = HOLE,
    instruction: str | None = None,
    max_tokens: int | None = None,
    gap_tokens: int = GAP_TOKENS,
    may_grow: bool = True,
    seed: int = 0,
    effort: str = "medium",
    **changes: Any,
) -> Run[InfillResult]:
    """Fill one gap or several; what stands around them stays, byte for byte.

    Args:
        engine: The model at work.
        prefix: What stands before a single gap.
        suffix: What stands behind it.
        template: A text with holes, in place of both.
        hole: Marks one.
        instruction: What it is about; None for nothing but the text.
        max_tokens: Most tokens of a fill; None for as many as the canvas holds.
        gap_tokens: Room that a gap gets at first.
        may_grow: Whether a gap that comes out full is tried again with twice as much.
        seed: Fixes every draw.
        effort: instant, low, medium or high.
        **changes: Single sampler settings by name.

    Returns:
        A run that yields the loop's steps and ends in the whole text.

    Raises:
        ConfigError: A setting can't be used.
    """
    native_tokenizer(engine)
    source, pieces = pieces_of_template(prefix, suffix, template, hole)
    if instruction is not None and not instruction.strip():
        raise ConfigError("the instruction is empty; leave it out, or say what the text is about")
    for name, number in (("max_tokens", max_tokens), ("gap_tokens", gap_tokens)):
        if number is not None and number < 1:
            raise ConfigError(f"{name}={number} leaves no room in a gap; use 1 or more")
    Request.from_prompt("-", seed=seed)  # refuses a seed that is none
    settings = infill_settings(engine, effort, changes)
    prompt_tokens = instruction_tokens(engine, instruction)
    infill = _Infill(
        engine=engine,
        source=source,
        pieces=pieces,
        settings=settings,
        seed=seed,
        context=read_context(engine, instruction),
        prompt_tokens=prompt_tokens,
        max_tokens=max_tokens,
        gap_tokens=gap_tokens,
        may_grow=may_grow,
    )
    return Run(_steps(infill))


def _steps(infill: _Infill) -> Generator[Step, None, InfillResult]:
    """All gaps on one canvas where they fit, else one after the other."""
    tokenizer, settings = native_tokenizer(infill.engine), infill.settings
    num_gaps = len(infill.pieces) - 1
    shown = [without_space(tokenizer, piece) for piece in infill.pieces[:-1]]
    ids = [tokenizer.encode(piece) for piece in [*shown, infill.pieces[-1]]]
    room = room_for(tokenizer, ids, infill.gap_tokens, infill.max_tokens, settings.canvas_length)
    fills: list[Fill] = []
    if room is not None:
        fills = yield from _draw_gaps(infill, room, infill.pieces[:-1])
    else:
        before = infill.pieces[0]
        for index in range(num_gaps):
            around = [tokenizer.encode(without_space(tokenizer, before)), ids[index + 1]]
            room = room_for(
                tokenizer, around, infill.gap_tokens, infill.max_tokens, settings.canvas_length, may_cut=True
            )
            assert room is not None, "one gap fits where its surroundings may be cut"
            fills += yield from _draw_gaps(infill, room, [before])
            before += fills[-1].text + infill.pieces[index + 1]
    return _result(infill, fills)


def _draw_gaps(infill: _Infill, room: Room, before: Sequence[str]) -> Generator[Step, None, list[Fill]]:
    """Draw a canvas; where a gap comes out full and may have more room, draw it again with that.

    A space that the text before a gap lends to it goes back there.
    """
    tokenizer = native_tokenizer(infill.engine)
    spaces = [" " if lends_space(tokenizer, piece) else "" for piece in before]
    while True:
        sheet = lay_gaps(tokenizer, room.pieces, room.lengths, infill.settings.canvas_length)
        run = draw(
            infill.engine,
            sheet,
            context=infill.context,
            settings=infill.settings,
            seed=infill.seed,
            block=len(infill.drawn),
        )
        yield from run
        drawn = run.result
        infill.drawn.append(drawn)
        fills = [
            _fill(tokenizer, drawn.tokens[start:end], drawn.confidence[start:end], infill.max_tokens, space)
            for (start, end), space in zip(sheet.units, spaces, strict=True)
        ]
        wider = room.widened([not fill.is_whole for fill in fills]) if infill.may_grow else None
        if wider is None:
            return fills
        room = wider


def _fill(
    tokenizer: Tokenizer, tokens: Sequence[int], confidence: Sequence[float], max_tokens: int | None, space: str
) -> Fill:
    """Read a gap; bytes that are no text are left out, and the space that was lent goes back."""
    written = [(token, sure) for token, sure in zip(tokens, confidence, strict=True) if not tokenizer.is_control(token)]
    raw = b"".join(tokenizer.token_bytes(token) for token, _ in written[:max_tokens])
    text = raw.decode("utf-8", errors="ignore").replace("\0", "").replace("\r\n", "\n").removeprefix(space)
    return Fill(
        text=text,
        start=0,
        end=len(text),
        num_tokens=len(written[:max_tokens]),
        confidence=min((sure for _, sure in written), default=1.0),
        is_whole=len(written) < len(tokens) and (max_tokens is None or len(written) <= max_tokens),
    )


def _result(infill: _Infill, fills: Sequence[Fill]) -> InfillResult:
    """Put the text together as it was written."""
    restore, text = infill.source.restore, infill.source.mark
    placed: list[Fill] = []
    for piece, fill in zip(infill.pieces, fills, strict=False):
        text += restore(piece)
        filled = restore(fill.text)
        placed.append(
            Fill(
                text=filled,
                start=len(text),
                end=len(text) + len(filled),
                num_tokens=fill.num_tokens,
                confidence=fill.confidence,
                is_whole=fill.is_whole,
            )
        )
        text += filled
    return InfillResult(
        text=text + restore(infill.pieces[-1]),
        fills=tuple(placed),
        model=infill.engine.name,
        seed=infill.seed,
        prompt_tokens=infill.prompt_tokens,
        num_windows=len(infill.drawn),
        nfe=sum(drawn.nfe for drawn in infill.drawn),
        seconds=sum((drawn.seconds for drawn in infill.drawn), 0.0),
    )
