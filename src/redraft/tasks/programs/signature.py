"""Names of functions and their arguments."""

import random
from dataclasses import dataclass

from redraft.tasks.programs.operations import Kind

__all__ = ["Signature", "draw_signature"]

_FUNCTIONS = (
    *("f", "g", "solve", "run", "compute", "convert", "transform", "process", "build", "make", "calc", "answer"),
    *("apply", "handle", "pick", "check", "clean", "change", "prepare", "collect", "find", "get_result", "work_out"),
    *("summary", "select", "reduce_to", "extract", "measure", "update", "my_function"),
)

_ARGUMENTS: dict[Kind, tuple[str, ...]] = {
    "ints": ("xs", "nums", "numbers", "values", "data", "items"),
    "words": ("words", "names", "parts", "strings", "tokens", "items"),
    "text": ("s", "text", "line", "string", "phrase"),
    "number": ("n", "num", "number", "m"),
    "counts": ("d", "stock", "scores", "prices", "ages"),
}
"""None of them is a name that a function's lines give to anything of another kind."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function and its argument are called."""

    name: str
    """Of the function."""
    argument: str
    """Of its argument."""

    def __str__(self) -> str:
        """As it is called."""
        return f"{self.name}({self.argument})"


def draw_signature(takes: Kind, rng: random.Random) -> Signature:
    """Random names for a function of an argument of this kind."""
    return Signature(rng.choice(_FUNCTIONS), rng.choice(_ARGUMENTS[takes]))
