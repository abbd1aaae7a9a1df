"""Which of the models that ship learned prompts like a given one: naive Bayes over words and pairs of words.

Each model that ships knows a few kinds of problem (``catalog.TRAINED_ON``), so a prompt goes to the one whose training
prompts it most resembles. The table is made from the tasks themselves by ``redraft.evaluation.routes``; nothing here
opens weights, so routing needs no torch.

Source: Manning, Raghavan and Schütze, Introduction to Information Retrieval (2008), section 13.2; a feature counts
once, however often a prompt has it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from redraft.engine import catalog
from redraft.errors import CheckpointError

__all__ = ["ROUTES_NAME", "Routes", "features", "read_routes", "route", "route_edit"]

ROUTES_NAME = "routes.json"
"""Name of the table, beside the folders of the models."""

MAX_LENGTH = 4000
"""Characters of a prompt that are looked at."""

# A number, a Chinese character, a word, or any other sign.
_WORD = re.compile(r"[0-9]+|[\u3400-\u9fff]|[^\W\d_\u3400-\u9fff]+|[^\w\s]|_")


_PROGRAM = re.compile(r"^(?:[ \t]+\S|\s*(?:def|return|for|while|if|import)\b)", re.MULTILINE)
"""An indented line, or one that begins as statements of Python do; a broken function has some, whatever is broken."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Routes:
    """How likely each feature is in the prompts that each model learned."""

    models: tuple[str, ...]
    """Names, in the order of the rows' numbers."""

    log_shares: Mapping[str, tuple[float, ...]]
    """By feature, for each model the logarithm of the share of its prompts that have it."""

    def scores(self, prompt: str) -> dict[str, float]:
        """Return the log-likelihood of a prompt's known features under each model.

        Args:
            prompt: Any text.

        Returns:
            By model; all are 0 where no feature is known.
        """
        rows = [self.log_shares[name] for name in sorted(features(prompt)) if name in self.log_shares]
        return {model: sum((row[index] for row in rows), 0.0) for index, model in enumerate(self.models)}


def features(prompt: str) -> set[str]:
    """Return the words of a prompt and their neighbouring pairs; every number is the same word.

    >>> sorted(features("Multiply 6 by 82."))
    ['.', '0', '0 .', '0 by', 'by', 'by 0', 'multiply', 'multiply 0']

    Args:
        prompt: Any text.

    Returns:
        The features, each once.
    """
    words = ["0" if word[0] in "0123456789" else word.lower() for word in _WORD.findall(prompt[:MAX_LENGTH])]
    return {*words, *(f"{first} {second}" for first, second in pairwise(words))}


def route(prompt: str) -> str:
    """Return the model that ships and learned prompts most like this one.

    Args:
        prompt: Any text.

    Returns:
        The name; the default model's where nothing speaks for another.

    Raises:
        CheckpointError: The table is damaged or missing.
    """
    names = catalog.shipped_names()
    routes = read_routes(catalog.shipped_folder() / ROUTES_NAME)
    scores = {model: score for model, score in routes.scores(prompt).items() if model in names}
    # Of equals the first of the table, which is the default.
    return max(scores, key=scores.__getitem__, default=catalog.DEFAULT_MODEL)


def route_edit(text: str, instruction: str | None) -> str:
    """Return the model that ships for an edit: the one that mends programs, or the one that revises anything else.

    An instruction is judged as a prompt is. Without one a text that reads like a program is to be mended.

    Args:
        text: The draft.
        instruction: What to do with it; None repairs what is wrong.

    Returns:
        The name.

    Raises:
        CheckpointError: The table is damaged or missing.
    """
    fixer, editor = catalog.FIXER_MODEL, catalog.EDITOR_MODEL
    if fixer not in catalog.shipped_names() or not _PROGRAM.search(text):
        return editor
    if instruction is None:
        return fixer
    scores = read_routes(catalog.shipped_folder() / ROUTES_NAME).scores(instruction)
    return fixer if scores[fixer] > scores[editor] else editor


@lru_cache(maxsize=1)
def read_routes(path: Path) -> Routes:
    """Read a table, once.

    Args:
        path: The file.

    Returns:
        The table.

    Raises:
        CheckpointError: It is damaged or missing.
    """
    _, table = catalog.read_json(path)
    try:
        rows = {str(name): tuple(map(float, row)) for name, row in table["log_shares"].items()}
        return Routes(models=tuple(map(str, table["models"])), log_shares=rows)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} is damaged; install the package again") from error
