"""Tests and changes of a single number, word or character: Python text, meaning, and words in two languages.

Each is spelled as a name and perhaps a constant, such as ``gt 3``. The meaning is a Python function of ours: nothing
that is written as text is ever run by the generator.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["CHANGES", "CHARACTER_TESTS", "TESTS", "WORD_CHANGES", "WORD_TESTS", "Piece", "Reading", "groups_of", "read"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A test (to true or false) or a change (to another value); ``{x}`` is the value, ``{a}`` the constant."""

    code: str
    """As Python."""
    run: Callable[[Any, Any], Any]
    """What it means, of the value and the constant."""
    en: str
    """After "the numbers that" (tests) or around ``{x}`` (changes)."""
    zh: str
    """Before 的数 (tests) or around ``{x}`` (changes)."""
    constants: tuple[str, ...] = ()
    """What the constant may be; nothing: there is none."""


_SMALL = tuple(str(number) for number in range(2, 11))
_FEW = ("2", "3", "4", "5")
_LETTERS = tuple("aeimnorst")

TESTS = {
    "even": Piece("{x} % 2 == 0", lambda x, _: x % 2 == 0, "are even", "是偶数"),
    "odd": Piece("{x} % 2 == 1", lambda x, _: x % 2 == 1, "are odd", "是奇数"),
    "positive": Piece("{x} > 0", lambda x, _: x > 0, "are positive", "是正数"),
    "negative": Piece("{x} < 0", lambda x, _: x < 0, "are negative", "是负数"),
    "gt": Piece("{x} > {a}", lambda x, a: x > a, "are greater than {a}", "大于 {a} ", _SMALL),
    "lt": Piece("{x} < {a}", lambda x, a: x < a, "are less than {a}", "小于 {a} ", _SMALL),
    "ge": Piece("{x} >= {a}", lambda x, a: x >= a, "are at least {a}", "不小于 {a} ", _SMALL),
    "le": Piece("{x} <= {a}", lambda x, a: x <= a, "are at most {a}", "不大于 {a} ", _SMALL),
    "ne": Piece("{x} != {a}", lambda x, a: x != a, "are not {a}", "不等于 {a} ", _SMALL),
    "by": Piece("{x} % {a} == 0", lambda x, a: x % a == 0, "are divisible by {a}", "能被 {a} 整除", _SMALL[1:]),
    "notby": Piece(
        "{x} % {a} != 0", lambda x, a: x % a != 0, "are not divisible by {a}", "不能被 {a} 整除", _SMALL[1:]
    ),
    "ends": Piece("{x} % 10 == {a}", lambda x, a: x % 10 == a, "are {a} modulo 10", "除以 10 余 {a} ", _SMALL[:-2]),
}
"""Of whole numbers."""

CHANGES = {
    "add": Piece("{x} + {a}", lambda x, a: x + a, "{x} plus {a}", "{x}加 {a} ", _SMALL),
    "sub": Piece("{x} - {a}", lambda x, a: x - a, "{x} minus {a}", "{x}减 {a} ", _SMALL),
    "from": Piece("{a} - {x}", lambda x, a: a - x, "{a} minus {x}", "{a} 减去{x}", (*_SMALL, "100")),
    "times": Piece("{x} * {a}", lambda x, a: x * a, "{x} times {a}", "{x}乘以 {a} ", _SMALL),
    "square": Piece("{x} * {x}", lambda x, _: x * x, "the square of {x}", "{x}的平方"),
    "cube": Piece("{x} ** 3", lambda x, _: x**3, "the cube of {x}", "{x}的立方"),
    "minus": Piece("-{x}", lambda x, _: -x, "minus {x}", "{x}的相反数"),
    "abs": Piece("abs({x})", lambda x, _: abs(x), "the absolute value of {x}", "{x}的绝对值"),
    "over": Piece(
        "{x} // {a}", lambda x, a: x // a, "{x} divided by {a}, rounded down", "{x}除以 {a} 的整数商", _SMALL
    ),
    "mod": Piece("{x} % {a}", lambda x, a: x % a, "{x} modulo {a}", "{x}除以 {a} 的余数", _SMALL),
    "upto": Piece("min({x}, {a})", lambda x, a: min(x, a), "the smaller of {x} and {a}", "{x}与 {a} 中较小的", _SMALL),
    "atleast": Piece(
        "max({x}, {a})", lambda x, a: max(x, a), "the larger of {x} and {a}", "{x}与 {a} 中较大的", _SMALL
    ),
}
"""Of whole numbers."""

WORD_TESTS = {
    "longer": Piece("len({x}) > {a}", lambda x, a: len(x) > a, "are longer than {a} characters", "长度大于 {a} ", _FEW),
    "shorter": Piece(
        "len({x}) < {a}", lambda x, a: len(x) < a, "are shorter than {a} characters", "长度小于 {a} ", _FEW[1:]
    ),
    "starts": Piece(
        "{x}.startswith('{a}')", lambda x, a: x.startswith(a), "start with '{a}'", "以 '{a}' 开头", _LETTERS
    ),
    "ends": Piece("{x}.endswith('{a}')", lambda x, a: x.endswith(a), "end with '{a}'", "以 '{a}' 结尾", _LETTERS),
    "has": Piece("'{a}' in {x}", lambda x, a: a in x, "contain '{a}'", "包含 '{a}' ", _LETTERS),
    "lacks": Piece("'{a}' not in {x}", lambda x, a: a not in x, "do not contain '{a}'", "不含 '{a}' ", _LETTERS),
    "mirror": Piece("{x} == {x}[::-1]", lambda x, _: x == x[::-1], "are palindromes", "是回文"),
    "lower": Piece("{x}.islower()", lambda x, _: x.islower(), "are in lower case", "全是小写"),
}
"""Of words."""

WORD_CHANGES = {
    "upper": Piece("{x}.upper()", lambda x, _: x.upper(), "{x} in upper case", "{x}的大写"),
    "lower": Piece("{x}.lower()", lambda x, _: x.lower(), "{x} in lower case", "{x}的小写"),
    "capital": Piece("{x}.capitalize()", lambda x, _: x.capitalize(), "{x} capitalized", "{x}首字母大写"),
    "reverse": Piece("{x}[::-1]", lambda x, _: x[::-1], "{x} reversed", "{x}的倒序"),
    "first": Piece("{x}[:{a}]", lambda x, a: x[:a], "the first {a} characters of {x}", "{x}的前 {a} 个字符", _FEW),
    "last": Piece("{x}[-{a}:]", lambda x, a: x[-a:], "the last {a} characters of {x}", "{x}的后 {a} 个字符", _FEW),
    "without": Piece(
        "{x}.replace('{a}', '')", lambda x, a: x.replace(a, ""), "{x} without '{a}'", "{x}去掉 '{a}' ", _LETTERS
    ),
    "twice": Piece("{x} * 2", lambda x, _: x * 2, "{x} repeated twice", "{x}重复两次"),
    "plus": Piece("{x} + '{a}'", lambda x, a: x + a, "{x} followed by '{a}'", "{x}后面加 '{a}' ", tuple("!?.s")),
}
"""Of words."""

CHARACTER_TESTS = {
    "letter": Piece("{x}.isalpha()", lambda x, _: x.isalpha(), "are letters", "是字母"),
    "digit": Piece("{x}.isdigit()", lambda x, _: x.isdigit(), "are digits", "是数字"),
    "upper": Piece("{x}.isupper()", lambda x, _: x.isupper(), "are upper case letters", "是大写字母"),
    "lower": Piece("{x}.islower()", lambda x, _: x.islower(), "are lower case letters", "是小写字母"),
    "vowel": Piece("{x} in 'aeiou'", lambda x, _: x in "aeiou", "are one of 'aeiou'", "属于 'aeiou' "),
    "novowel": Piece("{x} not in 'aeiou'", lambda x, _: x not in "aeiou", "are none of 'aeiou'", "不属于 'aeiou' "),
    "space": Piece("{x} != ' '", lambda x, _: x != " ", "are not spaces", "不是空格"),
    "alnum": Piece("{x}.isalnum()", lambda x, _: x.isalnum(), "are letters or digits", "是字母或数字"),
}
"""Of characters."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A piece with its constant filled in."""

    piece: Piece
    """What it is."""
    constant: str
    """Its constant; empty: none."""

    def code(self, name: str) -> str:
        """As Python, of the variable ``name``."""
        return self.piece.code.format(x=name, a=self.constant)

    def run(self, value: Any) -> Any:
        """What it gives for a value."""
        constant = int(self.constant) if self.constant.isdigit() else self.constant
        return self.piece.run(value, constant)

    def words(self, language: str, name: str = "") -> str:
        """Its words, of the thing called ``name``."""
        text = self.piece.en if language == "en" else self.piece.zh
        return text.format(x=name, a=self.constant)


def read(pieces: dict[str, Piece], spelling: str) -> Reading:
    """Find a piece by its spelling.

    >>> read(TESTS, "gt 3").code("x")
    'x > 3'
    """
    name, _, constant = spelling.partition(" ")
    return Reading(pieces[name], constant)


def groups_of(pieces: dict[str, Piece]) -> tuple[tuple[str, ...], ...]:
    """All spellings, those with the same name together."""
    return tuple(
        tuple(f"{name} {constant}" for constant in piece.constants) if piece.constants else (name,)
        for name, piece in pieces.items()
    )
