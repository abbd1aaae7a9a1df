"""Gaps in held-out texts, as infilling is usually measured: one line, several lines, a span of any place."""

import random
import re
from dataclasses import dataclass
from typing import Literal, get_args

__all__ = ["KINDS", "Gap", "GapKind", "cut_gap"]

GapKind = Literal["single_line", "several_lines", "span"]
"""What is cut out: a line without its indentation, several whole lines, or characters of any place."""

KINDS: tuple[GapKind, ...] = get_args(GapKind)
"""All of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """A text with one gap."""

    prefix: str
    """What stands before it."""
    middle: str
    """What was cut out."""
    suffix: str
    """What stands behind it."""


def cut_gap(text: str, kind: GapKind, rng: random.Random, *, first_line: int = 0) -> Gap | None:
    r"""Cut a gap into a text, with something left around it.

    >>> cut_gap("a = 1\n    b = 2\n", "single_line", random.Random(0))
    Gap(prefix='a = 1\n    ', middle='b = 2', suffix='\n')

    Args:
        text: The text.
        kind: What to cut out.
        rng: Chooses the place.
        first_line: Number of the first line that may go, from 0; a program's head stays.

    Returns:
        The gap; None if the text has no place for one.
    """
    all_lines = [match.span() for match in re.finditer(r"[^\n]*\S[^\n]*", text)]
    lines = all_lines[first_line:]
    if not lines:
        return None
    if kind == "single_line":
        start, end = rng.choice(lines)
        start += len(text[start:end]) - len(text[start:end].lstrip())
    elif kind == "several_lines":
        # All of a text would leave nothing to go by.
        most = min(len(lines), len(all_lines) - 1)
        if most < 2:
            return None
        number = rng.randint(2, most)
        first = rng.randint(0, len(lines) - number)
        start, end = lines[first][0], lines[first + number - 1][1]
    else:
        low, high = lines[0][0], lines[-1][1]
        length = rng.randint(1, max(1, (high - low) // 2))
        start = rng.randint(low, high - length)
        end = start + length
    if not (text[:start] + text[end:]).strip():
        return None
    return Gap(prefix=text[:start], middle=text[start:end], suffix=text[end:])
