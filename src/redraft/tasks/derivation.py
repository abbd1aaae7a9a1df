"""Checks a derivation exactly: every line must hold, and together they must reduce the expression to its value."""

import re
from fractions import Fraction

from redraft.errors import PromptError
from redraft.tasks.expression import Expression, Operation, Ratio, Whole, apply, canonical, reductions
from redraft.tasks.parser import parse
from redraft.tasks.problem import Order, Verdict

__all__ = ["check_derivation"]

MAX_LINES = 64
"""Lines that are looked at; the longest derivation has eight."""

MAX_LINE_LENGTH = 80
"""Characters of a line that could still be a reduction."""


_FACTOR = re.compile(r"(?<![0-9/(])[1-9]/[2-9](?![0-9/)])")


def check_derivation(tree: Expression, order: Order, text: str) -> Verdict:
    """Judge an answer with its derivation.

    A line is true if both sides of its ``=`` have the same exact value. The derivation is valid if its lines, in the
    order in which they stand, each reduce one operation on literals of the expression as it is by then, down to the
    value. Spelling and spaces are free.

    Args:
        tree: The expression that was asked for.
        order: Whether the answer is the first line or the last.
        text: What came, of any length and content.

    Returns:
        The verdict; ``num_lines`` counts the lines beside the answer.
    """
    lines = text.strip("\n").split("\n")[: MAX_LINES + 1]
    value = reductions(tree)[-1].result
    answer = lines[0] if order == "answer_first" else lines[-1]
    rest = lines[1:] if order == "answer_first" else lines[:-1]
    answer_is_correct = answer.strip() == str(value)
    num_true_lines = sum(_is_true(line) for line in rest)
    reason = "" if answer_is_correct else f"the answer is {answer.strip()[:20]!r}, not {value}"
    left: Expression | None = tree
    for number, line in enumerate(rest, start=1):
        before, left = left, _reduced(left, line)
        if left is None:
            reason = reason or f"line {number} is no reduction of {canonical(before)}: {line[:40]!r}"
            break
    is_derivation_valid = left == Whole(value)
    if left is not None and not is_derivation_valid:
        reason = reason or f"the derivation stops at {canonical(left)}"
    return Verdict(
        answer_is_correct=answer_is_correct,
        is_derivation_valid=is_derivation_valid,
        num_lines=len(rest),
        num_true_lines=num_true_lines,
        reason=reason,
    )


def _sides(line: str) -> tuple[Expression, Expression] | None:
    left, equals, right = line.partition("=")
    if not equals or len(line) > MAX_LINE_LENGTH:
        return None
    if any(sign in left for sign in "×*·"):
        # A line writes 16 × 7/4 for a product with a fraction; by the parser's grammar it would be a quotient.
        left = _FACTOR.sub(r"(\g<0>)", left)
    try:
        return parse(left), parse(right)
    except PromptError:
        return None


def _is_true(line: str) -> bool:
    sides = _sides(line)
    if sides is None or not isinstance(sides[0], Operation):
        return False
    left, right = _value(sides[0]), _value(sides[1])
    return left is not None and left == right


def _value(tree: Expression) -> Fraction | None:
    if isinstance(tree, Whole):
        return Fraction(tree.value)
    if isinstance(tree, Ratio):
        return Fraction(tree.numerator, tree.denominator)
    values = [_value(operand) for operand in tree.operands]
    known = tuple(value for value in values if value is not None)
    if len(known) < len(values):
        return None
    result = apply(tree.operator, known)
    return None if result is None else Fraction(result)


def _reduced(tree: Expression, line: str) -> Expression | None:
    """The tree with the one operation that the line works out replaced by its value; None if there is none."""
    sides = _sides(line)
    if sides is None or not isinstance(sides[1], Whole) or _value(sides[0]) != sides[1].value:
        return None
    return _replaced(tree, canonical(sides[0]), sides[1])


def _replaced(tree: Expression, wanted: str, result: Whole) -> Expression | None:
    if not isinstance(tree, Operation):
        return None
    if not any(isinstance(operand, Operation) for operand in tree.operands):
        return result if canonical(tree) == wanted else None
    for index, operand in enumerate(tree.operands):
        replaced = _replaced(operand, wanted, result)
        if replaced is not None:
            return Operation(tree.operator, (*tree.operands[:index], replaced, *tree.operands[index + 1 :]))
    return None
