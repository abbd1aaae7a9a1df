"""One operation of a program, from one kind of value to another: its Python and its meaning; words are elsewhere."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

from redraft.tasks.programs.expressions import Piece, Reading, groups_of, read

__all__ = ["BETWEEN_PARTS", "Kind", "Operation", "Part", "Style", "operations_on"]

Kind = Literal["ints", "words", "text", "number", "counts", "flag", "table"]
"""Lists of whole numbers, lists of words, texts, whole numbers, dicts from words to whole numbers; the last two only
come out at the end: truth values, and dicts of any other kind."""

Style = Literal["keep", "map", "iterable", "value", "lines"]
"""``keep`` and ``map`` are conditions and elements of a comprehension; ``iterable`` is a call that also takes a bare
generator; ``value`` needs a name to work on; ``lines`` is a loop that leaves its result under a name."""

Part = dict[str, Piece] | tuple[str, ...]
"""What an operation still needs to know: a test or a change, or one constant of several."""

BETWEEN_PARTS = ","


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Operation:
    """A step of a program; ``@`` stands for what it works on and ``{0}``, ``{1}`` for its parts."""

    name: str
    """Name in a program's spelling; unique among those that take the same kind."""
    takes: Kind
    """Kind of value it works on."""
    gives: Kind
    """Kind of value that comes out."""
    style: Style
    """How its Python joins with what stands before."""
    code: str
    """Python; of ``lines`` the lines, in which ``$`` is the name of the result."""
    run: Callable[..., Any]
    """Meaning, of the value and the parts: functions for tests and changes, numbers or texts for constants."""
    parts: tuple[Part, ...] = ()
    """What else there is to know."""
    variable: str = "x"
    """Name of one element in Python; ``@`` where the tests are of the whole."""
    is_first: bool = False
    """Only of the argument itself, which is known to be small."""

    @property
    def num_spellings(self) -> int:
        """How many different operations this is, with all parts."""
        return prod(sum(len(group) for group in _groups(part)) for part in self.parts)

    def draw(self, rng: random.Random) -> str:
        """Random parts, spelled; the kind of each part is uniform, then its constant."""
        return BETWEEN_PARTS.join(rng.choice(rng.choice(_groups(part))) for part in self.parts)

    def readings(self, spelling: str) -> list[Reading | str]:
        """The parts of a spelling."""
        if not self.parts:
            return []
        pieces = zip(self.parts, spelling.split(BETWEEN_PARTS), strict=True)
        return [read(part, text) if isinstance(part, dict) else text for part, text in pieces]

    def apply(self, value: Any, spelling: str) -> Any:
        """What it makes of a value."""
        return self.run(value, *(_meaning(part) for part in self.readings(spelling)))

    def python(self, spelling: str, source: str) -> str:
        """Its Python with the parts filled in, on a source."""
        text = self.code
        variable = source if self.variable == "@" else self.variable
        for index, part in enumerate(self.readings(spelling)):
            text = text.replace(f"{{{index}}}", part if isinstance(part, str) else part.code(variable))
        return text.replace("@", source)


def operations_on(takes: Kind) -> Callable[..., Operation]:
    """A short way to write down the operations on one kind of value.

    Args:
        takes: The kind.

    Returns:
        A function of name, kind that comes out, style, Python, meaning and then the parts.
    """

    def operation(
        name: str, gives: Kind, style: Style, code: str, run: Callable[..., Any], *parts: Part, **more: Any
    ) -> Operation:
        return Operation(name=name, takes=takes, gives=gives, style=style, code=code, run=run, parts=parts, **more)

    return operation


def _groups(part: Part) -> tuple[tuple[str, ...], ...]:
    return groups_of(part) if isinstance(part, dict) else (part,)


def _meaning(part: Reading | str) -> Any:
    if isinstance(part, Reading):
        return part.run
    return int(part) if part.lstrip("-").isdigit() else part
