"""HTML as a tree: strict about nesting, so that what a browser would have to repair counts as a fault."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

__all__ = ["Node", "PageError", "parse_page"]

VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
"""Elements that have no end tag."""

_MAX_DEPTH = 40


class PageError(Exception):
    """What is wrong with a page."""


@dataclass(eq=False)
class Node:
    """An element."""

    tag: str
    """Its name in lower case."""
    attributes: dict[str, str] = field(default_factory=dict)
    """Those of its start tag; one without a value is an empty text."""
    children: list["Node | str"] = field(default_factory=list)
    """Elements and texts, in order."""
    handlers: dict[str, object] = field(default_factory=dict)
    """What a script makes it listen to."""

    def nodes(self, tag: str | None = None) -> Iterator["Node"]:
        """All elements inside, in order."""
        for child in self.children:
            if isinstance(child, Node):
                if tag is None or child.tag == tag:
                    yield child
                yield from child.nodes(tag)

    @property
    def text(self) -> str:
        """The text inside, as it stands there."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    @property
    def words(self) -> str:
        """The text inside with single spaces."""
        return " ".join(self.text.split())

    @property
    def inner(self) -> str:
        """What is inside, as HTML."""
        return "".join(escape(child) if isinstance(child, str) else child.outer for child in self.children)

    @property
    def outer(self) -> str:
        """The element as HTML."""
        written = "".join(f' {name}="{escape(value)}"' for name, value in self.attributes.items())
        return f"<{self.tag}{written}>" + ("" if self.tag in VOID else f"{self.inner}</{self.tag}>")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[Node] = [Node("#document")]
        self.has_doctype = False

    def handle_decl(self, decl: str) -> None:
        self.has_doctype = self.has_doctype or (decl.lower() == "doctype html" and not self.open[0].children)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if len({name for name, _ in attrs}) < len(attrs):
            raise PageError(f"<{tag}> has an attribute twice")
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)
            if len(self.open) > _MAX_DEPTH:
                raise PageError("nested too deeply")

    def handle_endtag(self, tag: str) -> None:
        if self.open[-1].tag != tag:
            raise PageError(f"</{tag}> where <{self.open[-1].tag}> is open")
        self.open.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            raise PageError(f"<{tag}/> closes itself")
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if data.strip() or len(self.open) > 1:
            self.open[-1].children.append(data)


def parse_page(text: str, *, is_whole: bool = True) -> Node:
    """Read a page, or a piece of one.

    Args:
        text: HTML.
        is_whole: Whether it must begin with a doctype.

    Returns:
        The document.

    Raises:
        PageError: If an element isn't closed where it should be, or has an attribute or an id twice.
    """
    reader = _Reader()
    try:
        reader.feed(text)
        reader.close()
    except (ValueError, AssertionError) as error:
        raise PageError(f"not HTML: {error}") from error
    if len(reader.open) > 1:
        raise PageError(f"<{reader.open[-1].tag}> is never closed")
    if is_whole and not reader.has_doctype:
        raise PageError("no <!doctype html> at the start")
    ids = [node.attributes["id"] for node in reader.open[0].nodes() if "id" in node.attributes]
    if len(set(ids)) < len(ids):
        raise PageError("an id occurs twice")
    return reader.open[0]
