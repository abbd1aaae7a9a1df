"""Breaks a function: in its syntax, in a name, or in what it does; each break is proved before it is handed out."""

import ast
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from redraft.tasks.programs.operations import BETWEEN_PARTS, Operation
from redraft.tasks.programs.program import OPERATIONS, Program, Step, outcomes
from redraft.tasks.programs.rendering import render
from redraft.tasks.programs.signature import Signature

__all__ = ["Fault", "Mutant", "break_function"]

Fault = Literal["syntax", "name", "logic"]
"""It is no Python any more; it uses a name that there is not; or it returns something else."""

MAX_TRIES = 30
"""Draws of one kind of fault before it counts as impossible for this function."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mutant:
    """A broken function."""

    text: str
    """As it stands."""
    fault: Fault
    """What kind of fault it has."""
    line: int
    """The first line that differs, from 1."""
    program: Program | None
    """What it does instead; None: nothing."""


def break_function(program: Program, signature: Signature, fault: Fault, rng: random.Random) -> Mutant | None:
    """Break the function of a program.

    Args:
        program: What the function should do.
        signature: Its names.
        fault: What kind of fault to give it.
        rng: Chooses.

    Returns:
        The broken function; None: this kind of fault was not found for it.
    """
    right = render(program, signature.name, signature.argument)
    for _ in range(MAX_TRIES):
        other: Program | None = None
        if fault == "logic":
            other = _other_program(program, rng)
            text = right if other is None else render(other, signature.name, signature.argument)
            is_broken = other is not None and outcomes(other) != outcomes(program)
        elif fault == "syntax":
            text = rng.choice(_SYNTAX_BREAKS)(right, rng)
            is_broken = text != right and not _is_python(text)
        else:
            text = _misspelled(right, rng)
            is_broken = text != right and _is_python(text)
        if is_broken:
            return Mutant(text=text, fault=fault, line=_first_difference(right, text), program=other)
    return None


def _other_program(program: Program, rng: random.Random) -> Program | None:
    """One step with other parts, another operation in its place, left out, or changed places with the next."""
    place = rng.randrange(len(program.steps))
    step = program.steps[place]
    before, after = program.steps[:place], program.steps[place + 1 :]
    way = rng.choice(("parts", "parts", "parts", "operation", "operation", "without", "order", "guard"))
    if way == "parts" and step.operation.parts:
        return replace(program, steps=(*before, Step(step.operation, _other_parts(step, rng)), *after))
    if way == "operation":
        choices = [
            operation for operation in OPERATIONS[step.operation.takes].values() if _may_stand_for(operation, step)
        ]
        if choices:
            operation = rng.choice(choices)
            return replace(program, steps=(*before, Step(operation, operation.draw(rng)), *after))
    if way == "without" and step.operation.takes == step.operation.gives and len(program.steps) > 1:
        return replace(program, steps=(*before, *after))
    if way == "order" and after and step.operation.takes == step.operation.gives == after[0].operation.gives:
        return replace(program, steps=(*before, after[0], step, *after[1:]))
    if way == "guard" and program.guard:
        return replace(program, guard="")
    return None


def _may_stand_for(operation: Operation, step: Step) -> bool:
    """Another of as many parts and the same style: a slip, not another program."""
    old = step.operation
    return (
        operation.name != old.name
        and (operation.gives, operation.style, operation.is_first) == (old.gives, old.style, old.is_first)
        and len(operation.parts) == len(old.parts)
    )


def _other_parts(step: Step, rng: random.Random) -> str:
    """One part drawn anew; mostly only its constant, which then is a neighbour of the old one."""
    old = step.parts.split(BETWEEN_PARTS)
    new = step.operation.draw(rng).split(BETWEEN_PARTS)
    place = rng.randrange(len(old))
    name, _, constant = old[place].partition(" ")
    if constant.isdigit() and rng.random() < 0.4:
        new[place] = f"{name} {max(2, int(constant) + rng.choice((-1, 1)))}"
    return BETWEEN_PARTS.join((*old[:place], new[place], *old[place + 1 :]))


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _without_one(sign: str) -> Callable[[str, random.Random], str]:
    def leave_out(text: str, rng: random.Random) -> str:
        places = [place for place in range(len(text)) if text.startswith(sign, place)]
        if not places:
            return text
        place = rng.choice(places)
        return text[:place] + text[place + len(sign) :]

    return leave_out


def _misspelled_keyword(text: str, rng: random.Random) -> str:
    old, new = rng.choice(
        (("def ", "de "), ("return ", "retrun "), ("for ", "fro "), ("while ", "whlie "), (" in ", " ni "))
    )
    return text.replace(old, new, 1)


def _single_equals(text: str, rng: random.Random) -> str:
    return text.replace("==", rng.choice(("=", "===")), 1)


def _outdented(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    place = rng.randrange(1, len(lines))
    lines[place] = lines[place][rng.choice((1, 2, 4)) :]
    return "\n".join(lines)


def _doubled_sign(text: str, rng: random.Random) -> str:
    places = [place for place, sign in enumerate(text) if sign in "()[]{}:"]
    place = rng.choice(places)
    return text[: place + 1] + text[place:]


_SYNTAX_BREAKS: tuple[Callable[[str, random.Random], str], ...] = (
    *(_without_one(sign) for sign in (":", ")", "(", "]", "'")),
    *(_misspelled_keyword, _single_equals, _outdented, _doubled_sign),
)


def _misspelled(text: str, rng: random.Random) -> str:
    """A letter too few, too many or turned in a name that the last line reads before anything else.

    Only what stands in front of a comprehension's own variable is read whatever the argument.
    """
    tree = ast.parse(text)
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef), "a rendered program is one function"
    last = function.body[-1]
    assert isinstance(last, ast.Return), "it ends in a return"
    own = {node.id for node in ast.walk(last) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names = [node for node in ast.walk(last) if isinstance(node, ast.Name) and node.id not in own and len(node.id) > 2]
    if not names or any(isinstance(node, ast.IfExp | ast.BoolOp) for node in ast.walk(last)):
        return text
    node = rng.choice(names)
    place = rng.randrange(1, len(node.id) - 1)
    wrong = rng.choice(
        (
            node.id[:place] + node.id[place + 1 :],
            node.id[:place] + node.id[place] + node.id[place:],
            node.id[:place] + node.id[place + 1] + node.id[place] + node.id[place + 2 :],
        )
    )
    if wrong in _KNOWN or f" {wrong} " in text or wrong == node.id:
        return text
    lines = text.split("\n")
    line = lines[node.lineno - 1]
    lines[node.lineno - 1] = line[: node.col_offset] + wrong + line[node.col_offset + len(node.id) :]
    return "\n".join(lines)


_KNOWN = frozenset(
    ("sum", "max", "min", "len", "any", "all", "set", "list", "dict", "int", "str", "abs", "bin", "sorted")
)


def _first_difference(right: str, wrong: str) -> int:
    pairs = zip(right.split("\n"), wrong.split("\n"), strict=False)
    return next((number for number, (old, new) in enumerate(pairs, 1) if old != new), right.count("\n") + 1)
