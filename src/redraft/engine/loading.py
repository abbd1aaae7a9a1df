"""From the name of a model to an engine that answers."""

from redraft.denoiser.checkpoint import load_checkpoint
from redraft.engine.catalog import DEFAULT_MODEL, resolve
from redraft.engine.engine import Engine

__all__ = ["load_engine"]


def load_engine(model: str = DEFAULT_MODEL, *, device: str = "cpu") -> Engine:
    """Load a checkpoint and put it to work; an unknown one is a ``ConfigError``, a damaged one a ``CheckpointError``.

    Args:
        model: The name of a shipped checkpoint, or a path with a separator in it.
        device: Where it shall run.

    Returns:
        The engine.
    """
    return Engine.from_checkpoint(load_checkpoint(resolve(model), device=device), name=model)
