"""Whether a page is what was asked for: its structure, and what its buttons and its clock do."""

import re
from collections.abc import Callable

from redraft.tasks.page.content import Spec
from redraft.tasks.page.dom import Node, PageError, parse_page
from redraft.tasks.page.script_run import Runtime

__all__ = ["check_page"]

_OUTSIDE = re.compile(r"^\s*(?:[a-z]+:)?//", re.IGNORECASE)
_BODY_RULE = re.compile(r"\bbody\s*\{([^}]*)\}")
_SILENT = frozenset({"script", "style", "title", "button", "h1"})


def check_page(spec: Spec, text: str) -> None:
    """Raise a PageError that says what is wrong with a page; return if nothing is."""
    document = parse_page(text)
    _only_inside(document)
    _expect("title", [node.words for node in document.nodes("title")] != [""], True)
    _expect("number of titles", sum(1 for _ in document.nodes("title")), 1)
    _expect("heading", [node.words for node in document.nodes("h1")], [spec["heading"]])
    if "style" in spec:
        _expect("colours", _colours(document), spec["style"])
    runtime = Runtime(document)
    runtime.load()
    _CHECKS[spec["kind"]](spec, document, runtime)


def _expect(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise PageError(f"{what}: {str(found)[:60]}, not {str(wanted)[:60]}")


def _only_inside(document: Node) -> None:
    for node in document.nodes():
        for name in ("src", "href", "action"):
            if _OUTSIDE.match(node.attributes.get(name, "")):
                raise PageError(f"<{node.tag}> takes something from elsewhere")
        if node.tag in ("iframe", "object", "embed", "link"):
            raise PageError(f"<{node.tag}> isn't self-contained")


def _colours(document: Node) -> list[str]:
    rules = [node.attributes.get("style", "") for node in document.nodes("body")]
    rules += [match[1] for node in document.nodes("style") for match in _BODY_RULE.finditer(node.text)]
    found = {}
    for part in ";".join(rules).split(";"):
        name, _, value = part.partition(":")
        found[name.strip().lower().removesuffix("-color") or "color"] = value.strip().lower()
    return [found.get("background", ""), found.get("color", "")]


def _buttons(document: Node, labels: list[str]) -> list[Node]:
    """The buttons in the order of their labels; there must be no others."""
    found = {node.words: node for node in document.nodes("button")}
    _expect("buttons", sorted(node.words for node in document.nodes("button")), sorted(labels))
    return [found[label] for label in labels]


def _leaves(document: Node) -> list[Node]:
    """Elements that show nothing but text."""
    return [n for n in document.nodes() if n.tag not in _SILENT and not any(isinstance(c, Node) for c in n.children)]


def _input(document: Node) -> Node:
    fields = list(document.nodes("input"))
    _expect("number of fields", len(fields), 1)
    return fields[0]


def _counter(spec: Spec, document: Node, runtime: Runtime) -> None:
    rows = spec["buttons"]
    buttons = _buttons(document, [label for label, _ in rows])
    count = spec["start"]
    shown = [node for node in _leaves(document) if node.words == str(count)]
    pressed = [*range(len(rows)), 0, *range(len(rows)), *reversed(range(len(rows)))]
    for place in pressed:
        runtime.click(buttons[place])
        step = rows[place][1]
        count = spec["start"] if step is None else count + step
        shown = [node for node in shown if node.words == str(count)]
    _expect("an element that counts along", bool(shown), True)


def _list(spec: Spec, document: Node, runtime: Runtime) -> None:
    lists = [node for node in document.nodes() if node.tag in ("ul", "ol")]
    _expect("lists", [node.tag for node in lists], ["ol" if spec["ordered"] else "ul"])
    _expect("items", [node.words for node in lists[0].nodes("li")], spec["items"])


def _colour(spec: Spec, document: Node, runtime: Runtime) -> None:
    buttons = _buttons(document, [label for label, _ in spec["buttons"]])
    body = next(document.nodes("body"), document)
    for button, (_, colour) in [*zip(buttons, spec["buttons"], strict=True)] * 2:
        runtime.click(button)
        styles = body.attributes.get("style", "").lower()
        found = re.findall(r"(?:^|; )background(?:-color)?: ([^;]*)", styles)
        _expect("background", set(found), {colour})


def _clock(spec: Spec, document: Node, runtime: Runtime) -> None:
    _expect("timers", [wait for _, wait in runtime.timers], [1000.0])
    runtime.tick()
    for _ in range(3):
        shown = [node for node in _leaves(document) if node.words == f"12:00:{runtime.seconds:02}"]
        _expect("an element with the time", bool(shown), True)
        runtime.tick()


def _form(spec: Spec, document: Node, runtime: Runtime) -> None:
    forms = list(document.nodes("form"))
    _expect("number of forms", len(forms), 1)
    labels = list(forms[0].nodes("label"))
    found = []
    for label in labels:
        inside = list(label.nodes("input"))
        linked = [n for n in forms[0].nodes("input") if n.attributes.get("id", "") == label.attributes.get("for", "-")]
        _expect(f"fields of {label.words}", len(inside or linked), 1)
        attributes = (inside or linked)[0].attributes
        found.append([label.words.rstrip(":："), attributes.get("type", "text"), "required" in attributes])
    _expect("fields", found, spec["fields"])
    _expect("number of fields", sum(1 for _ in document.nodes("input")), len(found))
    (button,) = _buttons(document, [spec["submit"]])
    _expect("kind of button", button.attributes.get("type", "submit"), "submit")
    _expect("button in the form", button in list(forms[0].nodes("button")), True)


def _toggle(spec: Spec, document: Node, runtime: Runtime) -> None:
    (button,) = _buttons(document, [spec["button"]])
    texts = [node for node in _leaves(document) if node.words == spec["text"]]
    _expect("number of such texts", len(texts), 1)
    for is_hidden in (True, False, True):
        runtime.click(button)
        style = texts[0].attributes.get("style", "").replace(" ", "")
        _expect("hidden", "hidden" in texts[0].attributes or "display:none" in style, is_hidden)


def _greeting(spec: Spec, document: Node, runtime: Runtime) -> None:
    (button,) = _buttons(document, [spec["button"]])
    for name in ("Ada", "小明"):
        _input(document).attributes["value"] = name
        runtime.click(button)
        wanted = f"{spec['word']}, {name}!"
        is_shown = any(node.words == wanted for node in _leaves(document))
        _expect("greeting", is_shown or runtime.alerts[-1:] == [wanted], True)


def _adder(spec: Spec, document: Node, runtime: Runtime) -> None:
    (button,) = _buttons(document, [spec["button"]])
    _expect("items at first", list(document.nodes("li")), [])
    for number, text in enumerate(("tea", "two eggs"), 1):
        _input(document).attributes["value"] = text
        runtime.click(button)
        items = [n for tag in ("ul", "ol") for node in document.nodes(tag) for n in node.nodes("li")]
        _expect("items", [node.words for node in items], ["tea", "two eggs"][:number])


def _table(spec: Spec, document: Node, runtime: Runtime) -> None:
    _expect("number of tables", sum(1 for _ in document.nodes("table")), 1)
    rows = [[cell.words for cell in row.nodes() if cell.tag in ("th", "td")] for row in document.nodes("tr")]
    _expect("rows", rows, [spec["columns"], *spec["rows"]])
    _expect("head", sum(1 for _ in document.nodes("th")), len(spec["columns"]))


_CHECKS: dict[str, Callable[[Spec, Node, Runtime], None]] = {
    "counter": _counter,
    "list": _list,
    "colour": _colour,
    "clock": _clock,
    "form": _form,
    "toggle": _toggle,
    "greeting": _greeting,
    "adder": _adder,
    "table": _table,
}
