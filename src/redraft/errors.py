"""What can go wrong, and whose fault it is.

The tree::

    RedraftError                 everything that Redraft raises on purpose
    ├── InputError               what the caller passed can't be used (also a ValueError)
    │   ├── ConfigError          a setting, a recipe key or a flag
    │   ├── PromptError          a text, a prompt file or a template
    │   ├── ContextLengthError   the request does not fit the model
    │   └── MemoryLimitError     the request does not fit into the memory that the engine may take
    ├── CheckpointError          a checkpoint folder is missing, damaged or foreign
    ├── DependencyError          an optional package is not installed
    ├── QueueFullError           too many requests wait already
    └── RequestCancelledError    the request was cancelled, so there is no result

Each message says what came, what is allowed and what to do. A fault of our own is an ``assert`` with a message instead.
"""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "CheckpointError",
    "ConfigError",
    "ContextLengthError",
    "DependencyError",
    "InputError",
    "MemoryLimitError",
    "PromptError",
    "QueueFullError",
    "RedraftError",
    "RequestCancelledError",
    "did_you_mean",
]


class RedraftError(Exception):
    """Base of every error that Redraft raises on purpose."""


class InputError(RedraftError, ValueError):
    """What the caller passed can't be used as it is."""


class ConfigError(InputError):
    """A setting, a recipe key or a flag is out of its range or unknown."""


class PromptError(InputError):
    """A text, a prompt file or a template can't be read as what it should be."""


class ContextLengthError(InputError):
    """The request does not fit into the model's context."""


class MemoryLimitError(InputError):
    """The request does not fit into the memory that the engine may take."""


class CheckpointError(RedraftError):
    """A checkpoint folder is missing, damaged or not ours."""


class DependencyError(RedraftError):
    """An optional package is not installed; the message names the pip command."""


class QueueFullError(RedraftError):
    """Too many requests wait already; nothing is wrong with this one."""


class RequestCancelledError(RedraftError):
    """The request was cancelled, so there is no result."""


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the nearest known one, or all of them where none is near.

    >>> did_you_mean("widht", ["width", "depth"])
    "did you mean 'width'?"
    >>> did_you_mean("zzz", ["width", "depth"])
    'known are width, depth'

    Args:
        name: What came.
        known: What is allowed.

    Returns:
        The words.
    """
    names = list(known)
    nearest = get_close_matches(str(name), names, n=1, cutoff=0.5)
    return f"did you mean {nearest[0]!r}?" if nearest else f"known are {', '.join(names) or 'none'}"
