"""Runs a page's script on its tree: an interpreter of `script_syntax`, with the little of a browser that pages need.

Nothing of the page is ever run as Python or by a browser. A name, a member or a call that is unknown is a fault.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from redraft.tasks.page.dom import Node, PageError, parse_page
from redraft.tasks.page.script_syntax import Tree, parse_script

__all__ = ["Runtime"]

_MAX_WORK = 4000
_MAX_CALLS = 20
_MAX_TEXT = 4000


@dataclass(frozen=True, eq=False)
class _Function:
    parameters: list[str]
    body: list[Tree]


@dataclass(frozen=True, eq=False)
class _Method:
    owner: Any
    name: str


@dataclass(frozen=True, eq=False)
class _Style:
    node: Node


class _Return(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__("return")
        self.value = value


@dataclass(eq=False)
class Runtime:
    """A page that has been loaded: its scripts have run, and its buttons can be pressed."""

    document: Node
    """The page."""
    names: dict[str, Any] = field(default_factory=dict)
    """What scripts have declared."""
    timers: list[tuple[Any, float]] = field(default_factory=list)
    """What is called again and again, and after how many milliseconds."""
    alerts: list[str] = field(default_factory=list)
    """What was shown in a box."""
    seconds: int = 0
    """What the clock shows beyond noon."""
    work: int = 0
    """Steps taken; there is a bound."""
    calls: int = 0
    """Functions running; there is a bound."""

    def load(self) -> None:
        """Run the scripts of the page in order."""
        for script in list(self.document.nodes("script")):
            if "src" in script.attributes:
                raise PageError("a script from elsewhere")
            self._run(parse_script(script.text))

    def click(self, node: Node) -> None:
        """Press a button."""
        if "onclick" in node.attributes:
            self.names["this"] = node
            self._run(parse_script(node.attributes["onclick"]))
        if "click" in node.handlers:
            self._call(node.handlers["click"], [])

    def tick(self) -> None:
        """Let one second go by."""
        self.seconds += 1
        for function, _ in list(self.timers):
            self._call(function, [])

    def _run(self, statements: list[Tree]) -> None:
        try:
            self._statements(statements)
        except _Return:
            return

    def _statements(self, statements: list[Tree]) -> None:
        # Functions may be called above the line that declares them.
        for statement in statements:
            if statement[0] == "let" and statement[2][0] == "function":
                self.names[statement[1]] = self._value(statement[2])
        for statement in statements:
            kind = statement[0]
            if kind == "let":
                self.names[statement[1]] = self._value(statement[2])
            elif kind == "if":
                self._statements(statement[2] if _truth(self._value(statement[1])) else statement[3])
            elif kind == "return":
                raise _Return(self._value(statement[1]))
            else:
                self._value(statement[1])

    def _value(self, tree: Tree) -> Any:
        self.work += 1
        if self.work > _MAX_WORK:
            raise PageError("script: too much work")
        return getattr(self, f"_{tree[0]}_")(*tree[1:])

    def _value_(self, value: Any) -> Any:
        return value

    def _name_(self, name: str) -> Any:
        if name in self.names:
            return self.names[name]
        if name in ("document", "window"):
            return self.document
        if name in ("setInterval", "alert", "Number", "parseInt", "parseFloat", "String"):
            return _Method(None, name)
        for node in self.document.nodes():
            if node.attributes.get("id") == name:
                return node
        raise PageError(f"script: there is no {name}")

    def _function_(self, parameters: list[str], body: list[Tree]) -> _Function:
        return _Function(parameters, body)

    def _choose_(self, condition: Tree, then: Tree, other: Tree) -> Any:
        return self._value(then if _truth(self._value(condition)) else other)

    def _unary_(self, sign: str, operand: Tree) -> Any:
        value = self._value(operand)
        return not _truth(value) if sign == "!" else _number(value) if sign == "+" else -_number(value)

    def _binary_(self, sign: str, left: Tree, right: Tree) -> Any:
        first = self._value(left)
        if sign in ("&&", "||"):
            return self._value(right) if _truth(first) == (sign == "&&") else first
        return _operated(sign, first, self._value(right))

    def _assign_(self, sign: str, target: Tree, operand: Tree) -> Any:
        value = self._value(operand)
        if sign:
            value = _operated(sign, self._value(target), value)
        self._store(target, value)
        return value

    def _step_(self, sign: str, target: Tree, is_first: bool) -> Any:
        before = _number(self._value(target))
        after = before + (1 if sign == "+" else -1)
        self._store(target, after)
        return after if is_first else before

    def _store(self, target: Tree, value: Any) -> None:
        if target[0] == "name":
            if target[1] not in self.names:
                raise PageError(f"script: {target[1]} isn't declared")
            self.names[target[1]] = value
        elif target[0] == "member":
            _set(self._value(target[1]), target[2], value)
        else:
            raise PageError("script: can't assign to that")

    def _member_(self, owner: Tree, name: str) -> Any:
        return _get(self._value(owner), name)

    def _new_(self, name: str) -> Any:
        if name != "Date":
            raise PageError(f"script: can't make a new {name}")
        return _Method(None, "Date")

    def _call_(self, function: Tree, arguments: list[Tree]) -> Any:
        return self._call(self._value(function), [self._value(argument) for argument in arguments])

    def _call(self, function: Any, arguments: list[Any]) -> Any:
        if isinstance(function, _Function):
            self.calls += 1
            if self.calls > _MAX_CALLS:
                raise PageError("script: functions call each other too deeply")
            self.names.update(zip(function.parameters, [*arguments, *[None] * 8], strict=False))
            try:
                self._statements(function.body)
            except _Return as result:
                return result.value
            finally:
                self.calls -= 1
            return None
        if isinstance(function, _Method):
            return self._method(function.owner, function.name, arguments)
        raise PageError("script: that can't be called")

    def _method(self, owner: Any, name: str, arguments: list[Any]) -> Any:
        first = arguments[0] if arguments else None
        if owner is None and name == "setInterval" and len(arguments) == 2:
            self.timers.append((first, _number(arguments[1])))
        elif owner is None and name == "alert":
            self.alerts.append(_text(first))
        elif owner is None and name in ("Number", "parseInt", "parseFloat"):
            return _number(first)
        elif owner is None and name == "String":
            return _text(first)
        elif isinstance(owner, _Method) and owner.name == "Date" and name == "toLocaleTimeString":
            return f"12:{self.seconds // 60:02}:{self.seconds % 60:02}"
        elif isinstance(owner, Node):
            return self._node_method(owner, name, first, arguments)
        elif isinstance(owner, str) and name == "trim":
            return owner.strip()
        else:
            raise PageError(f"script: there is no {name}()")
        return None

    def _node_method(self, owner: Node, name: str, first: Any, arguments: list[Any]) -> Any:
        if name == "getElementById":
            return next((node for node in owner.nodes() if node.attributes.get("id") == first), None)
        if name == "querySelector" and isinstance(first, str):
            wanted = first.removeprefix("#")
            by_id = first.startswith("#")
            found = (n for n in owner.nodes() if (n.attributes.get("id") if by_id else n.tag) == wanted)
            return next(found, None)
        if name == "createElement" and isinstance(first, str) and re.fullmatch("[a-z][a-z0-9]*", first):
            return Node(first)
        if name in ("append", "appendChild") and isinstance(first, Node | str) and first is not owner:
            owner.children.append(first)
            return first
        if name == "addEventListener" and len(arguments) == 2 and isinstance(first, str):
            owner.handlers[first] = arguments[1]
            return None
        raise PageError(f"script: there is no {name}()")


def _get(owner: Any, name: str) -> Any:
    if isinstance(owner, _Style):
        return _styles(owner.node).get(_dashed(name), "")
    if isinstance(owner, Node):
        plain = {"textContent": owner.text, "innerText": owner.text, "innerHTML": owner.inner}
        if name in plain:
            return plain[name]
        if name in ("hidden", "checked", "disabled"):
            return name in owner.attributes
        if name in ("value", "id"):
            return owner.attributes.get(name, "")
        if name == "style":
            return _Style(owner)
        if name == "body" and owner.tag == "#document":
            return next(owner.nodes("body"), owner)
        return _Method(owner, name)
    if isinstance(owner, str) and name == "length":
        return float(len(owner))
    if isinstance(owner, str | _Method):
        return _Method(owner, name)
    raise PageError(f"script: there is no .{name} here")


def _set(owner: Any, name: str, value: Any) -> None:
    if isinstance(owner, _Style):
        styles = {**_styles(owner.node), _dashed(name): _text(value)}
        owner.node.attributes["style"] = "; ".join(f"{key}: {entry}" for key, entry in styles.items())
    elif isinstance(owner, Node) and name in ("textContent", "innerText"):
        owner.children = [_text(value)]
    elif isinstance(owner, Node) and name == "innerHTML":
        owner.children = parse_page(_text(value), is_whole=False).children
    elif isinstance(owner, Node) and name in ("hidden", "checked", "disabled"):
        owner.attributes.pop(name, None)
        if _truth(value):
            owner.attributes[name] = ""
    elif isinstance(owner, Node) and name == "value":
        owner.attributes["value"] = _text(value)
    elif isinstance(owner, Node) and name == "onclick":
        owner.handlers["click"] = value
    else:
        raise PageError(f"script: can't set .{name}")


def _styles(node: Node) -> dict[str, str]:
    parts = (part.partition(":") for part in node.attributes.get("style", "").split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in parts if name.strip()}


def _dashed(name: str) -> str:
    return re.sub("[A-Z]", lambda match: "-" + match[0].lower(), name)


def _truth(value: Any) -> bool:
    return value == value and value not in (None, False, 0, "")


def _number(value: Any) -> float:
    if isinstance(value, str):
        value = value.strip()
        if not re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", value):
            return 0.0 if value == "" else float("nan")
    if value is None or isinstance(value, str | int | float):
        return float(value or 0)
    raise PageError("script: not a number")


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, float):
        return str(int(value)) if value == value and abs(value) < 1e15 and value == int(value) else str(value)
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise PageError("script: no text, or too much of it")
    return value


def _operated(sign: str, left: Any, right: Any) -> Any:
    if sign in ("==", "===", "!=", "!=="):
        if len(sign) == 2 and {type(left), type(right)} == {str, float}:
            left, right = _number(left), _number(right)
        return (left == right) == (sign[0] == "=")
    if sign == "+" and (isinstance(left, str) or isinstance(right, str)):
        return _text(left) + _text(right)
    first, second = _number(left), _number(right)
    if sign in ("/", "%"):
        if second == 0:
            return float("nan")
        return first / second if sign == "/" else first % second
    return {
        "+": first + second,
        "-": first - second,
        "*": first * second,
        "<": first < second,
        ">": first > second,
        "<=": first <= second,
        ">=": first >= second,
    }[sign]
