"""`repair`: a broken Python function stands on the canvas; told what is wrong, the model makes it right in place."""

import random
from dataclasses import dataclass
from typing import Any

from redraft.tasks.code import MAX_ATTEMPTS, MAX_STEPS, CodeDials, draw_short_program, is_prompt_short
from redraft.tasks.dials import check_range, read_dials
from redraft.tasks.holdout import draw_from_split
from redraft.tasks.problem import Dials, Language, Order, Problem, Split, Verdict
from redraft.tasks.programs import Program, Signature, draw_signature, judge, key_of, probes, render, what_it_returns
from redraft.tasks.programs.mutations import Fault, Mutant, break_function
from redraft.tasks.repair_phrasing import BROKEN, EXAMPLES, WANTED
from redraft.text.slots import Field

__all__ = ["Repair", "RepairDials"]

MAX_EXAMPLE_CHARACTERS = 60
"""Of an argument or a result that a prompt shows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RepairDials:
    """How long the functions are, and what is wrong with them."""

    min_steps: int = 1
    """Fewest operations."""
    max_steps: int = 3
    """Most operations."""
    guard_percent: int = 15
    """Share of functions that first look for an empty argument, or a negative number."""
    syntax_percent: int = 40
    """Share of faults of syntax."""
    name_percent: int = 10
    """Share of misspelled names; all other faults are of what the function does."""

    def __post_init__(self) -> None:
        check_range("repair steps", self.min_steps, self.max_steps, least=1, most=MAX_STEPS)
        check_range("repair guard_percent", 0, self.guard_percent, least=0, most=100)
        check_range("repair syntax_percent", 0, self.syntax_percent, least=0, most=100)
        check_range("repair name_percent", 0, self.name_percent, least=0, most=100 - self.syntax_percent)


class Repair:
    """Generator and verifier; see ``docs/tasks.md`` for the distribution."""

    name = "repair"

    def make_dials(self, **table: object) -> RepairDials:
        """The generator's settings from a recipe's table."""
        return read_dials(RepairDials, table, self.name)

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
        dials = dials or RepairDials()
        assert isinstance(dials, RepairDials), f"repair takes RepairDials, not {type(dials).__name__}"
        fault = _draw_fault(dials, rng)
        settings = CodeDials(min_steps=dials.min_steps, max_steps=dials.max_steps, guard_percent=dials.guard_percent)
        while True:
            program = draw_from_split(lambda: draw_short_program(rng, settings), key_of, split, attempts=MAX_ATTEMPTS)
            signature = draw_signature(program.takes, rng)
            mutant = break_function(program, signature, fault, rng)
            if mutant is None:
                continue
            problem = self._problem(program, signature, mutant, rng, order, language or rng.choice(("en", "en", "zh")))
            if is_prompt_short(problem):
                return problem

    def _problem(
        self,
        program: Program,
        signature: Signature,
        mutant: Mutant,
        rng: random.Random,
        order: Order,
        language: Language,
    ) -> Problem:
        return Problem(
            task=self.name,
            key=key_of(program),
            prompt=_prompt(program, signature, mutant, rng, language),
            draft=mutant.text,
            fields=(Field(render(program, signature.name, signature.argument)),),
            language=language,
            order=order,
            num_steps=program.num_operations,
        )

    def verify(self, problem: Problem, text: str) -> Verdict:
        """Judges any text whatever by running it in a sandbox: it must return what the whole function returns."""
        return judge(problem, text)


def _draw_fault(dials: RepairDials, rng: random.Random) -> Fault:
    place = rng.random() * 100
    if place < dials.syntax_percent:
        return "syntax"
    return "name" if place < dials.syntax_percent + dials.name_percent else "logic"


def _prompt(program: Program, signature: Signature, mutant: Mutant, rng: random.Random, language: Language) -> str:
    """What is wrong; where the text does not tell the rest, what it should do and mostly a call that goes wrong."""
    if mutant.program is None:
        return rng.choice(BROKEN[mutant.fault, language]).format(line=mutant.line, name=signature.name)
    wanted = rng.choice(WANTED[language]).format(
        sig=signature, what=what_it_returns(program, signature.argument, language, rng), guard=_guard(program, language)
    )
    example = _example(program, mutant.program, signature, rng, language) if rng.random() < 0.7 else ""
    return wanted + example


def _guard(program: Program, language: Language) -> str:
    if not program.guard:
        return ""
    if language == "en":
        return f" (or {program.guard} {'below 0' if program.takes == 'number' else 'if it is empty'})"
    return f"（{'是负数' if program.takes == 'number' else '为空'}时返回 {program.guard}）"


def _result(program: Program, value: Any) -> str:
    """What it gives, as Python writes it; where it has more digits than Python writes, too many for an example."""
    try:
        return repr(program.run(value))
    except ValueError:
        return "9" * (MAX_EXAMPLE_CHARACTERS + 1)


def _example(right: Program, wrong: Program, signature: Signature, rng: random.Random, language: Language) -> str:
    """A call that goes wrong; nothing where every such call is long."""
    shown = [(repr(value), _result(right, value), _result(wrong, value)) for value in probes(right.takes)]
    short = [
        texts for texts in shown if texts[1] != texts[2] and max(len(text) for text in texts) <= MAX_EXAMPLE_CHARACTERS
    ]
    if not short:
        return ""
    argument, wanted, given = rng.choice(short)
    call = f"{signature.name}({argument})"
    return rng.choice(EXAMPLES[language]).format(call=call, wanted=wanted, given=given)
