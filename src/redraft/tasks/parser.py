"""Reads an arithmetic expression in any of its spellings: a small recursive descent parser, no `eval`.

Grammar, tightest last; operators of one level associate to the left::

    sum      = product (("+" | "−") product)*
    product  = power (("×" | "÷") power)*
    power    = root ("²" | "³")?                 also ^2, ^3, **2, **3
    root     = "√" root | atom                   also sqrt(...)
    atom     = whole number | "(" sum ")"

So ``√81²`` is ``(√81)²``. A quotient of two single digits that isn't whole is read as a fraction literal: ``(2/3)``.
Signs of numbers, decimals, variables and products without a sign are not part of the language.
"""

import re

from redraft.errors import PromptError
from redraft.tasks.expression import Expression, Operation, Operator, Ratio, Whole

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "SIGNS", "parse"]

MAX_LENGTH = 400
"""Longest text the parser looks at, in characters. The longest generated problem has about 120."""

MAX_DEPTH = 40
"""Deepest nesting of brackets and roots."""

_MAX_DIGITS = 6

SIGNS = str.maketrans(
    {"×": "*", "·": "*", "＊": "*", "÷": "/", "／": "/", "−": "-", "－": "-", "–": "-", "＋": "+", "（": "(", "）": ")"}
)
"""What the signs of a book are on a keyboard, for ``str.translate``."""

_TOKEN = re.compile(r"\s*(?:(?P<number>[0-9]+)|(?P<sign>\*\*|sqrt|√|[-+*/^()²³]))", re.IGNORECASE)

_SUM_SIGNS: dict[str, Operator] = {"+": "+", "-": "−"}
_PRODUCT_SIGNS: dict[str, Operator] = {"*": "×", "/": "÷"}
_EXPONENTS: dict[str, Operator] = {"2": "²", "3": "³", "²": "²", "³": "³"}


def parse(text: str) -> Expression:
    """The tree of an expression.

    >>> parse("2²+1") == parse("(2 ** 2) + 1")
    True

    Args:
        text: the expression alone, without words around it.

    Returns:
        The tree; equal for all spellings, whatever the spaces and the brackets that change nothing.

    Raises:
        PromptError: the text is too long, too deep or not in the language; the message names the place.
    """
    if len(text) > MAX_LENGTH:
        raise PromptError(f"the expression has {len(text)} characters; at most {MAX_LENGTH} are read; shorten it")
    reader = _Reader(_tokens(text.translate(SIGNS).rstrip()))
    tree = reader.sum(0)
    if reader.peek() is not None:
        raise PromptError(f"unexpected {reader.peek()!r} in the expression; put an operator or a bracket before it")
    return tree


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise PromptError(
                f"can't read {text[place : place + 12]!r} in the expression; "
                "use whole numbers, + - * / ^2 ^3 sqrt() or + − × ÷ ² ³ √, and brackets"
            )
        number = found["number"]
        if number is not None and len(number) > _MAX_DIGITS:
            raise PromptError(f"the number {number[:12]}... is too long; at most {_MAX_DIGITS} digits are read")
        tokens.append(number if number is not None else found["sign"].lower())
        place = found.end()
    return tokens


class _Reader:
    """Walks over the tokens once."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._place = 0

    def peek(self) -> str | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _next(self) -> str:
        token = self.peek()
        if token is None:
            raise PromptError("the expression ends too early; a number or a bracket is missing")
        self._place += 1
        return token

    def sum(self, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise PromptError(f"the expression is nested more than {MAX_DEPTH} deep; simplify it")
        tree = self._product(depth)
        while (sign := self.peek()) in _SUM_SIGNS:
            self._place += 1
            tree = Operation(_SUM_SIGNS[sign], (tree, self._product(depth)))
        return tree

    def _product(self, depth: int) -> Expression:
        tree = self._power(depth)
        while (sign := self.peek()) in _PRODUCT_SIGNS:
            self._place += 1
            tree = _quotient_or_product(_PRODUCT_SIGNS[sign], tree, self._power(depth))
        return tree

    def _power(self, depth: int) -> Expression:
        base = self._root(depth)
        sign = self.peek()
        if sign in ("^", "**"):
            self._place += 1
            sign = self._next()
        elif sign not in ("²", "³"):
            return base
        else:
            self._place += 1
        if sign not in _EXPONENTS:
            raise PromptError(f"the exponent {sign!r} is not known; use 2 or 3")
        if self.peek() in ("^", "**", "²", "³"):
            raise PromptError("a power of a power needs brackets, as in (2²)³")
        return Operation(_EXPONENTS[sign], (base,))

    def _root(self, depth: int) -> Expression:
        num_roots = 0
        while self.peek() in ("√", "sqrt"):
            self._place += 1
            num_roots += 1
        tree = self._atom(depth + num_roots)
        for _ in range(num_roots):
            tree = Operation("√", (tree,))
        return tree

    def _atom(self, depth: int) -> Expression:
        token = self._next()
        if token == "(":
            tree = self.sum(depth + 1)
            if self._next() != ")":
                raise PromptError("a bracket is not closed; add )")
            return tree
        if not token.isdecimal():
            raise PromptError(f"unexpected {token!r} in the expression; a number or a bracket should stand there")
        return Whole(int(token))


def _quotient_or_product(operator: Operator, left: Expression, right: Expression) -> Expression:
    if (
        operator == "÷"
        and isinstance(left, Whole)
        and isinstance(right, Whole)
        and 1 <= left.value <= 9
        and 2 <= right.value <= 9
        and left.value % right.value
    ):
        return Ratio(left.value, right.value)
    return Operation(operator, (left, right))
