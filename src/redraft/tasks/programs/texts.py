"""Operations on texts."""

from redraft.tasks.programs.expressions import CHARACTER_TESTS
from redraft.tasks.programs.operations import Operation, operations_on

__all__ = ["TEXTS"]

_FEW = ("2", "3", "4", "5")
_LETTERS = tuple("aeimnorst")
_PAIRS = ("!", "*", "'", "#")

_DOUBLED = "$ = ''\nfor c in @:\n    $ += c\n    if {0}:\n        $ += c"

_of = operations_on("text")

TEXTS: tuple[Operation, ...] = (
    _of(
        *("keep", "text", "value", "''.join(c for c in @ if {0})", lambda s, p: "".join(c for c in s if p(c))),
        CHARACTER_TESTS,
        variable="c",
    ),
    _of("upper", "text", "value", "@.upper()", str.upper),
    _of("lower", "text", "value", "@.lower()", str.lower),
    _of("title", "text", "value", "@.title()", str.title),
    _of("swap", "text", "value", "@.swapcase()", str.swapcase),
    _of("reverse", "text", "value", "@[::-1]", lambda s: s[::-1]),
    _of("replace", "text", "value", "@.replace('{0}', '{1}')", str.replace, _LETTERS, ("-", "_", "x", "")),
    _of("first", "text", "value", "@[:{0}]", lambda s, k: s[:k], _FEW),
    _of("last", "text", "value", "@[-{0}:]", lambda s, k: s[-k:], _FEW),
    _of("every", "text", "value", "@[::{0}]", lambda s, k: s[::k], _FEW[:2]),
    _of("repeat", "text", "value", "@ * {0}", lambda s, k: s * k, _FEW[:2]),
    _of("squeeze", "text", "value", "' '.join(@.split())", lambda s: " ".join(s.split())),
    _of("turn", "text", "value", "' '.join(@.split()[::-1])", lambda s: " ".join(s.split()[::-1])),
    _of(
        *("double", "text", "lines", _DOUBLED, lambda s, p: "".join(c * 2 if p(c) else c for c in s)),
        CHARACTER_TESTS,
        variable="c",
    ),
    _of("split", "words", "value", "@.split()", str.split),
    _of("characters", "words", "value", "list(@)", list),
    _of("count", "number", "value", "len(@)", len),
    _of("letter", "number", "value", "@.count('{0}')", str.count, _LETTERS),
    _of(
        *("how", "number", "value", "sum(1 for c in @ if {0})", lambda s, p: sum(1 for c in s if p(c))),
        CHARACTER_TESTS,
        variable="c",
    ),
    _of("numwords", "number", "value", "len(@.split())", lambda s: len(s.split())),
    _of("kinds", "number", "value", "len(set(@))", lambda s: len(set(s))),
    _of("mirror", "flag", "value", "@ == @[::-1]", lambda s: s == s[::-1]),
    _of("contains", "flag", "value", "'{0}' in @", lambda s, c: c in s, _LETTERS),
    _of("starts", "flag", "value", "@.startswith('{0}')", str.startswith, _LETTERS),
    _of("any", "flag", "value", "any({0} for c in @)", lambda s, p: any(map(p, s)), CHARACTER_TESTS, variable="c"),
    _of("all", "flag", "value", "all({0} for c in @)", lambda s, p: all(map(p, s)), CHARACTER_TESTS, variable="c"),
    _of(
        *("tally", "counts", "lines", "$ = {}\nfor c in @:\n    $[c] = $.get(c, 0) + 1"),
        lambda s: {c: s.count(c) for c in s},
    ),
)
"""In the order of what comes out."""
