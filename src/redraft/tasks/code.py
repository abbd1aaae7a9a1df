"""`code`: a description of one to three sentences becomes a Python function, which is judged by running it."""

import random
import re
from dataclasses import dataclass

from redraft.tasks.dials import check_range, read_dials
from redraft.tasks.holdout import draw_from_split
from redraft.tasks.problem import Dials, Language, Order, Problem, Split, Verdict
from redraft.tasks.programs import (
    Program,
    Signature,
    canonical,
    describe,
    draw_program,
    draw_signature,
    judge,
    key_of,
    render,
)
from redraft.text.slots import COPIED_MULTIPLE, Field

__all__ = ["MAX_ATTEMPTS", "MAX_STEPS", "Code", "CodeDials", "draw_short_program", "is_prompt_short"]

MAX_STEPS = 5
"""Longest chain of operations."""

MAX_ATTEMPTS = 5000
"""Draws before a split counts as out of reach."""

MAX_WEIGHT = 230
"""Characters of a function, indentation left out: about 120 tokens."""

MAX_PROMPT_CHARACTERS = 330
"""Of an English prompt: with its markers it fits a context of 256 tokens."""

MAX_CHINESE_CHARACTERS = 110
"""Of a Chinese prompt, whose characters take up to three tokens each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeDials:
    """How long the chains of operations are."""

    min_steps: int = 1
    """Fewest operations."""
    max_steps: int = 3
    """Most operations; uniform between the two."""
    guard_percent: int = 15
    """Share of functions that first look for an empty argument, or a negative number."""

    def __post_init__(self) -> None:
        check_range("code steps", self.min_steps, self.max_steps, least=1, most=MAX_STEPS)
        check_range("code guard_percent", 0, self.guard_percent, least=0, most=100)


class Code:
    """Generator and verifier; see ``docs/tasks.md`` for the distribution."""

    name = "code"

    def make_dials(self, **table: object) -> CodeDials:
        """The generator's settings from a recipe's table."""
        return read_dials(CodeDials, table, self.name)

    def generate(
        self,
        rng: random.Random,
        *,
        split: Split | None = "train",
        order: Order = "answer_first",
        language: Language | None = None,
        dials: Dials | None = None,
    ) -> Problem:
        """A random problem of one split (None: of any); the order says nothing here, as there is no derivation."""
        dials = dials or CodeDials()
        assert isinstance(dials, CodeDials), f"code takes CodeDials, not {type(dials).__name__}"
        settings = dials
        while True:
            # Described only once it is known to belong to the split; few descriptions are too long.
            program = draw_from_split(lambda: draw_short_program(rng, settings), key_of, split, attempts=MAX_ATTEMPTS)
            problem = self._problem(program, rng, order, language or rng.choice(("en", "en", "zh")))
            if is_prompt_short(problem):
                return problem

    def _problem(self, program: Program, rng: random.Random, order: Order, language: Language) -> Problem:
        signature = draw_signature(program.takes, rng)
        return Problem(
            task=self.name,
            key=key_of(program),
            prompt=describe(program, signature, language, rng),
            fields=_fields(render(program, signature.name, signature.argument), signature),
            language=language,
            order=order,
            num_steps=program.num_operations,
        )

    def verify(self, problem: Problem, text: str) -> Verdict:
        """Judges any text whatever by running it in a sandbox: it must return what the wanted function returns."""
        return judge(problem, text)


def _fields(text: str, signature: Signature) -> tuple[Field, ...]:
    """The function in pieces, each with a slot of its own: a name that the prompt gives, and what stands between such.

    So one line's length, or a name's, shifts what follows by whole slots, or not at all.
    """
    names = rf"\b({signature.name}|{signature.argument})\b"
    lines = re.split(r"(?=\n)", text)
    return tuple(Field(piece, multiple=COPIED_MULTIPLE) for line in lines for piece in re.split(names, line) if piece)


def is_prompt_short(problem: Problem) -> bool:
    """Whether a prompt fits, with its markers, a context of 256 tokens."""
    most = MAX_PROMPT_CHARACTERS if problem.language == "en" else MAX_CHINESE_CHARACTERS
    return len(problem.prompt) <= most


def draw_short_program(rng: random.Random, dials: CodeDials) -> Program | None:
    """A random program in canonical form whose function is short enough.

    Args:
        rng: Decides everything.
        dials: How long its chain is.

    Returns:
        The program; None: this draw came to nothing.
    """
    program = draw_program(rng, min_steps=dials.min_steps, max_steps=dials.max_steps, guard_percent=dials.guard_percent)
    if program is None:
        return None
    program = canonical(program)
    return program if _weight(render(program, "function", "numbers")) <= MAX_WEIGHT else None


def _weight(text: str) -> int:
    return sum(len(line.strip()) for line in text.split("\n"))
