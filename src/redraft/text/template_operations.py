"""What a template does to values, computed only when the result can't be large: joining, repeating, arithmetic."""

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sized
from typing import Any

from jinja2 import Undefined

from redraft.text.budget import MAX_CHARS, MAX_ITEMS, Budget, budget_of_run, refusal

__all__ = [
    "OPERATORS",
    "concatenated",
    "foresee",
    "foresee_join",
    "foresee_replace",
    "operate",
    "plain",
    "written",
]

_MAX_POWER = 64


def concatenated(pieces: Iterable[str]) -> str:
    """Return the pieces as one text."""
    kept = list(pieces)
    budget_of_run.get().spend_chars(sum(map(len, kept)))
    return "".join(kept)


def written(value: Any) -> Any:
    """Return a value in a form that is written as text; what has no such form is refused, not shown."""
    if value is None or isinstance(value, str | int | float | Undefined):
        return value
    if isinstance(value, list | tuple | dict):
        return str(plain(value))
    raise TypeError(f"a {type(value).__name__} can't be written")


def plain(value: Any) -> Any:
    """Return a value of text, numbers, lists and dictionaries only; others print what is no business of a template."""
    if isinstance(value, list | tuple | dict):
        budget_of_run.get().take(value)
        for item in [*value, *value.values()] if isinstance(value, dict) else value:
            plain(item)
    elif value is not None and not isinstance(value, str | int | float | Undefined):
        raise TypeError(f"a {type(value).__name__} can't be written")
    return value


def foresee(budget: Budget, method: Any, arguments: tuple[Any, ...]) -> None:
    """Refuse a call whose result would be too long, before it is made."""
    owner, name = getattr(method, "__self__", None), getattr(method, "__name__", "")
    if isinstance(owner, str) and name == "replace" and len(arguments) >= 2:
        foresee_replace(budget, owner, *arguments[:2])
    if isinstance(owner, str) and name == "join" and arguments:
        foresee_join(budget, owner, arguments[0])


def foresee_replace(budget: Budget, text: str, old: Any, new: Any) -> None:
    """Refuse a replacement whose result would be too long, before it is made."""
    if isinstance(old, str) and isinstance(new, str):
        budget.foresee(len(text) + text.count(old) * max(0, len(new) - len(old)))


def foresee_join(budget: Budget, separator: str, items: Any) -> None:
    """Every value was measured when it was made, so that only the separators are new."""
    if not isinstance(items, Sized):
        raise TypeError(f"a {type(items).__name__} can't be joined")
    budget.foresee(len(separator) * len(items))


OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}


def operate(budget: Budget, sign: str, left: Any, right: Any) -> Any:
    """Compute a binary operation whose result can't be large."""
    if isinstance(left, int | float) and isinstance(right, int | float):
        if sign == "**" and abs(right) > _MAX_POWER:
            raise refusal("computes an absurd power")
        result = OPERATORS[sign](left, right)
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
