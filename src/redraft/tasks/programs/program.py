"""A program: a kind of argument, perhaps a guard, and a chain of operations; its spelling and its meaning."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from redraft.tasks.programs.dicts import DICTS
from redraft.tasks.programs.inputs import probes
from redraft.tasks.programs.number_lists import NUMBER_LISTS
from redraft.tasks.programs.numbers import NUMBERS
from redraft.tasks.programs.operations import Kind, Operation
from redraft.tasks.programs.texts import TEXTS
from redraft.tasks.programs.word_lists import WORD_LISTS

__all__ = ["OPERATIONS", "UNWRITTEN", "Program", "Step", "canonical", "outcomes", "read_program"]

_TABLES: dict[Kind, tuple[Operation, ...]] = {
    "ints": NUMBER_LISTS,
    "words": WORD_LISTS,
    "text": TEXTS,
    "number": NUMBERS,
    "counts": DICTS,
}

OPERATIONS: dict[Kind, dict[str, Operation]] = {
    kind: {operation.name: operation for operation in table} for kind, table in _TABLES.items()
}
"""All operations, by the kind of value they work on and by name."""

UNWRITTEN = "more digits than Python writes"
"""The outcome where a whole number gets so long, in the end or on the way, that Python refuses to write it."""

_BETWEEN_STEPS = ">"


@dataclass(frozen=True, slots=True)
class Step:
    """An operation with its parts."""

    operation: Operation
    """What is done."""
    parts: str
    """Its parts, spelled."""

    def __str__(self) -> str:
        """The step's spelling."""
        return f"{self.operation.name} {self.parts}" if self.operation.parts else self.operation.name


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """What a function does with its one argument."""

    takes: Kind
    """Kind of the argument."""
    guard: str
    """What comes back at once for an empty argument, or a negative number: a constant as Python; empty: no guard."""
    steps: tuple[Step, ...]
    """The operations, in order."""

    def __str__(self) -> str:
        """The spelling that ``read_program`` reads."""
        return _BETWEEN_STEPS.join((f"{self.takes} {self.guard}".rstrip(), *(str(step) for step in self.steps)))

    @property
    def gives(self) -> Kind:
        """Kind of the result."""
        return self.steps[-1].operation.gives

    @property
    def num_operations(self) -> int:
        """Steps, and one for the guard."""
        return len(self.steps) + bool(self.guard)

    def run(self, value: Any) -> Any:
        """The result for an argument, which is left as it was."""
        if self.guard and (value < 0 if self.takes == "number" else not value):
            return None if self.guard == "None" else int(self.guard)
        for step in self.steps:
            value = step.operation.apply(value, step.parts)
        return value


def read_program(spelling: str) -> Program:
    """The program of a spelling.

    >>> read_program("ints -1>keep even>sum").run([1, 2, 4]), read_program("ints -1>keep even>sum").run([])
    (6, -1)
    """
    head, *rest = spelling.split(_BETWEEN_STEPS)
    takes, _, guard = head.partition(" ")
    kind: Any = takes
    steps: list[Step] = []
    for text in rest:
        name, _, parts = text.partition(" ")
        steps.append(Step(OPERATIONS[kind][name], parts))
        kind = steps[-1].operation.gives
    return Program(takes=takes, guard=guard, steps=tuple(steps))  # type: ignore[arg-type]


@lru_cache(maxsize=512)
def outcomes(program: Program) -> tuple[str, ...]:
    """What it gives for each probe, in a spelling that tells values apart, or ``UNWRITTEN``."""
    return tuple(_outcome(program, value) for value in probes(program.takes))


def _outcome(program: Program, value: Any) -> str:
    try:
        return _spelling(program.run(value))
    except ValueError:
        return UNWRITTEN


def _spelling(value: Any) -> str:
    """Equal for equal values: the order of a dict is no part of it."""
    return repr(sorted(value.items(), key=repr)) if isinstance(value, dict) else repr(value)


def canonical(program: Program) -> Program:
    """Neighbouring steps that may change places without changing what comes out, in alphabetical order.

    Args:
        program: Any program.

    Returns:
        One program for all orders of such steps.
    """
    steps = list(program.steps)
    for end in range(len(steps), 1, -1):
        for place in range(end - 1):
            first, second = steps[place], steps[place + 1]
            is_movable = first.operation.takes == first.operation.gives == second.operation.gives
            if not is_movable or str(first) <= str(second):
                continue
            turned = replace(program, steps=(*steps[:place], second, first, *steps[place + 2 :]))
            if outcomes(turned) == outcomes(replace(program, steps=tuple(steps))):
                steps[place : place + 2] = second, first
    return replace(program, steps=tuple(steps))
