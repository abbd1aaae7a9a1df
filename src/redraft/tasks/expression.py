"""Arithmetic expressions as trees, their canonical key and their reductions.

A tree is made of `Whole` numbers, `Ratio` literals such as 2/3, and `Operation` nodes named by their written sign:
+ − × ÷ √ ² ³. A *reduction* replaces one operation on literals by its value, which must be a whole number.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from redraft.errors import PromptError

__all__ = [
    "LARGEST_NUMBER",
    "Expression",
    "Literal_",
    "Operation",
    "Operator",
    "Ratio",
    "Reduction",
    "Whole",
    "apply",
    "canonical",
    "count_reductions",
    "operations",
    "reductions",
    "show_literal",
]

Operator = Literal["+", "−", "×", "÷", "√", "²", "³"]
"""Name of an operation: the sign it is written with in a derivation."""

LARGEST_NUMBER = 999
"""Largest number in a problem: a slot holds three digits."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number, 0 or more."""

    value: int
    """The number."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A literal fraction of single digits that is not a whole number, such as 2/3."""

    numerator: int
    """1 to 9."""
    denominator: int
    """2 to 9."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator with its one or two operands."""

    operator: Operator
    """What is done."""
    operands: "tuple[Expression, ...]"
    """Two for + − × ÷, one for √ ² ³."""


Expression = Whole | Ratio | Operation
"""Any tree."""

Literal_ = Whole | Ratio
"""A tree that needs no reduction."""


@dataclass(frozen=True, slots=True)
class Reduction:
    """One line of a derivation: an operation on literals and its value."""

    operator: Operator
    """What is done."""
    operands: tuple[Literal_, ...]
    """What it is done to."""
    result: int
    """The value, a whole number."""


def show_literal(literal: Literal_) -> str:
    """A literal as it is written: ``7`` or ``2/3``."""
    if isinstance(literal, Ratio):
        return f"{literal.numerator}/{literal.denominator}"
    return str(literal.value)


def apply(operator: Operator, values: tuple[Fraction, ...] | tuple[int, ...]) -> Fraction | int | None:
    """The exact value of one operation, or None where it has no rational value (division by 0, √2).

    >>> apply("÷", (12, 4))
    Fraction(3, 1)
    """
    match operator:
        case "+":
            return values[0] + values[1]
        case "−":
            return values[0] - values[1]
        case "×":
            return values[0] * values[1]
        case "÷":
            return Fraction(values[0], values[1]) if values[1] else None
        case "²":
            return values[0] ** 2
        case "³":
            return values[0] ** 3
        case "√":
            radicand = values[0]
            if radicand < 0 or radicand.denominator != 1:
                return None
            root = math.isqrt(int(radicand))
            return root if root * root == radicand else None


def canonical(tree: Expression) -> str:
    """A fully bracketed ASCII spelling that is the same for all spellings of one problem.

    The operands of + and × are sorted. Sums and products are not flattened: ``(1+2)+3`` and ``1+(2+3)`` reduce by
    different lines, so they are different problems.
    """
    if isinstance(tree, Whole):
        return str(tree.value)
    if isinstance(tree, Ratio):
        return f"({tree.numerator}/{tree.denominator})"
    parts = [canonical(operand) for operand in tree.operands]
    match tree.operator:
        case "√":
            return f"(sqrt({parts[0]}))"
        case "²":
            return f"({parts[0]}^2)"
        case "³":
            return f"({parts[0]}^3)"
        case "+":
            parts.sort()
            return f"({parts[0]}+{parts[1]})"
        case "×":
            parts.sort()
            return f"({parts[0]}*{parts[1]})"
        case "−":
            return f"({parts[0]}-{parts[1]})"
        case "÷":
            return f"({parts[0]}/{parts[1]})"


def count_reductions(tree: Expression) -> int:
    """Number of operations, which is the number of lines of any derivation."""
    if isinstance(tree, Operation):
        return 1 + sum(count_reductions(operand) for operand in tree.operands)
    return 0


def reductions(tree: Expression) -> list[Reduction]:
    """The derivation in canonical order: always the leftmost operation on literals.

    Args:
        tree: an expression with at least one operation.

    Returns:
        One line per operation; the last one has the value of the whole.

    Raises:
        PromptError: a step is not a whole number from 0 to 999, or a fraction is used other than as a factor.
    """
    lines: list[Reduction] = []
    literal = _reduce(tree, lines)
    if not lines or isinstance(literal, Ratio):
        raise PromptError(f"{canonical(tree)!r} has nothing to work out; write at least one operation, such as 3 + 4")
    return lines


def _reduce(tree: Expression, lines: list[Reduction]) -> Literal_:
    if not isinstance(tree, Operation):
        if isinstance(tree, Whole) and tree.value > LARGEST_NUMBER:
            raise PromptError(f"{tree.value} is too large; numbers go up to {LARGEST_NUMBER}")
        return tree
    operands = tuple(_reduce(operand, lines) for operand in tree.operands)
    values = tuple(_value(operand) for operand in operands)
    result = apply(tree.operator, values)
    shown = canonical(Operation(tree.operator, operands))
    if tree.operator != "×" and any(isinstance(operand, Ratio) for operand in operands):
        raise PromptError(f"{shown}: a fraction such as 2/3 can only be a factor; multiply it, as in (2/3) × 9")
    if result is None or result.denominator != 1 or not 0 <= result <= LARGEST_NUMBER:
        raise PromptError(f"{shown} is not a whole number from 0 to {LARGEST_NUMBER}; every step must be one")
    whole = int(result)
    lines.append(Reduction(tree.operator, operands, whole))
    return Whole(whole)


def _value(literal: Literal_) -> Fraction:
    if isinstance(literal, Ratio):
        return Fraction(literal.numerator, literal.denominator)
    return Fraction(literal.value)


def operations(tree: Expression) -> Iterator[Operation]:
    """All operations of a tree, operands before what uses them."""
    if isinstance(tree, Operation):
        for operand in tree.operands:
            yield from operations(operand)
        yield tree
