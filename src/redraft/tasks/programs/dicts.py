"""Operations on dicts from words to whole numbers."""

from typing import Any

from redraft.tasks.programs.expressions import CHANGES, TESTS
from redraft.tasks.programs.operations import Operation, operations_on

__all__ = ["DICTS"]

_KEYS = ("ant", "box", "cat", "dog", "egg", "fig")

_RAISE = "$ = dict(@)\n$['{0}'] = $.get('{0}', 0) + {1}"

_of = operations_on("counts")
_V: dict[str, Any] = {"variable": "v"}

DICTS: tuple[Operation, ...] = (
    _of(
        *("keep", "counts", "value", "{k: v for k, v in @.items() if {0}}"),
        *(lambda d, p: {k: v for k, v in d.items() if p(v)}, TESTS),
        **_V,
    ),
    _of(
        *("map", "counts", "value", "{k: {0} for k, v in @.items()}"),
        *(lambda d, m: {k: m(v) for k, v in d.items()}, CHANGES),
        **_V,
    ),
    _of(
        *("mapif", "counts", "value", "{k: {1} if {0} else {2} for k, v in @.items()}"),
        *(lambda d, p, m, o: {k: m(v) if p(v) else o(v) for k, v in d.items()}, TESTS, CHANGES, CHANGES),
        **_V,
    ),
    _of(
        *("more", "counts", "lines", _RAISE, lambda d, k, n: {**d, k: d.get(k, 0) + n}),
        *(_KEYS, ("1", "2", "5", "10")),
    ),
    _of("keys", "words", "value", "sorted(@)", sorted),
    _of("best", "words", "value", "sorted(@, key=@.get, reverse=True)", lambda d: sorted(d, key=d.get, reverse=True)),
    _of(
        *("which", "words", "value", "[k for k, v in @.items() if {0}]"),
        *(lambda d, p: [k for k, v in d.items() if p(v)], TESTS),
        **_V,
    ),
    _of("values", "ints", "value", "list(@.values())", lambda d: list(d.values())),
    _of("sorted", "ints", "value", "sorted(@.values())", lambda d: sorted(d.values())),
    _of("top", "text", "value", "max(@, key=@.get, default='')", lambda d: max(d, key=d.get, default="")),
    _of("bottom", "text", "value", "min(@, key=@.get, default='')", lambda d: min(d, key=d.get, default="")),
    _of("sum", "number", "value", "sum(@.values())", lambda d: sum(d.values())),
    _of("max", "number", "value", "max(@.values(), default=0)", lambda d: max(d.values(), default=0)),
    _of("get", "number", "value", "@.get('{0}', {1})", lambda d, k, n: d.get(k, n), _KEYS, ("0", "-1", "1")),
    _of(
        *("how", "number", "value", "sum(1 for v in @.values() if {0})"),
        *(lambda d, p: sum(1 for v in d.values() if p(v)), TESTS),
        **_V,
    ),
    _of("contains", "flag", "value", "'{0}' in @", lambda d, k: k in d, _KEYS),
    _of("all", "flag", "value", "all({0} for v in @.values())", lambda d, p: all(map(p, d.values())), TESTS, **_V),
    _of("invert", "table", "value", "{v: k for k, v in @.items()}", lambda d: {v: k for k, v in d.items()}),
    _of(
        *("groups", "table", "lines", "$ = {}\nfor k, v in @.items():\n    $.setdefault(v, []).append(k)"),
        lambda d: {v: [k for k in d if d[k] == v] for v in d.values()},
    ),
)
"""In the order of what comes out."""
