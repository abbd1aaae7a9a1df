"""The engine: requests in, results out.

Names are imported when they are first used, so that a command that only lists models never waits for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redraft.engine.autoregressive import AutoregressiveEngine
    from redraft.engine.batching import BatchEngine
    from redraft.engine.catalog import DEFAULT_MODEL, EDITOR_MODEL, FILLER_MODEL, FIXER_MODEL, Entry, resolve, shipped
    from redraft.engine.description import Inspection
    from redraft.engine.engine import Engine
    from redraft.engine.frame import Frame, Piece
    from redraft.engine.hub import resolve_model
    from redraft.engine.inspection import inspect_model
    from redraft.engine.limits import BatchLimits
    from redraft.engine.loading import load_engine
    from redraft.engine.request import Request
    from redraft.engine.result import Result, Seconds
    from redraft.engine.routing import route
    from redraft.engine.ticket import Ticket

__all__ = [
    "DEFAULT_MODEL",
    "EDITOR_MODEL",
    "FILLER_MODEL",
    "FIXER_MODEL",
    "AutoregressiveEngine",
    "BatchEngine",
    "BatchLimits",
    "Engine",
    "Entry",
    "Frame",
    "Inspection",
    "Piece",
    "Request",
    "Result",
    "Seconds",
    "Ticket",
    "inspect_model",
    "load_engine",
    "resolve",
    "resolve_model",
    "route",
    "shipped",
]

_HOMES = {
    "AutoregressiveEngine": "autoregressive",
    "BatchEngine": "batching",
    "BatchLimits": "limits",
    "DEFAULT_MODEL": "catalog",
    "EDITOR_MODEL": "catalog",
    "FILLER_MODEL": "catalog",
    "FIXER_MODEL": "catalog",
    "Engine": "engine",
    "Entry": "catalog",
    "Frame": "frame",
    "Inspection": "description",
    "Piece": "frame",
    "Request": "request",
    "Result": "result",
    "Seconds": "result",
    "Ticket": "ticket",
    "inspect_model": "inspection",
    "load_engine": "loading",
    "resolve": "catalog",
    "resolve_model": "hub",
    "route": "routing",
    "shipped": "catalog",
}


def __getattr__(name: str) -> Any:
    """Import a name's module when the name is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
