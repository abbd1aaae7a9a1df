"""A program as the text of a Python function: always the same text for the same program and names."""

from dataclasses import dataclass, field

from redraft.tasks.programs.operations import Kind, Operation
from redraft.tasks.programs.program import Program, Step

__all__ = ["render"]

_NAMES: dict[Kind, tuple[str, str]] = {
    "ints": ("result", "output"),
    "words": ("result", "output"),
    "text": ("text", "output"),
    "number": ("total", "score"),
    "counts": ("counts", "table"),
    "flag": ("found", "found"),
    "table": ("groups", "groups"),
}
"""Names for results on the way; the second where the first is taken."""

_INDENT = "    "


@dataclass(slots=True)
class _Draft:
    """The lines so far, and the value that is in hand."""

    argument: str
    takes: Kind
    lines: list[str] = field(default_factory=list)
    value: str = ""
    kind: Kind = "ints"
    conditions: list[str] = field(default_factory=list)
    element: str = ""
    source: str = ""

    @property
    def variable(self) -> str:
        return "w" if self.takes_of_source == "words" else "x"

    takes_of_source: Kind = "ints"

    @property
    def is_comprehension(self) -> bool:
        return bool(self.element)

    @property
    def generator(self) -> str:
        tests = f" if {' and '.join(self.conditions)}" if self.conditions else ""
        return f"{self.element} for {self.variable} in {self.source}{tests}"

    def text(self) -> str:
        return f"[{self.generator}]" if self.is_comprehension else self.value

    def name_it(self) -> None:
        """Give the value in hand a name, unless it is one."""
        if not self.is_comprehension and self.value.isidentifier():
            return
        name = self.argument if self.kind == self.takes else _NAMES[self.kind][0]
        self.lines.append(f"{name} = {self.text()}")
        self.hold(name, self.kind)

    def hold(self, value: str, kind: Kind) -> None:
        self.value, self.kind, self.element, self.conditions = value, kind, "", []

    def new_name(self, kind: Kind) -> str:
        first, second = _NAMES[kind]
        return second if first == self.value else first


def render(program: Program, name: str, argument: str) -> str:
    r"""The function's text.

    >>> from redraft.tasks.programs.program import read_program
    >>> print(render(read_program("ints>keep even>map square>sum"), "total", "xs"))
    def total(xs):
        return sum(x * x for x in xs if x % 2 == 0)

    Args:
        program: What it does.
        name: Name of the function.
        argument: Name of its argument.

    Returns:
        Python, without a newline at the end.
    """
    draft = _Draft(argument=argument, takes=program.takes)
    draft.hold(argument, program.takes)
    if program.guard:
        test = f"{argument} < 0" if program.takes == "number" else f"not {argument}"
        draft.lines += [f"if {test}:", f"{_INDENT}return {program.guard}"]
    for step in program.steps:
        _add(draft, step)
    lines = [f"def {name}({argument}):", *(_INDENT + line for line in draft.lines)]
    return "\n".join([*lines, f"{_INDENT}return {draft.text()}"])


def _add(draft: _Draft, step: Step) -> None:
    operation = step.operation
    if operation.style in ("keep", "map"):
        _comprehend(draft, operation, step.parts)
    elif operation.style == "iterable" and draft.is_comprehension:
        # A generator with a second argument beside it needs brackets of its own.
        is_alone = operation.code.count("(@)") == 1
        source = draft.generator if is_alone else f"({draft.generator})"
        draft.hold(operation.python(step.parts, source), operation.gives)
    elif operation.style == "lines":
        draft.name_it()
        name = draft.new_name(operation.gives) if "$" in operation.code else draft.value
        lines = operation.python(step.parts, draft.value).replace("$", name)
        draft.lines += lines.split("\n")
        draft.hold(name, operation.gives)
    else:
        draft.name_it()
        draft.hold(operation.python(step.parts, draft.value), operation.gives)


def _comprehend(draft: _Draft, operation: Operation, parts: str) -> None:
    """A condition or an element joins the comprehension in hand, as long as its elements are still what they were."""
    text = operation.python(parts, "")
    if not (draft.is_comprehension and draft.element == draft.variable):
        draft.name_it()
        draft.takes_of_source = operation.takes
        draft.source = draft.value
        draft.element = draft.variable
    if operation.style == "keep":
        draft.conditions.append(text)
    else:
        draft.element = text
    draft.kind = operation.gives
