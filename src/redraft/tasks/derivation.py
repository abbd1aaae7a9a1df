"""Checks a derivation exactly: every line must hold, and together they must reduce the expression to its value."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from redraft.errors import PromptError
from redraft.tasks.expression import Expression, Operation, Ratio, Whole, apply, canonical, reductions
from redraft.tasks.parser import parse
from redraft.tasks.problem import Order, Verdict

__all__ = ["check_derivation", "check_lines"]

MAX_LINES = 64
"""Lines that are looked at; the longest derivation has eight."""

MAX_LINE_LENGTH = 80
"""Characters of a line that could still be a reduction."""

LARGEST_VALUE = 10**12
"""Values beyond this are not worked out: a line of nested cubes would take hours."""

MAX_SIDES = 4
"""Sides of an equation that are looked at; a derivation writes three at most."""

_FACTOR = re.compile(r"(?<![0-9/(])[1-9]/[2-9](?![0-9/)])")


def check_derivation(tree: Expression, order: Order, text: str) -> Verdict:
    """Judge an answer with its derivation.

    A line is true if all sides of its ``=`` have the same exact value. The derivation is valid if its lines, in the
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
    # A line may speak of either of two equal operations, and only later lines show which: keep every reading.
    left = [tree]
    for number, line in enumerate(rest, start=1):
        before, left = left, _reduced(left, line)
        if not left:
            reason = reason or f"line {number} is no reduction of {canonical(before[0])}: {line[:40]!r}"
            break
    is_derivation_valid = Whole(value) in left
    if left and not is_derivation_valid:
        reason = reason or f"the derivation stops at {canonical(left[0])}"
    return Verdict(
        answer_is_correct=answer_is_correct,
        is_derivation_valid=is_derivation_valid,
        num_lines=len(rest),
        num_true_lines=num_true_lines,
        reason=reason,
    )


def check_lines(trees: Sequence[Expression], lines: Sequence[str]) -> tuple[bool, int, str]:
    """Judge lines that work out independent operations on literals, each exactly once, in any order.

    Args:
        trees: The operations.
        lines: What came, of any content; no more than ``MAX_LINES`` are looked at.

    Returns:
        Whether they are right, how many are true on their own, and the first fault in words.
    """
    lines = lines[: MAX_LINES + 1]
    missing = Counter(canonical(tree) for tree in trees)
    reason = ""
    for number, line in enumerate(lines, start=1):
        sides = _sides(line)
        asked = None if sides is None else canonical(sides[0])
        if not _is_true(line):
            reason = reason or f"line {number} is not true: {line[:40]!r}"
        elif asked is None or not missing[asked]:
            reason = reason or f"line {number} was not asked for: {line[:40]!r}"
        else:
            missing[asked] -= 1
    left = +missing
    if left:
        reason = reason or f"there is no line for {next(iter(left))}"
    return not reason, sum(_is_true(line) for line in lines), reason


def _sides(line: str) -> list[Expression] | None:
    """What stands between the equals signs, two parts or more."""
    parts = line.split("=")
    if not 2 <= len(parts) <= MAX_SIDES or len(line) > MAX_LINE_LENGTH:
        return None
    # A line writes 16 × 7/4 for a product with a fraction; by the parser's grammar it would be a quotient.
    parts = [_FACTOR.sub(r"(\g<0>)", part) if any(sign in part for sign in "×*·") else part for part in parts]
    try:
        return [parse(part) for part in parts]
    except PromptError:
        return None


def _is_true(line: str) -> bool:
    sides = _sides(line)
    if sides is None or not isinstance(sides[0], Operation):
        return False
    values = {_value(side) for side in sides}
    return len(values) == 1 and None not in values


def _value(tree: Expression) -> Fraction | None:
    if isinstance(tree, Whole):
        return Fraction(tree.value)
    if isinstance(tree, Ratio):
        return Fraction(tree.numerator, tree.denominator)
    values = [_value(operand) for operand in tree.operands]
    known = tuple(value for value in values if value is not None)
    if len(known) < len(values) or any(max(abs(v.numerator), v.denominator) > LARGEST_VALUE for v in known):
        return None
    result = apply(tree.operator, known)
    return None if result is None else Fraction(result)


def _reduced(trees: list[Expression], line: str) -> list[Expression]:
    """The different trees in which one operation that the line works out is replaced by its value."""
    sides = _sides(line)
    if sides is None or not isinstance(sides[-1], Whole) or not _is_true(line):
        return []
    wanted, result = canonical(sides[0]), sides[-1]
    replaced = {canonical(new): new for tree in trees for new in _replaced(tree, wanted, result)}
    return list(replaced.values())


def _replaced(tree: Expression, wanted: str, result: Whole) -> Iterator[Expression]:
    """A tree for each place where the wanted operation stands."""
    if not isinstance(tree, Operation):
        return
    if not any(isinstance(operand, Operation) for operand in tree.operands):
        if canonical(tree) == wanted:
            yield result
        return
    for index, operand in enumerate(tree.operands):
        for new in _replaced(operand, wanted, result):
            yield Operation(tree.operator, (*tree.operands[:index], new, *tree.operands[index + 1 :]))
