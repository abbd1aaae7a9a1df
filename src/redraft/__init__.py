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
    from redraft.engine import Engine, Request, Result
    from redraft.sampler import SamplerSettings

__all__ = ["Engine", "Request", "Result", "SamplerSettings", "__version__", "generate", "load"]

_HOMES = {
    "Engine": "redraft.engine",
    "Request": "redraft.engine",
    "Result": "redraft.engine",
    "SamplerSettings": "redraft.sampler",
}


def load(model: str | None = None, *, device: str = "cpu") -> "Engine":
    """Load a model and keep it: a second call gives the same engine.

    Args:
        model: The name of a model that ships, or a path with a separator in it; None is the default model.
        device: Where it shall run.

    Returns:
        An engine that answers requests.
    """
    from redraft.engine import DEFAULT_MODEL

    return _load(model or DEFAULT_MODEL, device)


def generate(
    prompt: str, *, model: str | None = None, seed: int = 0, effort: str = "medium", **settings: Any
) -> "Result":
    """Answer one prompt.

    Args:
        prompt: What to answer.
        model: See ``load``.
        seed: Fixes every random draw.
        effort: instant, low, medium or high.
        **settings: Single sampler settings by name, see ``SamplerSettings``.

    Returns:
        The answer and its figures.
    """
    from redraft.engine import Request

    engine = load(model)
    return engine.generate(Request.from_prompt(prompt, seed=seed, settings=engine.settings(effort, **settings)))


@lru_cache(maxsize=2)
def _load(model: str, device: str) -> "Engine":
    from redraft.engine import load_engine

    return load_engine(model, device=device)


def __getattr__(name: str) -> Any:
    """Import a name's module when the name is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
