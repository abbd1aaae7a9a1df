"""The small part of JavaScript that short pages are written in, as a syntax tree of tuples.

Declarations, functions, arrow functions, `if`, assignments, conditions, arithmetic, members, calls. No loops: so a
script ends, but for functions that call themselves, whose depth is bounded where they are run.
"""

import re

from redraft.tasks.page.dom import PageError

__all__ = ["Tree", "parse_script"]

Tree = tuple
"""A kind and its parts."""

_TOKEN = re.compile(
    r"\s*(?:(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<number>\d+(?:\.\d+)?)|(?P<text>'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\")"
    r"|(?P<name>[A-Za-z_$][\w$]*)|(?P<sign>=>|===|!==|==|!=|<=|>=|&&|\|\||\+\+|--|[-+*/%]=|[-+*/%=<>!?:;,.(){}\[\]]))",
    re.DOTALL,
)
_LEVELS = (("||",), ("&&",), ("==", "===", "!=", "!=="), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/", "%"))
_ESCAPES = {"n": "\n", "t": "\t"}
_MAX_DEPTH = 40


def parse_script(text: str) -> list[Tree]:
    """Return the statements of a script; PageError if it isn't in the language."""
    tokens: list[tuple[str, str]] = []
    first_in_line = {0}
    place = 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise PageError(f"script: can't read {text[place : place + 20]!r}")
        place = match.end()
        kind = match.lastgroup or ""
        if "\n" in text[match.start() : match.start(kind)]:
            first_in_line.add(len(tokens))
        if kind != "comment":
            tokens.append((kind, match[kind]))
    parser = _Parser(tokens, first_in_line | {len(tokens)})
    statements: list[Tree] = []
    while parser.kind:
        if not parser.skip(";"):
            statements.append(parser.statement())
            parser.end()
    return statements


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], first_in_line: set[int]) -> None:
        self.tokens = [*tokens, ("", "")]
        self.first_in_line = first_in_line
        self.place = 0
        self.depth = 0

    @property
    def kind(self) -> str:
        return self.tokens[self.place][0]

    @property
    def text(self) -> str:
        return self.tokens[self.place][1] if self.kind != "text" else ""

    def next(self) -> str:
        self.place += 1
        return self.tokens[self.place - 1][1]

    def skip(self, text: str) -> bool:
        if self.text == text and self.kind:
            self.place += 1
            return True
        return False

    def want(self, text: str) -> None:
        if not self.skip(text):
            raise PageError(f"script: {text!r} is missing before {self.tokens[self.place][1][:20]!r}")

    def end(self) -> None:
        """A statement ends before a semicolon, a closing bracket or a new line, or with its own block."""
        if not (self.text in (";", "}") or self.place in self.first_in_line or self.tokens[self.place - 1][1] == "}"):
            self.want(";")

    def name(self) -> str:
        if self.kind != "name":
            raise PageError(f"script: no name but {self.tokens[self.place][1][:20]!r}")
        return self.next()

    def statement(self) -> Tree:
        if self.text in ("let", "const", "var"):
            self.next()
            name = self.name()
            return ("let", name, self.expression() if self.skip("=") else ("value", None))
        if self.text == "function":
            self.next()
            name = self.name()
            return ("let", name, ("function", self._parameters(), self._block()))
        if self.skip("if"):
            self.want("(")
            condition = self.expression()
            self.want(")")
            then = self._body()
            self.skip(";")
            return ("if", condition, then, self._body() if self.skip("else") else [])
        if self.skip("return"):
            return ("return", ("value", None) if self.text in (";", "}") else self.expression())
        return ("do", self.expression())

    def _body(self) -> list[Tree]:
        return self._block() if self.text == "{" else [self.statement()]

    def _block(self) -> list[Tree]:
        self._deeper()
        self.want("{")
        statements = []
        while not self.skip("}"):
            if not self.skip(";"):
                statements.append(self.statement())
                self.end()
        self.depth -= 1
        return statements

    def _parameters(self) -> list[str]:
        self.want("(")
        names = []
        while not self.skip(")"):
            names.append(self.name())
            self.skip(",")
        return names

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise PageError("script: nested too deeply")

    def expression(self) -> Tree:
        self._deeper()
        found = self._expression()
        self.depth -= 1
        return found

    def _expression(self) -> Tree:
        arrow = self._arrow()
        if arrow is not None:
            return arrow
        left = self._binary(0)
        if self.skip("?"):
            then = self.expression()
            self.want(":")
            return ("choose", left, then, self.expression())
        if self.text in ("=", "+=", "-=", "*=", "/=", "%="):
            sign = self.next()
            if left[0] not in ("name", "member"):
                raise PageError("script: can't assign to that")
            return ("assign", sign[:-1], left, self.expression())
        return left

    def _arrow(self) -> Tree | None:
        start = self.place
        names = [self.next()] if self.kind == "name" and self.tokens[self.place + 1][1] == "=>" else None
        if names is None and self.text == "(":
            signs = [text for _, text in self.tokens[start : start + 8]]
            if ")" in signs and signs[signs.index(")") + 1 : signs.index(")") + 2] == ["=>"]:
                names = self._parameters()
        if names is None:
            return None
        self.want("=>")
        return ("function", names, self._block() if self.text == "{" else [("return", self.expression())])

    def _binary(self, level: int) -> Tree:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self.kind == "sign" and self.text in _LEVELS[level]:
            sign = self.next()
            left = ("binary", sign, left, self._binary(level + 1))
        return left

    def _unary(self) -> Tree:
        self._deeper()
        found: Tree
        if self.kind == "sign" and self.text in ("!", "-", "+"):
            found = ("unary", self.next(), self._unary())
        elif self.kind == "sign" and self.text in ("++", "--"):
            sign = self.next()
            found = ("step", sign[0], self._postfix(), True)
        else:
            found = self._postfix()
            if self.kind == "sign" and self.text in ("++", "--"):
                found = ("step", self.next()[0], found, False)
        self.depth -= 1
        return found

    def _postfix(self) -> Tree:
        found = self._primary()
        while True:
            if self.skip("."):
                found = ("member", found, self.name())
            elif self.text == "(":
                self.next()
                arguments = []
                while not self.skip(")"):
                    arguments.append(self.expression())
                    if self.text != ")":
                        self.want(",")
                found = ("call", found, arguments)
            else:
                return found

    def _primary(self) -> Tree:
        kind, text = self.tokens[self.place]
        if kind == "number":
            return ("value", float(self.next()))
        if kind == "text":
            self.next()
            return ("value", re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), text[1:-1]))
        if self.skip("("):
            found = self.expression()
            self.want(")")
            return found
        if self.skip("new"):
            name = self.name()
            if self.skip("("):
                self.want(")")
            return ("new", name)
        if self.skip("function"):
            return ("function", self._parameters(), self._block())
        if text in ("true", "false", "null", "undefined"):
            self.next()
            return ("value", {"true": True, "false": False}.get(text))
        return ("name", self.name())
