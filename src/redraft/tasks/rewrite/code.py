"""Lines of Python with names that can be renamed and calls whose arguments can be put in another order."""

import random
import re
from collections.abc import Sequence

from redraft.tasks.rewrite.pieces import Axis, Piece, Slot, listed

__all__ = ["CODE_AXES", "NAMES", "Call", "code_text", "names_in", "rename"]

NAMES: tuple[str, ...] = (
    listed("""total count value result number item name index price width height length color text line word data row
    column start end step limit score level speed weight size left right first last key user group message
    answer amount rate source target buffer queue node edge path page title label points offset low high""")
)
"""Names of variables."""

_FUNCTIONS = listed("add compute find load show draw send update check move mix join split make read scale")
_TEXTS = listed("red blue ok done yes no error start stop name total value items hello page left right")
_SNAKE = tuple(f"{first}_{second}" for first in NAMES[:20] for second in ("max", "old", "new", "list", "id", "sum"))
_TOKEN = re.compile(r"\{(\w)\}| ([-+*/%]|==|<|>|<=|>=|=|\+=|-=) |(,) |'(\w+)'")
_STRING = re.compile(r"'[^']*'|\"[^\"]*\"")

TEMPLATES: tuple[str, ...] = (
    "{a} = {b} + {n}",
    "{a} = {b} * {c} - {n}",
    "{a} = [{x} * {n} for {x} in {b}]",
    "{a} = [{x} for {x} in {b} if {x} > {n}]",
    "for {x} in {a}:\n    {b} += {x}",
    "for {x} in {a}:\n    if {x} > {n}:\n        {b} += {x}",
    "def {f}({a}, {b}):\n    return {a} + {b} * {n}",
    "def {f}({a}):\n    {b} = {a} * {n}\n    return {b} + {a}",
    "while {a} < {n}:\n    {a} += {b}",
    "if {a} == {s}:\n    {b} = {s}",
    "print({s}, {a} + {b})",
    "{a} = {b} if {b} > {c} else {c}",
    "{a}[{s}] = {b} + {n}",
    "{a} = {s} + {b} + {s}",
    "{a}, {b} = {b}, {a}",
    "{a} = max({b}, {c}) - min({b}, {c})",
    "{a}.append({b} * {n})",
    "return {a} * {b} + {c}",
    "{a} = sum({b}) / len({b})",
    "with open({a}) as {b}:\n    {c} = {b}.read()",
    "{a} = {x}[{n}:] + {x}[:{n}]",
    "assert {a} <= {b}, {s}",
)
"""``{a}`` to ``{c}`` and ``{x}`` are names, ``{f}`` a function, ``{n}`` a number, ``{s}`` a text in quotes."""

CODE_AXES: dict[str, Axis] = {
    "spaces": {"pep8": lambda v: v[1], "tight": lambda v: v[0]},
    "quotes": {"double": lambda v: f'"{v[0]}"', "single": lambda v: f"'{v[0]}'"},
    "naming": {
        "snake": lambda v: v[0],
        "camel": lambda v: v[0].split("_")[0] + "".join(part.capitalize() for part in v[0].split("_")[1:]),
    },
}
"""Each axis with its forms; the first form is the one that keys are written in."""


class Call:
    """A call with at least two arguments, all different."""

    def __init__(self, rng: random.Random) -> None:
        self.target = rng.choice(("", "", f"{rng.choice(NAMES)} = ", "return "))
        self.function = rng.choice(_FUNCTIONS)
        pool = [*rng.sample(NAMES, 3), str(rng.randint(2, 99)), f'"{rng.choice(_TEXTS)}"']
        self.arguments: tuple[str, ...] = tuple(rng.sample(pool, rng.randint(2, 4)))

    def written(self, arguments: Sequence[str] | None = None) -> str:
        """The line, with its own arguments or others."""
        chosen = self.arguments if arguments is None else arguments
        return f"{self.target}{self.function}({', '.join(chosen)})"


def code_text(rng: random.Random, num_statements: int, axes: tuple[str, ...]) -> list[Piece]:
    """Draw lines of code in which every one of some axes occurs.

    Args:
        rng: Chooses templates and names.
        num_statements: How many statements.
        axes: What must occur.

    Returns:
        The pieces.
    """
    pieces: list[Piece] = []
    pool = [text for text in TEMPLATES if "{s}" in text] if "quotes" in axes else TEMPLATES
    names = rng.sample(_SNAKE if "naming" in axes else NAMES, 4)
    for _ in range(num_statements):
        if pieces:
            pieces.append("\n")
        pieces += _fill(rng.choice(pool), dict(zip("abcx", names, strict=True)), rng)
        if rng.random() < 0.5:
            rng.shuffle(names)
    return pieces


def _fill(template: str, names: dict[str, str], rng: random.Random) -> list[Piece]:
    function = rng.choice(_FUNCTIONS)
    pieces: list[Piece] = []
    place = 0
    for match in _TOKEN.finditer(template):
        pieces.append(template[place : match.start()])
        place = match.end()
        gap, operator, comma, _ = match.groups()
        if operator or comma:
            pieces.append(Slot("spaces", (operator or comma, match[0])))
        elif gap == "s":
            pieces.append(Slot("quotes", (rng.choice(_TEXTS),)))
        elif gap == "n":
            pieces.append(str(rng.randint(2, 99)))
        else:
            name = function if gap == "f" else names[gap]
            pieces.append(Slot("naming", (name,)) if "_" in name else name)
    return [*pieces, template[place:]]


def names_in(text: str) -> list[str]:
    """The variables of a text in the order in which they occur, each once; texts in quotes don't count."""
    plain = _STRING.sub("''", text)
    return [name for name in dict.fromkeys(re.findall(r"\b[a-z]\w*\b", plain)) if name in NAMES]


def rename(text: str, old: str, new: str) -> str:
    """Give a name another name wherever it is a whole word outside quotes.

    >>> rename('print("total", total, total_max)', "total", "price")
    'print("total", price, total_max)'
    """
    parts = re.split(r"('[^']*'|\"[^\"]*\")", text)
    return "".join(part if i % 2 else re.sub(rf"\b{old}\b", new, part) for i, part in enumerate(parts))
