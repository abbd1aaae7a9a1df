"""The world in which a chat template runs: a few methods, filters and functions, each of which asks the budget first.

Jinja's own sandbox keeps a template away from Python's insides. It does not keep it from filling the memory or running
for ever, and it lets every public method of every object be called; that is what is added here.

This module needs Jinja; ``template`` imports it when there is a template.
"""

from collections.abc import Callable, Mapping
from functools import cache, wraps
from itertools import islice
from typing import Any

from jinja2 import Environment, pass_context
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from redraft.text.budget import MAX_ITEMS, budget_of_run, refusal
from redraft.text.template_functions import own_filters, own_functions
from redraft.text.template_operations import OPERATORS, concatenated, foresee, operate, plain, written

__all__ = ["make_environment"]


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
        return concatenated([str(written(value)) for value in values])

    def sliced(self, value: Any, start: Any, stop: Any, step: Any) -> Any:
        """Return ``value[start:stop:step]``."""
        if not isinstance(value, str | list | tuple):
            raise TypeError(f"a {type(value).__name__} can't be sliced")
        return value[start:stop:step]


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
                plain(value)
        result = filter_(*args, **kwargs)
        return budget.take(list(islice(result, MAX_ITEMS + 1)) if hasattr(result, "__next__") else result)

    return bounded


class _Generation(Extension):
    """``{% generation %}``, which marks the assistant's words for training; here it means nothing."""

    tags = frozenset(("generation",))  # pyright: ignore[reportAssignmentType]

    def parse(self, parser: Any) -> Any:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Narrowed(ImmutableSandboxedEnvironment, _Operations):
    """Jinja's sandbox, narrowed."""

    intercepted_binops = frozenset(OPERATORS)
    concat = staticmethod(concatenated)

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
        foresee(budget, __obj, args)
        result = __context.call(__obj, *args, **kwargs)
        # What a loop goes through was measured when it was made.
        return result if __obj == __self.passes else budget.take(result)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        budget = budget_of_run.get()
        budget.spend()
        return budget.take(operate(budget, operator, left, right))


@pass_context
def _finalize(context: Any, value: Any) -> Any:
    """Say how a value is written. It asks for the context so that Jinja writes nothing ahead of time."""
    budget_of_run.get().spend()
    return written(value)


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
    environment.filters = {name: _bounded(name, filter_) for name, filter_ in (kept | own_filters()).items()}
    environment.tests = {name: environment.tests[name] for name in _TESTS}
    environment.globals.clear()
    environment.globals |= {"namespace": Namespace, **own_functions()}
    return environment
