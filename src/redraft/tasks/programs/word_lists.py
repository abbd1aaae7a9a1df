"""Operations on lists of words."""

from collections.abc import Callable
from typing import Any

from redraft.tasks.programs.expressions import WORD_CHANGES, WORD_TESTS
from redraft.tasks.programs.operations import Operation, operations_on

__all__ = ["WORD_LISTS"]

_FEW = ("2", "3", "4")
_LETTERS = tuple("aeimnorst")
_SEPARATORS = ("", " ", "-", "_", "+")

_GROUPS = "$ = {}\nfor w in @:\n    $.setdefault({0}, []).append(w)"


def _groups(words: list[str], trait: Callable[[str], Any]) -> dict[Any, list[str]]:
    groups: dict[Any, list[str]] = {}
    for word in words:
        groups.setdefault(trait(word), []).append(word)
    return groups


_of = operations_on("words")
_W: dict[str, Any] = {"variable": "w"}

WORD_LISTS: tuple[Operation, ...] = (
    _of("keep", "words", "keep", "{0}", lambda v, p: [w for w in v if p(w)], WORD_TESTS, **_W),
    _of("map", "words", "map", "{0}", lambda v, m: [m(w) for w in v], WORD_CHANGES, **_W),
    _of(
        *("mapif", "words", "map", "{1} if {0} else {2}", lambda v, p, m, o: [m(w) if p(w) else o(w) for w in v]),
        *(WORD_TESTS, WORD_CHANGES, WORD_CHANGES),
        **_W,
    ),
    _of("up", "words", "iterable", "sorted(@)", sorted),
    _of("down", "words", "iterable", "sorted(@, reverse=True)", lambda v: sorted(v, reverse=True)),
    _of("bylength", "words", "iterable", "sorted(@, key=len)", lambda v: sorted(v, key=len)),
    _of("reverse", "words", "value", "@[::-1]", lambda v: v[::-1]),
    _of("first", "words", "value", "@[:{0}]", lambda v, k: v[:k], _FEW),
    _of("last", "words", "value", "@[-{0}:]", lambda v, k: v[-k:], _FEW),
    _of("unique", "words", "iterable", "list(dict.fromkeys(@))", lambda v: list(dict.fromkeys(v))),
    _of("lengths", "ints", "map", "len(w)", lambda v: [len(w) for w in v], **_W),
    _of("letters", "ints", "map", "w.count('{0}')", lambda v, c: [w.count(c) for w in v], _LETTERS, **_W),
    _of("join", "text", "iterable", "'{0}'.join(@)", lambda v, s: s.join(v), _SEPARATORS),
    _of("initials", "text", "value", "''.join(w[:1] for w in @)", lambda v: "".join(w[:1] for w in v)),
    _of("longest", "text", "iterable", "max(@, key=len, default='')", lambda v: max(v, key=len, default="")),
    _of("shortest", "text", "iterable", "min(@, key=len, default='')", lambda v: min(v, key=len, default="")),
    _of("least", "text", "iterable", "min(@, default='')", lambda v: min(v, default="")),
    _of("count", "number", "value", "len(@)", len),
    _of("total", "number", "value", "sum(len(w) for w in @)", lambda v: sum(map(len, v))),
    _of("any", "flag", "value", "any({0} for w in @)", lambda v, p: any(p(w) for w in v), WORD_TESTS, **_W),
    _of("all", "flag", "value", "all({0} for w in @)", lambda v, p: all(p(w) for w in v), WORD_TESTS, **_W),
    _of("sizes", "counts", "value", "{w: len(w) for w in @}", lambda v: {w: len(w) for w in v}),
    _of("places", "counts", "value", "{w: i for i, w in enumerate(@)}", lambda v: {w: i for i, w in enumerate(v)}),
    _of(
        *("tally", "counts", "lines", "$ = {}\nfor w in @:\n    $[w] = $.get(w, 0) + 1"),
        lambda v: {w: v.count(w) for w in v},
    ),
    _of("bysize", "table", "lines", _GROUPS.replace("{0}", "len(w)"), lambda v: _groups(v, len)),
    _of("byletter", "table", "lines", _GROUPS.replace("{0}", "w[:1]"), lambda v: _groups(v, lambda w: w[:1])),
)
"""In the order of what comes out."""
