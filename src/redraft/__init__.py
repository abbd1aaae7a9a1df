"""Redraft: a text diffusion language model system that redrafts the whole text at once.

    >>> import redraft
    >>> engine = redraft.load()                            # doctest: +SKIP
    >>> redraft.generate("What is 2 + 3?").text            # doctest: +SKIP

Importing the package imports no torch; the first use of a name that needs it does. Input that can't be used raises an
``InputError`` of ``redraft.errors``, a damaged model a ``CheckpointError``.
"""

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from redraft.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from redraft.editing.result import EditResult, InfillResult
    from redraft.editing.run import Run
    from redraft.engine import Engine, Request, Result
    from redraft.sampler import SamplerSettings

__all__ = ["Engine", "Request", "Result", "SamplerSettings", "__version__", "edit", "generate", "infill", "load"]

_HOMES = {
    "Engine": "redraft.engine",
    "Request": "redraft.engine",
    "Result": "redraft.engine",
    "SamplerSettings": "redraft.sampler",
}


def load(model: str | None = None, *, device: str = "cpu", is_compiled: bool = False) -> "Engine":
    """Load a model and keep it: a second call gives the same engine.

    Args:
        model: The name of a model that ships, or a path with a separator in it; None is the default model.
        device: Where it shall run.
        is_compiled: Compile its passes for this processor, which takes a C++ compiler and, the first time, a minute.

    Returns:
        An engine that answers requests.
    """
    from redraft.engine import DEFAULT_MODEL

    return _load(model or DEFAULT_MODEL, device, is_compiled)


def generate(
    prompt: str, *, model: str | None = None, seed: int = 0, effort: str = "medium", **settings: Any
) -> "Result":
    """Answer one prompt.

    Args:
        prompt: What to answer.
        model: See ``load``; None is the one that ships and learned prompts like this one.
        seed: Fixes every random draw.
        effort: instant, low, medium or high.
        **settings: Single sampler settings by name, see ``SamplerSettings``.

    Returns:
        The answer and its figures.
    """
    from redraft.engine import Request, route

    engine = load(model or route(prompt))
    return engine.generate(Request.from_prompt(prompt, seed=seed, settings=engine.settings(effort, **settings)))


def edit(
    text: str,
    instruction: str | None = None,
    *,
    lines: str | None = None,
    keep: "Sequence[str]" = (),
    pins: "Iterable[tuple[int, int]]" = (),
    model: str | None = None,
    seed: int = 0,
    effort: str = "medium",
    **settings: Any,
) -> "Run[EditResult]":
    """Revise a text in place: ``redraft.edit(text, "make it formal").result.text``.

    Args:
        text: The draft.
        instruction: What to do; None repairs what is wrong.
        lines: Lines that may change, ``A:B`` from 1 and both included; None for all.
        keep: Regular expressions; what they match stays, byte for byte.
        pins: Further parts that stay, as pairs of character offsets.
        model: See ``load``; None is the one that ships for such a text and instruction.
        seed: Fixes every random draw.
        effort: instant, low, medium or high.
        **settings: Single sampler settings by name, see ``SamplerSettings``.

    Returns:
        A run: iterate over it for the ``Step`` of every pass, or ask for its ``result``, which says what was kept,
        changed, inserted and deleted.
    """
    from redraft.editing.edit import edit_text
    from redraft.engine.routing import route_edit

    options = {"lines": lines, "keep": keep, "pins": pins, "seed": seed, "effort": effort}
    return edit_text(load(model or route_edit(text, instruction)), text, instruction, **options, **settings)


def infill(
    prefix: str | None = None,
    suffix: str | None = None,
    *,
    template: str | None = None,
    hole: str = "{{}}",
    instruction: str | None = None,
    max_tokens: int | None = None,
    model: str | None = None,
    seed: int = 0,
    effort: str = "medium",
    **settings: Any,
) -> "Run[InfillResult]":
    """Fill gaps of unknown length: ``redraft.infill("def f(", "): return a").result.text``.

    Args:
        prefix: What stands before a single gap.
        suffix: What stands behind it.
        template: A text with holes, in place of both.
        hole: Marks one.
        instruction: What the text is about; None for nothing but the text.
        max_tokens: Most tokens of a fill; None for as many as the canvas holds.
        model: See ``load``; None is the one that ships for gaps.
        seed: Fixes every random draw.
        effort: instant, low, medium or high.
        **settings: Single sampler settings by name, see ``SamplerSettings``.

    Returns:
        A run: iterate over it for the ``Step`` of every pass, or ask for its ``result``.
    """
    from redraft.editing.infill import infill_text
    from redraft.engine import FILLER_MODEL

    options = {"template": template, "hole": hole, "instruction": instruction, "max_tokens": max_tokens}
    return infill_text(load(model or FILLER_MODEL), prefix, suffix, seed=seed, effort=effort, **options, **settings)


# As many as ship, since prompts choose among them.
@lru_cache(maxsize=6)
def _load(model: str, device: str, is_compiled: bool) -> "Engine":
    from redraft.engine import load_engine

    return load_engine(model, device=device, is_compiled=is_compiled)


def __getattr__(name: str) -> Any:
    """Import a name's module when the name is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
