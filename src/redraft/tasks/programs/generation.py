"""Random programs of which every step matters."""

import random
from dataclasses import replace
from itertools import pairwise

from redraft.tasks.programs.operations import Kind
from redraft.tasks.programs.program import OPERATIONS, UNWRITTEN, Program, Step, outcomes

__all__ = ["count_programs", "draw_program"]

KINDS: tuple[Kind, ...] = ("ints", "ints", "ints", "words", "words", "text", "text", "number", "counts")
"""Kinds of arguments; lists of numbers are the commonest."""

GUARDS = ("-1", "None", "0")
"""What a guard may return."""

MIN_OUTCOMES = 4
"""Fewest different results over all probes, of which a truth value has only two."""

_ENDS = frozenset({"flag", "table"})


def draw_program(rng: random.Random, *, min_steps: int, max_steps: int, guard_percent: int) -> Program | None:
    """A random program.

    Args:
        rng: Decides everything.
        min_steps: Fewest operations, without the guard.
        max_steps: Most; uniform between the two, unless the chain ends in what nothing works on.
        guard_percent: Share of programs with a guard.

    Returns:
        The program; None: this draw came to nothing, as a step of it would not matter.
    """
    takes: Kind = rng.choice(KINDS)
    num_steps = rng.randint(min_steps, max_steps)
    steps: list[Step] = []
    kind = takes
    while len(steps) < num_steps:
        ends_here = len(steps) == num_steps - 1
        choices = [
            operation
            for operation in OPERATIONS[kind].values()
            if (ends_here or operation.gives not in _ENDS) and not (steps and operation.is_first)
        ]
        # Each kind of result is as likely as every other, so that lists do not stay lists.
        gives = rng.choice(sorted({operation.gives for operation in choices}))
        operation = rng.choice([operation for operation in choices if operation.gives == gives])
        steps.append(Step(operation, operation.draw(rng)))
        kind = operation.gives
    guard = rng.choice(GUARDS) if rng.random() * 100 < guard_percent else ""
    program = Program(takes=takes, guard=guard, steps=tuple(steps))
    return program if _is_sound(program) else None


def _is_sound(program: Program) -> bool:
    """Whether it computes something, and no step or guard may be left out."""
    names = [step.operation.name for step in program.steps]
    if any(first == second for first, second in pairwise(names)):
        # Two changes of one sort after each other are often a third.
        return False
    given = outcomes(program)
    if UNWRITTEN in given:
        return False
    least = 2 if program.gives == "flag" else MIN_OUTCOMES
    if len(set(given)) < least or (program.gives == "flag" and min(given.count("True"), given.count("False")) < 3):
        return False
    return all(outcomes(shorter) != given for shorter in _shortened(program))


def _shortened(program: Program) -> list[Program]:
    shorter = [replace(program, guard="")] if program.guard else []
    for place, step in enumerate(program.steps):
        if step.operation.takes == step.operation.gives and len(program.steps) > 1:
            shorter.append(replace(program, steps=program.steps[:place] + program.steps[place + 1 :]))
    return shorter


def count_programs(min_steps: int, max_steps: int) -> int:
    """How many spellings the operations allow, guards and steps that don't matter included.

    Args:
        min_steps: Fewest operations.
        max_steps: Most.

    Returns:
        Their number, counted kind by kind.
    """
    total = 0
    for takes in sorted(set(KINDS)):
        ways: dict[Kind, int] = {takes: 1}
        for length in range(1, max_steps + 1):
            after: dict[Kind, int] = {}
            for kind, number in ways.items():
                for operation in OPERATIONS.get(kind, {}).values():
                    if length == 1 or not operation.is_first:
                        after[operation.gives] = after.get(operation.gives, 0) + number * operation.num_spellings
            ways = after
            if length >= min_steps:
                total += sum(ways.values())
    return total * (1 + len(GUARDS))
