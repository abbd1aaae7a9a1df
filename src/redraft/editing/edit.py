"""Revises a text in place: the draft stands on the canvas from the start, and the loop changes what must change."""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from redraft.denoiser import Cache
from redraft.editing.drawing import Drawn, instruction_tokens, native_tokenizer, read_context
from redraft.editing.growing import GROWTH
from redraft.editing.pieces import Piece, cut_pieces, join_pieces, pieces_of
from redraft.editing.pins import Span, merge_spans, pinned_spans
from redraft.editing.presets import EditPlan, edit_plan
from redraft.editing.result import EditResult, changes_of
from redraft.editing.revising import revise
from redraft.editing.run import Run
from redraft.editing.sheet import lay_draft, most_tokens
from redraft.editing.source import Source, source_of
from redraft.editing.windows import fits, surroundings, windows_of
from redraft.engine import Engine, Request
from redraft.errors import ConfigError
from redraft.sampler import Step
from redraft.text import Tokenizer

__all__ = ["edit_text"]


@dataclass(kw_only=True, slots=True)
class _Edit:
    """An edit under way."""

    engine: Engine
    source: Source
    pins: Sequence[Span]
    plan: EditPlan
    seed: int
    instruction: str | None
    prompt_tokens: int
    context: Cache | None
    """The instruction's; None too for a model that reads the draft behind it, each window's own."""
    capacity: int = 0
    pieces: list[Piece] = field(default_factory=list[Piece])
    drawn: list[Drawn] = field(default_factory=list[Drawn])


def edit_text(
    engine: Engine,
    text: str,
    instruction: str | None = None,
    *,
    lines: str | None = None,
    keep: Sequence[str] = (),
    pins: Iterable[Span] = (),
    seed: int = 0,
    effort: str = "medium",
    **changes: Any,
) -> Run[EditResult]:
    """Revise a text.

    Args:
        engine: The model at work.
        text: The draft; line endings and a byte order mark come back as they are.
        instruction: What to do; None repairs what is wrong: the model sees nothing but the text, as in training.
        lines: Lines that may change, ``A:B``; None for all.
        keep: Regular expressions; what they match stays, byte for byte.
        pins: Further parts that stay, as pairs of character offsets; line feeds count once, a byte order mark not at
            all.
        seed: Fixes every draw.
        effort: instant, low, medium or high.
        **changes: Single sampler settings by name.

    Returns:
        A run that yields the loop's steps and ends in the revision.

    Raises:
        ConfigError: A setting, a pin or the instruction can't be used.
    """
    native_tokenizer(engine)
    source = source_of(text)
    if instruction is not None and not instruction.strip():
        raise ConfigError("the instruction is empty; leave it out to repair what is wrong, or say what to do")
    spans = pinned_spans(source.text, lines=lines, keep=keep, pins=pins)
    plan = edit_plan(engine, effort, changes)
    Request.from_prompt("-", seed=seed)  # refuses a seed that is none
    room = 1 + most_tokens(plan.settings.canvas_length, native_tokenizer(engine).slack_every)
    prompt_tokens = instruction_tokens(engine, instruction, room_beside=room if engine.shows_draft else 0)
    edit = _Edit(
        engine=engine,
        source=source,
        pins=spans,
        plan=plan,
        seed=seed,
        instruction=instruction,
        prompt_tokens=prompt_tokens,
        context=None if engine.shows_draft else read_context(engine, instruction),
    )
    return Run(_steps(edit))


def _steps(edit: _Edit) -> Generator[Step, None, EditResult]:
    """Window after window, what lies between them untouched."""
    text = edit.source.text
    tokenizer = native_tokenizer(edit.engine)
    length = edit.plan.settings.canvas_length
    edit.capacity = _capacity(tokenizer, text, length)
    due = windows_of(text, edit.pins, lambda part: len(tokenizer.encode(part)), edit.capacity)[::-1]
    place = 0
    while due:
        start, end = due.pop()
        if lay_draft(tokenizer, text[start:end], (), length) is None:
            middle = (start + end) // 2  # tokens are counted line by line before, which may be a few too few
            due += [(middle, end), (start, middle)]
            continue
        edit.pieces.append(Piece(text[place:start], text[place:start], 1.0))
        yield from _window(edit, start, end)
        place = end
    edit.pieces.append(Piece(text[place:], text[place:], 1.0))
    return _result(edit)


def _capacity(tokenizer: Tokenizer, text: str, length: int) -> int:
    """Most tokens of a window: all that a canvas holds if that is the whole text, else room to grow is left."""
    whole = most_tokens(length, tokenizer.slack_every)
    if fits(text, lambda part: len(tokenizer.encode(part)), whole):
        return whole
    return most_tokens(max(length - GROWTH, length // 2), tokenizer.slack_every)


def _window(edit: _Edit, start: int, end: int) -> Generator[Step, None, None]:
    """One canvas: a part of the text between lines that stay, those before it as they are by now."""
    text, length = edit.source.text, edit.plan.settings.canvas_length
    tokenizer = native_tokenizer(edit.engine)
    left, right = surroundings(
        "".join(piece.after for piece in edit.pieces),
        text[start:end],
        text[end:],
        lambda part: len(tokenizer.encode(part)),
        edit.capacity,
    )
    core = (len(left), len(left) + end - start)
    inside = ((max(low, start) - start + core[0], min(high, end) - start + core[0]) for low, high in edit.pins)
    pins = merge_spans([(0, core[0]), *(pin for pin in inside if pin[0] < pin[1]), (core[1], core[1] + len(right))])
    sheet = lay_draft(tokenizer, left + text[start:end] + right, pins, length)
    assert sheet is not None, "its surroundings leave room for a window"
    if not sheet.has_work:
        edit.pieces.append(Piece(text[start:end], text[start:end], 1.0))
        return
    context = edit.context
    if edit.engine.shows_draft:
        context = read_context(edit.engine, edit.instruction, left + text[start:end] + right)
    run = revise(edit.engine, sheet, context=context, plan=edit.plan, seed=edit.seed, block=len(edit.drawn))
    yield from run
    drawn = run.result
    edit.drawn.append(drawn)
    edit.pieces += cut_pieces(pieces_of(tokenizer, drawn.sheet, drawn.tokens, drawn.confidence), *core)


def _result(edit: _Edit) -> EditResult:
    source, pieces = edit.source, join_pieces(edit.pieces)
    changes = changes_of(pieces, source)
    return EditResult(
        text=source.mark + "".join(change.after for change in changes),
        original=source.mark + source.restore(source.text),
        changes=changes,
        model=edit.engine.name,
        seed=edit.seed,
        prompt_tokens=edit.prompt_tokens,
        num_windows=len(edit.drawn),
        nfe=sum(drawn.nfe for drawn in edit.drawn),
        is_stable=all(drawn.is_stable for drawn in edit.drawn),
        seconds=sum((drawn.seconds for drawn in edit.drawn), 0.0),
    )
