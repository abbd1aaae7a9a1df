"""Templates of sentences: plain text with gaps for words and for slots.

``{noun}`` is a word of a list, ``<date>`` a slot, ``<polite:send>`` a slot with its word, ``[gonna]`` an informal word.
"""

import random
import re
from collections.abc import Callable, Mapping
from functools import cache

from redraft.tasks.rewrite.pieces import Piece, Slot

__all__ = ["GAP", "fill"]

GAP = re.compile(r"\{(\w+)\}|<(\w+)(?::(\w+))?>|\[([^\]]+)\]")
"""A gap: its list, or its slot and the slot's word, or an informal word."""

_GROUPS = 5


def fill(
    template: str,
    lists: Mapping[str, tuple[str, ...]],
    draw_slot: Callable[[str, str, random.Random], Slot],
    rng: random.Random,
) -> list[Piece]:
    """Fill the gaps of a template, no word twice.

    Args:
        template: The sentence.
        lists: Words by the name of their list.
        draw_slot: Draws a slot from its name and its word, empty where it has none.
        rng: Chooses.

    Returns:
        The pieces.
    """
    pieces: list[Piece] = []
    used: set[str] = set()
    for plain, name, slot, word, informal in _parts(template):
        pieces.append(plain)
        if name:
            drawn = rng.choice(lists[name])
            while drawn in used:
                drawn = rng.choice(lists[name])
            used.add(drawn)
            pieces.append(drawn)
        elif slot or informal:
            pieces.append(Slot("tone", (informal,)) if informal else draw_slot(slot, word, rng))
    return pieces


@cache
def _parts(template: str) -> tuple[tuple[str, ...], ...]:
    """Plain text, and the gap after it: its list, its slot, the word of the slot, or an informal word."""
    cut = GAP.split(template)
    rows = [cut[place : place + _GROUPS] for place in range(0, len(cut), _GROUPS)]
    return tuple((row[0], *(entry or "" for entry in (*row[1:], *[""] * (_GROUPS - len(row))))) for row in rows)
