"""Plain values as text and back: the same text for the same value and type, and for no other.

Used on both sides of the sandbox, so it needs nothing but the standard library. Dicts and sets are written in a fixed
order, as their order is no part of what they equal; `True`, `1` and `1.0` are three values.
"""

import json
from typing import Any

__all__ = ["decoded", "spelled"]

MAX_DEPTH = 16
"""Deepest nesting of a value."""


def spelled(value: object, *, keeps_order: bool = False) -> str:
    """The one spelling of a value.

    >>> spelled({2: (True, 1.0)}) == spelled({2: (1, 1.0)})
    False
    >>> decoded(spelled([{"a"}, (None, -3)]))
    [{'a'}, (None, -3)]

    Args:
        value: None, a bool, int, float or str, or a list, tuple, set or dict of such values; no subclass of these.
        keeps_order: Leave dicts in the order they have: arguments, of which order may be a part.

    Returns:
        JSON text.

    Raises:
        ValueError: It is something else.
    """
    return json.dumps(_tagged(value, MAX_DEPTH, keeps_order), ensure_ascii=True, separators=(",", ":"))


def decoded(text: str) -> Any:
    """The value that was spelled."""
    return _untagged(json.loads(text))


def _tagged(value: object, depth: int, keeps_order: bool) -> object:
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if depth == 0:
        raise ValueError("a value is nested too deeply")
    if isinstance(value, list | tuple) and kind in (list, tuple):
        return [kind.__name__, *(_tagged(item, depth - 1, keeps_order) for item in value)]
    if isinstance(value, set) and kind is set:
        return ["set", *sorted((_tagged(item, depth - 1, keeps_order) for item in value), key=json.dumps)]
    if isinstance(value, dict) and kind is dict:
        pairs = (
            [_tagged(key, depth - 1, keeps_order), _tagged(item, depth - 1, keeps_order)] for key, item in value.items()
        )
        return ["dict", *(pairs if keeps_order else sorted(pairs, key=json.dumps))]
    raise ValueError(f"{kind.__name__} is no plain value")


def _untagged(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    name, items = value[0], value[1:]
    if name == "dict":
        return {_untagged(key): _untagged(item) for key, item in items}
    parts = [_untagged(item) for item in items]
    return parts if name == "list" else tuple(parts) if name == "tuple" else set(parts)
