"""The world in which a chat template runs: a few methods, filters and functions, each of which asks the budget first.

Jinja's own sandbox keeps a template away from Python's insides. It does not keep it from filling the memory or running
for ever, and it lets every public method of every object be called; that is what is added here.

This module needs Jinja; ``template`` imports it when there is a template.
"""

import json
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sized
from datetime import datetime
from functools import cache, wraps
from itertools import islice
from typing import Any

from jinja2 import Environment, Undefined, pass_context
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from redraft.errors import PromptError
from redraft.text.budget import MAX_CHARS, MAX_ITEMS, Budget, budget_of_run, refusal

__all__ = ["make_environment"]

_MAX_POWER = 64
_MAX_INDENT = 16
_MAX_COMPLAINT_CHARS = 300


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_METHODS: Mapping[type, frozenset[str]] = {
    str: _words(
        "strip lstrip rstrip split rsplit splitlines startswith endswith replace lower upper title capitalize find "
        "rfind index count join removeprefix removesuffix isdigit isalpha isspace"
    ),
    dict: _words("items keys values get"),
    list: _words("index count"),
    tuple: _words("index count"),
}
"""Methods that may be called. None changes anything, and those that can make a long text are measured before."""

_LOOP = _words("index index0 revindex revindex0 first last length previtem nextitem depth depth0")

_TESTS = _words(
    "boolean defined divisibleby eq equalto == even false float ge >= greaterthan gt > in integer iterable le <= "
    "lessthan lower lt < mapping ne != none number odd sequence string true undefined upper"
)

_FILTERS = _words(
    "abs capitalize count d default dictsort first float int items last length list lower map max min reject "
    "rejectattr reverse round select selectattr sort string sum title trim unique upper"
)
"""Jinja's own filters that make nothing much larger than what they get."""

_OVER_ITEMS = _words("dictsort items join list map max min reject rejectattr select selectattr sort sum unique")
"""Filters that go through a text letter by letter, in which case it must be as short as a list."""

_AS_TEXT = _words("string tojson safe e escape")
"""Filters that write a whole value out."""


_COMPILED = ("passes", "spend", "measured", "joined", "sliced")


class _Operations:
    """What the compiler puts in the place of loops, lists, ``~`` and slices."""

    def passes(self, iterable: Any, weight: int) -> list[Any]:
        """Return the items of a loop after the budget has been charged for all its passes."""
        items = list(islice(iter(iterable), MAX_ITEMS + 1))
        if len(items) > MAX_ITEMS:
            raise refusal(f"loops over more than {MAX_ITEMS} items")
        budget_of_run.get().spend(weight * len(items))
        return items

    def spend(self, steps: int) -> str:
        """Take steps; writes nothing."""
        budget_of_run.get().spend(steps)
        return ""

    def measured(self, value: Any) -> Any:
        """Return a list or dictionary that was just made; ``call`` measures it."""
        return value

    def joined(self, *values: Any) -> str:
        """Return ``a ~ b``."""
        return _concatenated([str(_written(value)) for value in values])

    def sliced(self, value: Any, start: Any, stop: Any, step: Any) -> Any:
        """Return ``value[start:stop:step]``."""
        if not isinstance(value, str | list | tuple):
            raise TypeError(f"a {type(value).__name__} can't be sliced")
        return value[start:stop:step]


def _concatenated(pieces: Iterable[str]) -> str:
    kept = list(pieces)
    budget_of_run.get().spend_chars(sum(map(len, kept)))
    return "".join(kept)


def _written(value: Any) -> Any:
    """Return a value in a form that is written as text; what has no such form is refused, not shown."""
    if value is None or isinstance(value, str | int | float | Undefined):
        return value
    if isinstance(value, list | tuple | dict):
        return str(_plain(value))
    raise TypeError(f"a {type(value).__name__} can't be written")


def _plain(value: Any) -> Any:
    """Return a value of text, numbers, lists and dictionaries only; others print what is no business of a template."""
    if isinstance(value, list | tuple | dict):
        budget_of_run.get().take(value)
        for item in [*value, *value.values()] if isinstance(value, dict) else value:
            _plain(item)
    elif value is not None and not isinstance(value, str | int | float | Undefined):
        raise TypeError(f"a {type(value).__name__} can't be written")
    return value


def _foresee(budget: Budget, method: Any, arguments: tuple[Any, ...]) -> None:
    """Refuse a call whose result would be too long, before it is made."""
    owner, name = getattr(method, "__self__", None), getattr(method, "__name__", "")
    if isinstance(owner, str) and name == "replace" and len(arguments) >= 2:
        _foresee_replace(budget, owner, *arguments[:2])
    if isinstance(owner, str) and name == "join" and arguments:
        _foresee_join(budget, owner, arguments[0])


def _foresee_replace(budget: Budget, text: str, old: Any, new: Any) -> None:
    if isinstance(old, str) and isinstance(new, str):
        budget.foresee(len(text) + text.count(old) * max(0, len(new) - len(old)))


def _foresee_join(budget: Budget, separator: str, items: Any) -> None:
    """Every value was measured when it was made, so that only the separators are new."""
    if not isinstance(items, Sized):
        raise TypeError(f"a {type(items).__name__} can't be joined")
    budget.foresee(len(separator) * len(items))


_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}


def _operate(budget: Budget, sign: str, left: Any, right: Any) -> Any:
    """Compute a binary operation whose result can't be large."""
    if isinstance(left, int | float) and isinstance(right, int | float):
        if sign == "**" and abs(right) > _MAX_POWER:
            raise refusal("computes an absurd power")
        result = _OPERATORS[sign](left, right)
        if isinstance(result, complex) or (isinstance(result, float) and not math.isfinite(result)):
            raise refusal("computes a number that is none")
        return result
    if sign == "+" and isinstance(left, str) and isinstance(right, str):
        budget.foresee(len(left) + len(right))
        return left + right
    if sign == "+" and isinstance(left, list) and isinstance(right, list):
        return left + right
    if sign == "*":
        sequence, count = (left, right) if isinstance(right, int) else (right, left)
        if isinstance(sequence, str | list | tuple) and isinstance(count, int):
            if len(sequence) * max(count, 0) > (MAX_CHARS if isinstance(sequence, str) else MAX_ITEMS):
                raise refusal(f"repeats something {str(count)[:40]} times")
            return sequence * count
    raise TypeError(f"{sign} can't be applied to a {type(left).__name__} and a {type(right).__name__}")


def _bounded(name: str, filter_: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that spends from the budget and whose result is measured."""

    @wraps(filter_)  # keeps the marks by which Jinja knows what to pass
    def bounded(*args: Any, **kwargs: Any) -> Any:
        budget = budget_of_run.get()
        budget.spend()
        for value in args:
            if isinstance(value, str) and name in _OVER_ITEMS and len(value) > MAX_ITEMS:
                raise refusal(f"goes through a text of {len(value)} characters one by one")
            if name in _AS_TEXT and not isinstance(value, Environment | EvalContext | Context):
                _plain(value)
        result = filter_(*args, **kwargs)
        return budget.take(list(islice(result, MAX_ITEMS + 1)) if hasattr(result, "__next__") else result)

    return bounded


# -- filters and functions of our own ---------------------------------------------------------------------------------


def _own_filters() -> dict[str, Callable[..., Any]]:
    def replace(value: Any, old: str, new: str, count: int | None = None) -> str:
        _foresee_replace(budget_of_run.get(), str(value), old, new)
        return str(value).replace(old, new, -1 if count is None else count)

    def join(value: Iterable[Any], separator: str = "") -> str:
        items = [str(_written(item)) for item in islice(value, MAX_ITEMS)]
        _foresee_join(budget_of_run.get(), separator, items)
        return separator.join(items)

    def to_json(value: Any, ensure_ascii: bool = False, indent: int | None = None, sort_keys: bool = False) -> str:
        if indent is not None and not 0 <= indent <= _MAX_INDENT:
            raise TypeError(f"indent must be in 0 to {_MAX_INDENT}")
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, sort_keys=sort_keys)

    def indent(value: str, width: int = 4, first: bool = False, blank: bool = False) -> str:
        if not 0 <= width <= _MAX_INDENT:
            raise TypeError(f"width must be in 0 to {_MAX_INDENT}")
        lines = value.split("\n")
        budget_of_run.get().foresee(len(value) + width * len(lines))
        first_line = " " * width * bool(first) + lines[0]
        return "\n".join([first_line, *(" " * width + line if line or blank else line for line in lines[1:])])

    plain = {"safe": str, "e": str, "escape": str}
    return {"replace": replace, "join": join, "tojson": to_json, "indent": indent, **plain}


_DATE = re.compile(r"(?:[^%]|%-?[aAbBdHIjmMpSUwWyY%])*")


def _own_functions() -> dict[str, Callable[..., Any]]:
    def bounded_range(*bounds: int) -> list[int]:
        if len(range(*bounds)) > MAX_ITEMS:
            raise refusal(f"asks for a range of more than {MAX_ITEMS} numbers")
        return list(range(*bounds))

    def make_dict(*pairs: Any, **entries: Any) -> dict[Any, Any]:
        return dict(*pairs, **entries)

    def raise_exception(message: Any = "") -> None:
        reason = " ".join(str(message)[:_MAX_COMPLAINT_CHARS].split())
        raise PromptError(f"the model's chat template refuses this conversation: {reason}")

    def strftime_now(layout: str) -> str:
        if len(layout) > 64 or not _DATE.fullmatch(layout):
            raise TypeError("this layout of a date is not supported")
        return datetime.now().strftime(layout)

    return {
        "range": bounded_range,
        "dict": make_dict,
        "raise_exception": raise_exception,
        "strftime_now": strftime_now,
    }


# -- the environment -------------------------------------------------------------------------------------------------


class _Generation(Extension):
    """``{% generation %}``, which marks the assistant's words for training; here it means nothing."""

    tags = frozenset(("generation",))  # pyright: ignore[reportAssignmentType]

    def parse(self, parser: Any) -> Any:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Narrowed(ImmutableSandboxedEnvironment, _Operations):
    """Jinja's sandbox, narrowed."""

    intercepted_binops = frozenset(_OPERATORS)
    concat = staticmethod(_concatenated)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, LoopContext):
            return attr in _LOOP
        return (isinstance(obj, Namespace) and not attr.startswith("_")) or attr in _METHODS.get(type(obj), ())

    def is_safe_callable(self, obj: Any) -> bool:
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        if isinstance(obj, Macro) or any(obj is known for known in self.globals.values()):
            return True
        return name in (_COMPILED if owner is self else _METHODS.get(type(owner), ()))

    def unsafe_undefined(self, obj: Any, attribute: str) -> Any:  # at once, not when it is used
        raise SecurityError(f"{attribute[:80]!r} of a {type(obj).__name__} is out of bounds")

    def wrap_str_format(self, value: Any) -> None:  # str.format is not among the methods
        return None

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        budget = budget_of_run.get()
        budget.spend()
        if not __self.is_safe_callable(__obj):
            raise TypeError(f"{str(getattr(__obj, '__name__', type(__obj).__name__))[:80]!r} can't be called here")
        _foresee(budget, __obj, args)
        result = __context.call(__obj, *args, **kwargs)
        # What a loop goes through was measured when it was made.
        return result if __obj == __self.passes else budget.take(result)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        budget = budget_of_run.get()
        budget.spend()
        return budget.take(_operate(budget, operator, left, right))


@pass_context
def _finalize(context: Any, value: Any) -> Any:
    """Say how a value is written. It asks for the context so that Jinja writes nothing ahead of time."""
    budget_of_run.get().spend()
    return _written(value)


@cache
def make_environment() -> Environment:
    """Return the environment in which all templates are compiled and run; it holds no state of theirs."""
    environment = _Narrowed(
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
        extensions=[_Generation, loopcontrols],
        optimized=False,
    )
    kept = {name: environment.filters[name] for name in _FILTERS}
    environment.filters = {name: _bounded(name, filter_) for name, filter_ in (kept | _own_filters()).items()}
    environment.tests = {name: environment.tests[name] for name in _TESTS}
    environment.globals.clear()
    environment.globals |= {"namespace": Namespace, **_own_functions()}
    return environment
