"""Judges a countdown: any expression that reaches the target is right, with its operations beside it, one a line.

Fractions and negative numbers may occur on the way: 8 ÷ (3 − 8 ÷ 3) is 24 whoever asks.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from redraft.errors import PromptError
from redraft.tasks.countdown_search import MAX_NUMBERS
from redraft.tasks.expression import Expression, Operation, Operator, Ratio, Whole, apply, canonical
from redraft.tasks.parser import SIGNS, parse

__all__ = ["check_expression", "check_steps"]

MAX_LINES = 16
"""Lines that are looked at; a solution has three at most."""

_NUMBER = r"-?[0-9]{1,9}(?:/[0-9]{1,9})?"
_LINE = re.compile(rf"\s*({_NUMBER})\s*([-+*/])\s*({_NUMBER})\s*=\s*({_NUMBER})\s*")
_OPERATORS: dict[str, Operator] = {"+": "+", "-": "−", "*": "×", "/": "÷"}


@dataclass(frozen=True, slots=True)
class _Step:
    """One operation on two numbers."""

    operator: Operator
    operands: tuple[Fraction, Fraction]
    result: Fraction
    needs: tuple[int, ...] = ()
    """Places of the steps that must come before it."""

    def is_same(self, other: "_Step") -> bool:
        """Says the same sum, whatever the order of terms or factors."""
        operands = {self.operands, self.operands[::-1]} if self.operator in "+×" else {self.operands}
        return self.operator == other.operator and other.operands in operands


def check_expression(text: str, numbers: Sequence[int], target: int) -> tuple[Expression | None, str]:
    """Judge the answer's line.

    Args:
        text: What came, of any length and content.
        numbers: What may be used, each once.
        target: The value that must come out.

    Returns:
        The tree, None unless it is right; and what is wrong with it.
    """
    try:
        tree = parse(text)
    except PromptError:
        return None, f"the expression can't be read: {text[:40]!r}"
    used = Counter(_numbers(tree))
    if used - Counter(numbers):
        return None, f"it uses {min(used - Counter(numbers))} more often than it is given"
    if not _is_plain(tree):
        return None, "only + − × ÷ are allowed"
    steps: list[_Step] = []
    value = _work_out(tree, steps)
    if value != target:
        return None, f"the expression is {value}, not {target}" if value is not None else "it divides by 0"
    return tree, ""


def check_steps(tree: Expression | None, lines: Sequence[str]) -> tuple[bool, int, str]:
    """Judge the lines below a right expression: each of its operations once, none before what it needs.

    Args:
        tree: The expression; None where it is wrong, and then no lines can be right.
        lines: What came, of any content.

    Returns:
        Whether they are right, how many are true on their own, and the first fault in words.
    """
    read = [_read(line) for line in lines[: MAX_LINES + 1]]
    num_true = sum(step is not None for step in read)
    if tree is None:
        return False, num_true, "there is no right expression to work out"
    steps: list[_Step] = []
    _work_out(tree, steps)
    done: set[int] = set()
    for line, found in zip(lines, read, strict=False):
        if found is None:
            return False, num_true, f"not true: {line[:40]!r}"
        places = (place for place, step in enumerate(steps) if place not in done and step.is_same(found))
        place = next((place for place in places if done.issuperset(steps[place].needs)), None)
        if place is None:
            return False, num_true, f"no step of {canonical(tree)} is due: {line[:40]!r}"
        done.add(place)
    if len(done) < len(steps):
        return False, num_true, f"{len(steps) - len(done)} steps are missing"
    return True, num_true, ""


def _numbers(tree: Expression) -> list[int]:
    if isinstance(tree, Whole):
        return [tree.value]
    if isinstance(tree, Ratio):
        return [tree.numerator, tree.denominator]
    return [number for operand in tree.operands for number in _numbers(operand)]


def _is_plain(tree: Expression) -> bool:
    """Nothing but the four operations; their number is bounded, as each number is used once."""
    if not isinstance(tree, Operation):
        return True
    return tree.operator in "+−×÷" and all(_is_plain(operand) for operand in tree.operands)


def _work_out(tree: Expression, steps: list[_Step]) -> Fraction | None:
    """The value of a tree of the four operations, and its steps, what is needed first before what needs it."""
    if isinstance(tree, Whole):
        return Fraction(tree.value)
    if isinstance(tree, Ratio):
        tree = Operation("÷", (Whole(tree.numerator), Whole(tree.denominator)))
    assert len(steps) < MAX_NUMBERS, "more operations than the numbers allow"
    values: list[Fraction] = []
    needs: list[int] = []
    for operand in tree.operands:
        value = _work_out(operand, steps)
        if value is None:
            return None
        values.append(value)
        if not isinstance(operand, Whole):
            needs.append(len(steps) - 1)
    first, second = values
    result = apply(tree.operator, (first, second))
    if result is None:
        return None
    steps.append(_Step(tree.operator, (first, second), Fraction(result), tuple(needs)))
    return Fraction(result)


def _read(line: str) -> _Step | None:
    """The step that a true line does; None for any other line."""
    match = _LINE.fullmatch(line[:200].translate(SIGNS))
    if match is None:
        return None
    first, sign, second, result = match.groups()
    try:
        step = _Step(_OPERATORS[sign], (Fraction(first), Fraction(second)), Fraction(result))
    except ZeroDivisionError:
        return None
    return step if apply(step.operator, step.operands) == step.result else None
