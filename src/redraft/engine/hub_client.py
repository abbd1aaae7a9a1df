"""Asking the Hugging Face hub, whose client fails in many ways: here each becomes one clear error."""

import sys
from collections.abc import Callable
from typing import Any

from redraft.errors import ConfigError, DependencyError

__all__ = ["ask_the_hub"]


def ask_the_hub(name: str, ask: Callable[[Any], Any]) -> Any:
    """Ask, and make one clear error of whatever goes wrong on the way.

    Args:
        name: The model that it is about, for the message.
        ask: Takes the client's module and returns the answer.

    Returns:
        The answer.

    Raises:
        ConfigError: There is no such model, or it can't be had.
        DependencyError: ``huggingface_hub`` is not installed.
    """
    try:
        import huggingface_hub as hub
        from huggingface_hub import errors
        from huggingface_hub.utils import disable_progress_bars
    except ImportError as error:
        raise DependencyError(f"fetching {name} needs huggingface_hub; run pip install 'redraft[hub]'") from error
    if not sys.stderr.isatty():
        disable_progress_bars()  # what reads a pipe or a log wants one line per error
    try:
        return ask(hub)
    except errors.GatedRepoError as error:
        raise ConfigError(f"{name} is gated: accept its terms on the hub, then sign in with `hf auth login`") from error
    except errors.RepositoryNotFoundError as error:
        raise ConfigError(
            f"there is no model {name} on the Hugging Face hub, or it is private; for a folder write ./"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise ConfigError(f"{name.partition('@')[0]} has no revision {name.partition('@')[2]!r} on the hub") from error
    except errors.HFValidationError as error:
        raise ConfigError(f"{name} is no name that the Hugging Face hub allows: {_one_line(error)}") from error
    # Networks fail in many ways, and httpx's errors are no OSError.
    except Exception as error:
        raise ConfigError(
            f"can't fetch {name} from the Hugging Face hub ({type(error).__name__}: {_one_line(error)}); "
            "check the network, or name a folder that holds the model"
        ) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
