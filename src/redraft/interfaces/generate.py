"""``redraft generate``: one prompt or many, to text or JSON."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from redraft.errors import InputError, PromptError
from redraft.interfaces.output import complain, to_json, write_text
from redraft.interfaces.prompts_file import error_record, open_lines, read_prompts
from redraft.interfaces.start import import_torch

if TYPE_CHECKING:
    from redraft.engine import Engine, Frame
    from redraft.sampler import SamplerSettings

    EngineFor = Callable[[str], tuple[Engine, SamplerSettings]]

__all__ = ["GenerateOptions", "generate"]

_DEFAULT_PACE_MS = 60.0
"""On a terminal: short enough not to bore, long enough to see what settles."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerateOptions:
    """What the command line says."""

    prompt: str | None
    """The text; ``-`` for standard input; None with ``prompts``."""
    prompts: str | None
    """A file of prompts."""
    model: str | None
    """Name or path; None for the one that learned such prompts."""
    dtype: str
    """Type of its weights in memory."""
    device: str = "cpu"
    """Where it runs."""
    is_compiled: bool = False
    """Whether its passes are compiled."""
    seed: int
    """Fixes every random draw."""
    effort: str
    """The dial."""
    changes: dict[str, int | float]
    """Single sampler settings by name."""
    is_json: bool
    """JSON instead of text."""
    pace_ms: float | None
    """Least time per pass on a terminal; None is the default."""


def generate(options: GenerateOptions) -> None:
    """Answer and print.

    Args:
        options: What to answer and how.

    Raises:
        PromptError: There is no prompt, or more than one.
    """
    if (options.prompt is None) == (options.prompts is None):
        raise PromptError("give either a PROMPT (- reads it from standard input) or --prompts FILE")
    # Everything that can be refused without a model is refused before one is loaded.
    lines = open_lines(options.prompts) if options.prompts is not None else None
    prompt = _read_prompt(options.prompt) if options.prompt is not None else ""
    import_torch()
    from redraft.engine import Request

    engine_for = _engines(options)
    if lines is not None:
        _answer_all(lines, engine_for, options)
        return
    engine, settings = engine_for(prompt)
    request = Request.from_prompt(prompt, seed=options.seed, settings=settings)
    if options.is_json:
        _write_line(engine.generate(request).to_dict())
    elif sys.stdout.isatty():
        _watch(engine.stream(request), options.pace_ms)
    else:
        write_text(engine.generate(request).text)


def _engines(options: GenerateOptions) -> "EngineFor":
    """Find what answers a prompt, and its settings; each model is loaded once."""
    from redraft.engine import DEFAULT_MODEL, load_engine, route

    @cache
    def load(model: str) -> "tuple[Engine, SamplerSettings]":
        compiled, dtype = options.is_compiled, options.dtype
        engine = load_engine(model, device=options.device, dtype=dtype, is_compiled=compiled, tell=complain)
        return engine, engine.settings(options.effort, **options.changes)

    # A setting that can't be used is refused once, not with every line of a file.
    if options.prompts is not None:
        load(options.model or DEFAULT_MODEL)
    return lambda prompt: load(options.model or route(prompt))


def _answer_all(lines: Iterable[bytes], engine_for: "EngineFor", options: GenerateOptions) -> None:
    """Print one JSON line per prompt; each is drawn alone, so its bytes are those of a call of its own."""
    from redraft.engine import Request

    for line in read_prompts(lines):
        try:
            if line.error is not None:
                raise line.error
            engine, settings = engine_for(line.prompt)
            seed = options.seed if line.seed is None else line.seed
            request = Request.from_prompt(line.prompt, seed=seed, settings=settings)
            record = {**engine.generate(request).to_dict(), "id": line.id}
        except InputError as error:
            record = error_record(line.id, error)
        _write_line(record)


def _write_line(record: dict[str, Any]) -> None:
    sys.stdout.write(to_json(record) + "\n")
    sys.stdout.flush()


def _watch(frames: Iterator["Frame"], pace_ms: float | None) -> None:
    """Show the canvas while it settles, then leave the plain answer on the screen."""
    from rich.console import Console

    from redraft.interfaces.live import summary, watch

    console = Console()
    if console.is_dumb_terminal:
        *_, last = frames
        result = last.result
    else:
        result = watch(frames, console, pace_ms=_DEFAULT_PACE_MS if pace_ms is None else pace_ms)
    assert result is not None, "the last frame carries the result"
    write_text(result.text)
    Console(stderr=True).print(summary(result), style="dim", highlight=False)


def _read_prompt(prompt: str) -> str:
    """Return the prompt; from standard input without the line feed that ``echo`` adds."""
    if prompt != "-":
        # A locale without UTF-8 gives the words' bytes in disguise; what is not UTF-8 either is refused later.
        return os.fsencode(prompt).decode(errors="surrogateescape")
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise PromptError(f"standard input is not UTF-8 text: byte {error.start} is {byte:#04x}") from error
    return text.removesuffix("\n").removesuffix("\r")
