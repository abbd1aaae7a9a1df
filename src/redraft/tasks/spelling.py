"""Writes an expression the ways people write it: Unicode, ASCII or mixed, with or without spaces and extra brackets."""

import random
from dataclasses import dataclass
from typing import Literal

from redraft.tasks.expression import Expression, Operation, Operator, Ratio, Whole

__all__ = ["ASCII", "UNICODE", "Spelling", "random_spelling", "spell"]

_LEVEL: dict[Operator, int] = {"+": 1, "−": 1, "×": 2, "÷": 2, "²": 3, "³": 3, "√": 4}
_ATOM = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Spelling:
    """How signs are written in one expression."""

    times: Literal["×", "*"]
    """Sign of a product."""
    divide: Literal["÷", "/"]
    """Sign of a quotient; a fraction literal always has a slash."""
    minus: Literal["−", "-"]
    """Sign of a difference."""
    power: Literal["²", "^", "**"]
    """Raised digit, caret or two stars."""
    root: Literal["√", "√()", "sqrt()"]
    """Before a number: the bare sign, the sign with brackets, or a function. Anything longer always has brackets."""
    is_spaced: bool
    """Spaces stand around + − × ÷."""
    redundant_share: float
    """Probability of brackets around an operand that needs none."""


UNICODE = Spelling(times="×", divide="÷", minus="−", power="²", root="√", is_spaced=True, redundant_share=0.0)
"""All signs as in a book."""

ASCII = Spelling(times="*", divide="/", minus="-", power="^", root="sqrt()", is_spaced=True, redundant_share=0.0)
"""All signs as on a keyboard."""


def random_spelling(rng: random.Random) -> Spelling:
    """A third Unicode, a third ASCII, a third mixed sign by sign; most of them with spaces."""
    kind = rng.randrange(3)
    is_spaced = rng.random() < 0.7
    redundant_share = 0.25 if rng.random() < 0.4 else 0.0
    if kind == 0:
        return Spelling(
            times="×",
            divide="÷",
            minus="−",
            power="²",
            root="√" if rng.random() < 0.7 else "√()",
            is_spaced=is_spaced,
            redundant_share=redundant_share,
        )
    if kind == 1:
        return Spelling(
            times="*",
            divide="/",
            minus="-",
            power="^" if rng.random() < 0.75 else "**",
            root="sqrt()",
            is_spaced=is_spaced,
            redundant_share=redundant_share,
        )
    return Spelling(
        times=rng.choice(("×", "*")),
        divide=rng.choice(("÷", "/")),
        minus=rng.choice(("−", "-")),
        power=rng.choice(("²", "²", "^", "**")),
        root=rng.choice(("√", "√()", "√()", "sqrt()")),
        is_spaced=is_spaced,
        redundant_share=redundant_share,
    )


def spell(tree: Expression, spelling: Spelling, rng: random.Random) -> str:
    """The expression as text; `parse` gives the same tree back.

    Args:
        tree: what to write.
        spelling: which signs to use.
        rng: decides where redundant brackets go; not drawn from when there are none.

    Returns:
        One line of text.
    """
    return _spell(tree, spelling, rng, 0)


def _spell(tree: Expression, spelling: Spelling, rng: random.Random, level: int) -> str:
    text, own_level = _bare(tree, spelling, rng)
    is_redundant = (
        own_level >= level > 0
        and not isinstance(tree, Whole)
        and spelling.redundant_share > 0
        and rng.random() < spelling.redundant_share
    )
    return f"({text})" if own_level < level or is_redundant else text


def _bare(tree: Expression, spelling: Spelling, rng: random.Random) -> tuple[str, int]:
    if isinstance(tree, Whole):
        return str(tree.value), _ATOM
    if isinstance(tree, Ratio):
        # Written like a quotient: it needs brackets wherever a quotient would, so 9 × (2/3) but 2/3 × 9.
        return f"{tree.numerator}/{tree.denominator}", 2
    level = _LEVEL[tree.operator]
    if tree.operator == "√":
        return _root(tree, spelling, rng), level
    if tree.operator in ("²", "³"):
        base = _spell(tree.operands[0], spelling, rng, _ATOM if spelling.root == "√" else _LEVEL["√"])
        exponent = tree.operator if spelling.power == "²" else spelling.power + ("2" if tree.operator == "²" else "3")
        return base + exponent, level
    sign = {"+": "+", "−": spelling.minus, "×": spelling.times, "÷": spelling.divide}[tree.operator]
    if spelling.is_spaced:
        sign = f" {sign} "
    left = _spell(tree.operands[0], spelling, rng, level)
    right = _spell(tree.operands[1], spelling, rng, level + 1)
    return left + sign + right, level


def _root(tree: Operation, spelling: Spelling, rng: random.Random) -> str:
    radicand = tree.operands[0]
    if spelling.root == "√" and isinstance(radicand, Whole):
        return f"√{radicand.value}"
    return f"{'sqrt' if spelling.root == 'sqrt()' else '√'}({_spell(radicand, spelling, rng, 0)})"
