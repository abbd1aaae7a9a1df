"""Operations on a whole number."""

from collections.abc import Callable

from redraft.tasks.programs.expressions import CHANGES, TESTS
from redraft.tasks.programs.operations import Operation, operations_on

__all__ = ["NUMBERS"]

_FEW = ("2", "3", "4", "5")

_SUM = "$ = 0\nfor i in range(1, @ + 1):\n    if {0}:\n        $ += {1}"
_HALVES = "$ = []\nwhile @ > 0:\n    $.append(@)\n    @ //= {0}"
_STEPS = "$ = 0\nwhile @ > 1:\n    @ = @ // 2 if @ % 2 == 0 else @ * 3 + 1\n    $ += 1"
_TIMES = "for _ in range({0}):\n    @ = @ * {1} + {2}"
_TABLE = "{i: {0} for i in range(1, @ + 1)}"


def _halves(number: int, divisor: int) -> list[int]:
    halves = []
    while number > 0:
        halves.append(number)
        number //= divisor
    return halves


def _steps(number: int) -> int:
    steps = 0
    while number > 1:
        number = number // 2 if number % 2 == 0 else number * 3 + 1
        steps += 1
    return steps


def _repeated(number: int, times: int, factor: int, more: int) -> int:
    for _ in range(times):
        number = number * factor + more
    return number


def _sum(number: int, test: Callable[[int], bool], change: Callable[[int], int]) -> int:
    return sum(change(i) for i in range(1, number + 1) if test(i))


def _factorial(number: int) -> int:
    product = 1
    for i in range(2, number + 1):
        product *= i
    return product


_of = operations_on("number")

NUMBERS: tuple[Operation, ...] = (
    _of("map", "number", "value", "{0}", lambda n, m: m(n), CHANGES, variable="@"),
    _of(
        *("mapif", "number", "value", "{1} if {0} else {2}", lambda n, p, m, o: m(n) if p(n) else o(n)),
        *(TESTS, CHANGES, CHANGES),
        variable="@",
    ),
    _of("digits", "number", "value", "sum(int(c) for c in str(abs(@)))", lambda n: sum(map(int, str(abs(n))))),
    _of("flip", "number", "value", "int(str(abs(@))[::-1])", lambda n: int(str(abs(n))[::-1])),
    _of("repeat", "number", "lines", _TIMES, _repeated, _FEW[:3], _FEW[:2], ("1", *_FEW)),
    _of("sum", "number", "lines", _SUM, _sum, TESTS, CHANGES, variable="i", is_first=True),
    _of(*("factorial", "number", "lines", "$ = 1\nfor i in range(2, @ + 1):\n    $ *= i", _factorial), is_first=True),
    _of("steps", "number", "lines", _STEPS, _steps, is_first=True),
    _of("upto", "ints", "value", "list(range(1, @ + 1))", lambda n: list(range(1, n + 1)), is_first=True),
    _of("below", "ints", "value", "list(range(0, @, {0}))", lambda n, k: list(range(0, n, k)), _FEW, is_first=True),
    _of(
        *("divisors", "ints", "value", "[i for i in range(1, @ + 1) if @ % i == 0]"),
        lambda n: [i for i in range(1, n + 1) if n % i == 0],
        is_first=True,
    ),
    _of("digit", "ints", "value", "[int(c) for c in str(abs(@))]", lambda n: [int(c) for c in str(abs(n))]),
    _of(
        "multiples",
        "ints",
        "value",
        "[@ * i for i in range(1, {0})]",
        lambda n, k: [n * i for i in range(1, k)],
        (*_FEW[1:], "6"),
    ),
    _of("halves", "ints", "lines", _HALVES, _halves, _FEW[:2]),
    _of("string", "text", "value", "str(@)", str),
    _of("binary", "text", "value", "bin(abs(@))[2:]", lambda n: f"{abs(n):b}"),
    _of("is", "flag", "value", "{0}", lambda n, p: p(n), TESTS, variable="@"),
    _of(
        *("prime", "flag", "value", "@ > 1 and all(@ % i for i in range(2, @))"),
        lambda n: n > 1 and all(n % i for i in range(2, n)),
        is_first=True,
    ),
    _of(
        *("table", "table", "value", _TABLE, lambda n, m: {i: m(i) for i in range(1, n + 1)}, CHANGES),
        variable="i",
        is_first=True,
    ),
)
"""In the order of what comes out."""
