"""Operations on lists of whole numbers."""

from collections.abc import Callable
from itertools import accumulate, pairwise, takewhile
from math import prod

from redraft.tasks.programs.expressions import CHANGES, TESTS
from redraft.tasks.programs.operations import Operation, operations_on

__all__ = ["NUMBER_LISTS"]

_FEW = ("2", "3", "4", "5")
_ANY = tuple(str(number) for number in range(2, 11))
_NONE = ("0", "-1")

_ALTERNATE = "$ = 0\nfor i, x in enumerate(@):\n    $ += x if i % 2 == 0 else -x"
_HORNER = "$ = {0}\nfor x in @:\n    $ = $ * {1} + x"
_SCORE = "$ = 0\nfor x in @:\n    if {0}:\n        $ += {1}\n    else:\n        $ -= {2}"
_LONGEST = "$ = run = 0\nfor x in @:\n    run = run + 1 if {0} else 0\n    $ = max($, run)"
_GROUPS = "$ = {}\nfor x in @:\n    $.setdefault(x % {0}, []).append(x)"


def _horner(values: list[int], start: int, factor: int) -> int:
    total = start
    for value in values:
        total = total * factor + value
    return total


def _longest(values: list[int], test: Callable[[int], bool]) -> int:
    best = run = 0
    for value in values:
        run = run + 1 if test(value) else 0
        best = max(best, run)
    return best


def _groups(values: list[int], size: int) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for value in values:
        groups.setdefault(value % size, []).append(value)
    return groups


_of = operations_on("ints")

NUMBER_LISTS: tuple[Operation, ...] = (
    _of("keep", "ints", "keep", "{0}", lambda v, p: [x for x in v if p(x)], TESTS),
    _of("map", "ints", "map", "{0}", lambda v, m: [m(x) for x in v], CHANGES),
    _of(
        *("mapif", "ints", "map", "{1} if {0} else {2}", lambda v, p, m, o: [m(x) if p(x) else o(x) for x in v]),
        *(TESTS, CHANGES, CHANGES),
    ),
    _of("up", "ints", "iterable", "sorted(@)", sorted),
    _of("down", "ints", "iterable", "sorted(@, reverse=True)", lambda v: sorted(v, reverse=True)),
    _of("reverse", "ints", "value", "@[::-1]", lambda v: v[::-1]),
    _of("first", "ints", "value", "@[:{0}]", lambda v, k: v[:k], _FEW),
    _of("last", "ints", "value", "@[-{0}:]", lambda v, k: v[-k:], _FEW),
    _of("skip", "ints", "value", "@[{0}:]", lambda v, k: v[k:], ("1", *_FEW)),
    _of("every", "ints", "value", "@[::{0}]", lambda v, k: v[::k], _FEW),
    _of("unique", "ints", "iterable", "list(dict.fromkeys(@))", lambda v: list(dict.fromkeys(v))),
    _of("gaps", "ints", "value", "[b - a for a, b in zip(@, @[1:])]", lambda v: [b - a for a, b in pairwise(v)]),
    _of(
        *("sums", "ints", "lines", "total = 0\n$ = []\nfor x in @:\n    total += x\n    $.append(total)"),
        lambda v: list(accumulate(v)),
    ),
    _of(
        *("while", "ints", "lines", "$ = []\nfor x in @:\n    if not ({0}):\n        break\n    $.append(x)"),
        *(lambda v, p: list(takewhile(p, v)), TESTS),
    ),
    _of("place", "ints", "value", "[i * x for i, x in enumerate(@)]", lambda v: [i * x for i, x in enumerate(v)]),
    _of("sum", "number", "iterable", "sum(@)", sum),
    _of("product", "number", "lines", "$ = 1\nfor x in @:\n    $ *= x", prod),
    _of("max", "number", "iterable", "max(@, default={0})", lambda v, k: max(v, default=k), _NONE),
    _of("min", "number", "iterable", "min(@, default={0})", lambda v, k: min(v, default=k), _NONE),
    _of("count", "number", "value", "len(@)", len),
    _of("kinds", "number", "iterable", "len(set(@))", lambda v: len(set(v))),
    _of("range", "number", "value", "max(@, default=0) - min(@, default=0)", lambda v: max(v) - min(v) if v else 0),
    _of(
        *("find", "number", "value", "next((x for x in @ if {0}), {1})"),
        *(lambda v, p, k: next((x for x in v if p(x)), k), TESTS, _NONE),
    ),
    _of("alternate", "number", "lines", _ALTERNATE, lambda v: sum(v[::2]) - sum(v[1::2])),
    _of("horner", "number", "lines", _HORNER, _horner, ("0", "1", "2"), ("2", "3", "10")),
    _of(
        *("score", "number", "lines", _SCORE, lambda v, p, m, k: sum(m(x) if p(x) else -k for x in v)),
        *(TESTS, CHANGES, ("1", *_FEW)),
    ),
    _of("longest", "number", "lines", _LONGEST, _longest, TESTS),
    _of("any", "flag", "value", "any({0} for x in @)", lambda v, p: any(p(x) for x in v), TESTS),
    _of("all", "flag", "value", "all({0} for x in @)", lambda v, p: all(p(x) for x in v), TESTS),
    _of("rising", "flag", "value", "@ == sorted(@)", lambda v: v == sorted(v)),
    _of("repeats", "flag", "value", "len(set(@)) < len(@)", lambda v: len(set(v)) < len(v)),
    _of("contains", "flag", "value", "{0} in @", lambda v, k: k in v, _ANY),
    _of("strings", "words", "map", "str(x)", lambda v: [str(x) for x in v]),
    _of(
        *("tally", "table", "lines", "$ = {}\nfor x in @:\n    $[x] = $.get(x, 0) + 1"),
        lambda v: {x: v.count(x) for x in v},
    ),
    _of("groups", "table", "lines", _GROUPS, _groups, _FEW),
)
"""In the order of what comes out."""
