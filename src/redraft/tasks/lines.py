"""How a derivation is laid out: one line per reduction, in slots whose places repeat every twelve tokens.

A product that is no fact of the small tables is worked out in two: ``9 × 2/3 = 3 × 2 = 6`` and
``17 × 23 = 340 + 51 = 391``. Each half is then a small fact or one sum, and the whole need not be known by heart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from redraft.tasks.expression import Literal_, Operator, Ratio, Reduction, Whole, show_literal
from redraft.text.slots import Field

__all__ = ["NUMBER_WIDTH", "Intermediate", "derivation_fields", "intermediate"]

NUMBER_WIDTH = 3
"""Tokens of a number's slot: three digits, or a fraction such as 2/3."""

LARGEST_FACT = 100
"""Products up to this one are written down at once."""

NEWLINE = "\n"


@dataclass(frozen=True, slots=True)
class Intermediate:
    """What stands between the two equals signs of a line."""

    left: int
    """First operand."""
    operator: Operator
    """What is done with both."""
    right: int
    """Second operand."""


def intermediate(line: Reduction) -> Intermediate | None:
    """The half-way expression of a product, or None where the line is short.

    A fraction first divides and then multiplies. A product above 100 takes its larger factor apart into tens and ones.

    >>> intermediate(Reduction("×", (Whole(17), Whole(23)), 391))
    Intermediate(left=340, operator='+', right=51)

    Args:
        line: A reduction.

    Returns:
        An expression with the same value.
    """
    if line.operator != "×":
        return None
    ratios = [operand for operand in line.operands if isinstance(operand, Ratio)]
    wholes = [operand.value for operand in line.operands if isinstance(operand, Whole)]
    if len(ratios) == 1:
        return _of_fraction(wholes[0], ratios[0])
    if ratios or line.result <= LARGEST_FACT:
        return None
    small, large = sorted(wholes)
    ones = large % 10
    return Intermediate(small * (large - ones), "+", small * ones) if ones and large > ones else None


def _of_fraction(whole: int, ratio: Ratio) -> Intermediate | None:
    # 4 × 3/6 is 2, and there is no whole number half-way.
    if whole % ratio.denominator:
        return None
    return Intermediate(whole // ratio.denominator, "×", ratio.numerator)


def derivation_fields(lines: Sequence[Reduction], *, shows_intermediates: bool = True) -> tuple[Field, ...]:
    """The slots of a derivation, without a newline at its end.

    Args:
        lines: The reductions, in order.
        shows_intermediates: Whether large products and fractions are worked out in two.

    Returns:
        Twelve tokens per line, or 24 where a line shows its intermediate.
    """
    fields: list[Field] = []
    for line in lines:
        fields += _line_fields(line, intermediate(line) if shows_intermediates else None)
        fields.append(Field(NEWLINE, 1))
    return tuple(fields[:-1])


def _line_fields(line: Reduction, between: Intermediate | None) -> Iterator[Field]:
    """Twelve tokens less the newline, or twice that: operand, operator, operand, equals, result.

    In a line with an intermediate, its operator takes the place of the newline, and its right operand the place of the
    next line's left one. So a slot's role follows from its place alone, whatever lines stand before it.
    """
    left, sign, right = _sides(line.operator, line.operands)
    yield Field(left, NUMBER_WIDTH)
    yield Field(sign, 1)
    yield Field(right, NUMBER_WIDTH)
    yield Field(" = ", 1)
    if between is not None:
        yield Field(str(between.left), NUMBER_WIDTH)
        yield Field(f" {between.operator} ", 1)
        yield Field(str(between.right), NUMBER_WIDTH)
        # Nothing stands in the places of operator and second operand.
        yield Field("", 1 + NUMBER_WIDTH)
        yield Field(" = ", 1)
    yield Field(str(line.result), NUMBER_WIDTH)


def _sides(operator: Operator, operands: Sequence[Literal_]) -> tuple[str, str, str]:
    """What stands before the sign, the sign, and what stands behind it."""
    shown = [show_literal(operand) for operand in operands]
    match operator:
        case "√":
            return "", "√", shown[0]
        case "²" | "³":
            return shown[0], operator, ""
        case _:
            return shown[0], f" {operator} ", shown[1]
