"""Grows random expressions with an exact number of reductions, every step a whole number within bounds.

Operands come first and the operator is chosen among those that their values allow, so nothing is ever thrown away.
"""

import math
import random

from redraft.tasks.expression import Expression, Operation, Operator, Ratio, Whole

__all__ = ["PRODUCT_WEIGHT", "QUOTIENT_WEIGHT", "grow"]

_WEIGHTS: dict[str, float] = {"+": 4.0, "−": 4.0, "×": 4.0, "÷": 4.0, "ratio": 2.5, "²": 2.0, "³": 0.7, "√": 2.5}
"""Relative frequency of each operator where all are possible; ratio stands for a product with a fraction."""
PRODUCT_WEIGHT = int(_WEIGHTS["×"])
"""The weight of a product by a whole number, which a recipe may raise: it is the hardest to learn."""
QUOTIENT_WEIGHT = int(_WEIGHTS["÷"])
"""The weight of a quotient, which a recipe may raise as well; a product with a fraction keeps its share of it."""

_MAX_FACTOR = 20
_MAX_LITERAL = 100
_LARGEST_BASE: dict[Operator, int] = {"²": 20, "³": 7}
_SHARE_OF_FORKS = 0.45
"""How often an operation with reductions to share out has them in both operands."""

_Grown = tuple[Expression, int]
_Weights = dict[str, float]


def grow(
    rng: random.Random,
    num_steps: int,
    max_value: int,
    *,
    product_weight: int = PRODUCT_WEIGHT,
    quotient_weight: int = QUOTIENT_WEIGHT,
) -> Expression:
    """A random expression.

    Args:
        rng: Source of every draw.
        num_steps: Reductions it takes, 1 or more.
        max_value: Largest value of any step.
        product_weight: How often a product by a whole number is chosen where sums and differences have 4.
        quotient_weight: How often a quotient is; a product with a fraction 5/8 of that.

    Returns:
        The tree.
    """
    ratio_weight = quotient_weight * _WEIGHTS["ratio"] / QUOTIENT_WEIGHT
    raised = {"×": float(product_weight), "÷": float(quotient_weight), "ratio": ratio_weight}
    return _grow(rng, num_steps, max_value, _WEIGHTS | raised)[0]


def _grow(rng: random.Random, num_steps: int, max_value: int, weights: _Weights) -> _Grown:
    if num_steps == 1:
        return _pair_of_literals(rng, max_value, weights)
    left = num_steps - 1
    if left >= 2 and rng.random() < _SHARE_OF_FORKS:
        first = rng.randint(1, left - 1)
        parts = _grow(rng, first, max_value, weights), _grow(rng, left - first, max_value, weights)
        return _fork(rng, *parts, max_value, weights)
    return _extend(rng, _grow(rng, left, max_value, weights), max_value, weights)


def _literal(rng: random.Random, low: int, high: int) -> int:
    """Small numbers are as frequent as large ones."""
    top = rng.choice((12, 40, _MAX_LITERAL))
    return rng.randint(low, max(low, min(high, top)))


def _pair_of_literals(rng: random.Random, max_value: int, weights: _Weights) -> _Grown:
    kind = rng.choices(list(weights), weights=list(weights.values()))[0]
    if kind == "√":
        root = rng.randint(1 if rng.random() < 0.05 else 2, min(20, math.isqrt(max_value)))
        return Operation("√", (Whole(root * root),)), root
    if kind in ("²", "³"):
        power = 2 if kind == "²" else 3
        base = rng.randint(2, min(_LARGEST_BASE[kind], int(max_value ** (1 / power) + 1e-9)))
        return Operation(kind, (Whole(base),)), base**power
    if kind == "ratio":
        denominator = rng.randint(2, 9)
        value = denominator * rng.randint(1, min(20, max_value // denominator))
    elif kind == "÷":
        divisor = rng.randint(2, _MAX_FACTOR)
        value = divisor * rng.randint(1, max(1, min(_MAX_FACTOR, max_value // divisor)))
        return Operation("÷", (Whole(value), Whole(divisor))), value // divisor
    elif kind == "×":
        value = rng.randint(2, min(60, max_value // 2))
    else:
        value = _literal(rng, 1, max_value - 1)
    grown = _apply_kind(rng, kind, (Whole(value), value), max_value)
    assert grown is not None, f"{kind} must be possible with {value}"
    return grown


def _extend(rng: random.Random, grown: _Grown, max_value: int, weights: _Weights) -> _Grown:
    """One more operation around a subtree, with a literal or alone."""
    kinds = dict(weights)
    while kinds:
        kind = rng.choices(list(kinds), weights=list(kinds.values()))[0]
        extended = _apply_kind(rng, kind, grown, max_value)
        if extended is not None:
            return extended
        del kinds[kind]
    raise AssertionError("a sum or a difference is always possible")


def _apply_kind(rng: random.Random, kind: str, grown: _Grown, max_value: int) -> _Grown | None:
    """The operation around ``grown``, or None where its value rules it out."""
    tree, value = grown
    match kind:
        case "+":
            return _add(rng, tree, value, max_value)
        case "−":
            return _subtract(rng, tree, value, max_value)
        case "×":
            return _multiply(rng, tree, value, max_value)
        case "÷":
            return _divide(rng, tree, value, max_value)
        case "ratio":
            return _scale(rng, tree, value, max_value)
        case "√":
            root = math.isqrt(value)
            return (Operation("√", (tree,)), root) if value > 1 and root * root == value else None
        case "²" | "³":
            result = value ** (2 if kind == "²" else 3)
            is_small = 2 <= value <= _LARGEST_BASE[kind] and result <= max_value
            return (Operation(kind, (tree,)), result) if is_small else None
    raise AssertionError(f"no operator {kind}")


def _either_side(rng: random.Random, operator: Operator, tree: Expression, other: Expression) -> Operation:
    return Operation(operator, (tree, other) if rng.random() < 0.6 else (other, tree))


def _add(rng: random.Random, tree: Expression, value: int, max_value: int) -> _Grown | None:
    if value >= max_value:
        return None
    other = _literal(rng, 1, max_value - value)
    return _either_side(rng, "+", tree, Whole(other)), value + other


def _subtract(rng: random.Random, tree: Expression, value: int, max_value: int) -> _Grown:
    if value >= 1 and (rng.random() < 0.65 or value >= max_value):
        other = _literal(rng, 1, value)
        return Operation("−", (tree, Whole(other))), value - other
    other = rng.randint(value, min(max_value, value + _MAX_LITERAL))
    return Operation("−", (Whole(other), tree)), other - value


def _multiply(rng: random.Random, tree: Expression, value: int, max_value: int) -> _Grown | None:
    if value < 1 or 2 * value > max_value:
        return None
    largest = max_value // value if value <= _MAX_FACTOR else min(_MAX_FACTOR, max_value // value)
    other = rng.randint(2, min(_MAX_LITERAL, largest))
    return _either_side(rng, "×", tree, Whole(other)), value * other


def _divide(rng: random.Random, tree: Expression, value: int, max_value: int) -> _Grown | None:
    divisors = [d for d in range(2, min(value, 2 * _MAX_FACTOR) + 1) if value % d == 0]
    if divisors and rng.random() < 0.75:
        other = rng.choice(divisors)
        return Operation("÷", (tree, Whole(other))), value // other
    if not 2 <= value <= max_value // 2 or value > 2 * _MAX_FACTOR:
        return None
    quotient = rng.randint(1, min(_MAX_FACTOR, max_value // value))
    return Operation("÷", (Whole(value * quotient), tree)), quotient


def _scale(rng: random.Random, tree: Expression, value: int, max_value: int) -> _Grown | None:
    pairs = [
        (numerator, denominator)
        for denominator in range(2, 10)
        if value >= denominator and value % denominator == 0
        for numerator in range(1, 10)
        if math.gcd(numerator, denominator) == 1 and value // denominator * numerator <= max_value
    ]
    if not pairs:
        return None
    numerator, denominator = rng.choice(pairs)
    return _either_side(rng, "×", tree, Ratio(numerator, denominator)), value // denominator * numerator


def _fork(rng: random.Random, first: _Grown, second: _Grown, max_value: int, weights: _Weights) -> _Grown:
    """An operation on two subtrees."""
    (left, a), (right, b) = first, second
    kinds: dict[Operator, float] = {"−": weights["−"]}
    if a + b <= max_value:
        kinds["+"] = weights["+"]
    if a and b and a * b <= max_value and min(a, b) <= _MAX_FACTOR:
        kinds["×"] = 2 * weights["×"]
    if b > a:
        (left, a), (right, b) = second, first
    if b > 1 and a % b == 0 and b <= 2 * _MAX_FACTOR:
        kinds["÷"] = 8 * weights["÷"]
    operator = rng.choices(list(kinds), weights=list(kinds.values()))[0]
    result = {"+": a + b, "−": a - b, "×": a * b, "÷": a // b if b else 0}[operator]
    if operator in ("+", "×") and rng.random() < 0.5:
        left, right = right, left
    return Operation(operator, (left, right)), result
