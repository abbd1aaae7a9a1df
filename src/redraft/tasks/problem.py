"""One problem, one verdict, and what every task can do.

A task makes problems (``generate``) and judges texts (``verify``); it never sees a tokenizer or a model.
"""

import random
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from redraft.text.slots import Field

__all__ = [
    "MAX_LENGTH",
    "Dials",
    "Language",
    "Order",
    "Problem",
    "Split",
    "Task",
    "Verdict",
    "answer_and_rest",
    "rough_length",
]

MAX_LENGTH = 8000
"""Characters of an answer that a judge looks at; a canvas holds a few hundred."""

Language = Literal["en", "zh"]
"""Language of the words around a problem."""

Order = Literal["answer_first", "derivation_first"]
"""Whether the answer stands before or after what proves it. The prompt's wording says which."""

Split = Literal["train", "dev", "test"]
"""Part of the data a problem belongs to, decided by its key alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """A prompt with the one text that answers it, laid out in slots."""

    task: str
    """Name of the task, as the registry knows it."""
    key: str
    """Canonical spelling of what is asked: the same whatever the wording, the spelling or the order."""
    prompt: str
    """What the user writes."""
    fields: tuple[Field, ...]
    """The answer, slot by slot; joined it reads as plain text."""
    language: Language
    """Language of the prompt."""
    order: Order
    """Order of answer and derivation."""
    num_steps: int
    """Length of the derivation: reductions in `arithmetic`, primes in `primes`, and what each other task counts."""
    draft: str | None = None
    """The text that stands on the canvas before the first pass; the prompt does not repeat it. None: an open canvas."""

    @property
    def answer_text(self) -> str:
        """The whole text a model should write."""
        return "".join(field.text for field in self.fields)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What an exact verifier found in a text."""

    answer_is_correct: bool
    """The answer is there, where the order wants it, and exact."""
    is_derivation_valid: bool
    """The rest proves it: every reduction applies and they end in the value; or the list is exactly right."""
    num_lines: int
    """Lines of the derivation, or numbers in the list."""
    num_true_lines: int
    """Those of them that hold on their own, whether or not they belong here."""
    reason: str
    """The first thing that is wrong, in a few words; empty when nothing is."""

    @property
    def is_correct(self) -> bool:
        """Answer and derivation are both right."""
        return self.answer_is_correct and self.is_derivation_valid


def rough_length(text: str) -> int:
    """Characters of a text, a Chinese one counting as three, the tokens that it may take.

    >>> rough_length("ab"), rough_length("中a")
    (2, 4)
    """
    return sum(1 if character.isascii() else 3 for character in text)


def answer_and_rest(text: str, order: Order) -> tuple[str, list[str]]:
    r"""The line that must hold the answer, without spaces around it, and all other lines.

    >>> answer_and_rest("12\n3 × 4 = 12", "answer_first")
    ('12', ['3 × 4 = 12'])

    Args:
        text: What came, of any length and content.
        order: Whether the answer is the first line or the last.

    Returns:
        The answer's line and the rest.
    """
    lines = text[:MAX_LENGTH].strip("\n").split("\n")
    if order == "answer_first":
        return lines[0].strip(), lines[1:]
    return lines[-1].strip(), lines[:-1]


@runtime_checkable
class Dials(Protocol):
    """Settings of one task's generator: a frozen dataclass per task, see each task."""


@runtime_checkable
class Task(Protocol):
    """A source of problems with an exact verifier."""

    @property
    def name(self) -> str:
        """Name in the registry."""
        ...

    def make_dials(self, **table: object) -> Dials:
        """The generator's settings from a recipe's table; unknown keys are a ConfigError."""
        ...

    def generate(
        self,
        rng: random.Random,
        *,
        split: Split | None = "train",
        order: Order = "answer_first",
        language: Language | None = None,
        dials: Dials | None = None,
    ) -> Problem:
        """A random problem of one split (None: of any), reproducible from the state of `rng`."""
        ...

    def verify(self, problem: Problem, text: str) -> Verdict:
        """Judges any text whatever as an answer to `problem`, without ever raising."""
        ...
