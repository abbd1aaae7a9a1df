"""Filters and functions of chat templates that Jinja has not, or has without bounds."""

import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice
from typing import Any

from redraft.errors import PromptError
from redraft.text.budget import MAX_ITEMS, budget_of_run, refusal
from redraft.text.template_operations import foresee_join, foresee_replace, written

__all__ = ["own_filters", "own_functions"]

_MAX_INDENT = 16
_MAX_COMPLAINT_CHARS = 300


def own_filters() -> dict[str, Callable[..., Any]]:
    """Return the filters by name."""

    def replace(value: Any, old: str, new: str, count: int | None = None) -> str:
        foresee_replace(budget_of_run.get(), str(value), old, new)
        return str(value).replace(old, new, -1 if count is None else count)

    def join(value: Iterable[Any], separator: str = "") -> str:
        items = [str(written(item)) for item in islice(value, MAX_ITEMS)]
        foresee_join(budget_of_run.get(), separator, items)
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


def own_functions() -> dict[str, Callable[..., Any]]:
    """Return the functions by name."""

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
