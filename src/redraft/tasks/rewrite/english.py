"""English texts: one or more sentences from templates and word lists, as pieces."""

import random
import re

from redraft.tasks.rewrite import english_words as words
from redraft.tasks.rewrite.english_templates import TEMPLATES
from redraft.tasks.rewrite.forms import INFORMAL, NUMBER_WORDS
from redraft.tasks.rewrite.pieces import Piece, Slot
from redraft.tasks.rewrite.templates import GAP, fill

__all__ = ["ENGLISH_LEXICON", "english_text", "template_axes"]

_LISTS: dict[str, tuple[str, ...]] = {
    "noun": words.NOUNS,
    "nouns": tuple(words.plural(noun) for noun in words.NOUNS),
    "adj": words.ADJECTIVES,
    "name": words.NAMES,
    "city": words.CITIES,
    "place": words.PLACES,
    "role": words.ROLES,
    "roles": tuple(words.plural(role) for role in words.ROLES),
    "food": words.FOODS,
    "day": words.DAYS,
    "month": words.MONTHS,
}

_VERBS = tuple(words.VERBS)

_UNITS = ("km", "kg", "m", "l")


def template_axes(template: str) -> set[str]:
    """The axes of a template's slots."""
    found = set()
    for _, slot, _, informal in GAP.findall(template):
        if informal:
            found.add("tone")
        elif slot:
            found.add("tense" if slot in ("v", "vs") else "unit" if slot in _UNITS else slot)
    return found


_BY_AXIS: dict[str, list[str]] = {}
for _template in TEMPLATES:
    for _axis in template_axes(_template):
        _BY_AXIS.setdefault(_axis, []).append(_template)


def english_text(rng: random.Random, num_sentences: int, axes: tuple[str, ...]) -> list[Piece]:
    """Draw a text in which every one of some axes occurs.

    Args:
        rng: Chooses templates and words.
        num_sentences: How many sentences; more if the axes need more.
        axes: What must occur. With tense among them no sentence has a verb of fixed tense.

    Returns:
        The pieces.
    """
    chosen = [rng.choice(_BY_AXIS[axis]) for axis in axes]
    pool = _BY_AXIS["tense"] if "tense" in axes else TEMPLATES
    while len(chosen) < num_sentences:
        chosen.append(rng.choice(pool))
    rng.shuffle(chosen)
    pieces: list[Piece] = []
    for template in chosen:
        if pieces:
            pieces.append(" ")
        pieces += fill(template, _LISTS, _slot, rng)
    return pieces


def _slot(kind: str, word: str, rng: random.Random) -> Slot:
    if kind in ("v", "vs"):
        return Slot("tense", (rng.choice(_VERBS), int(kind == "vs")))
    if kind in _UNITS:
        return Slot("unit", (rng.randint(2, 99), kind))
    if kind == "polite":
        return Slot("polite", (word,))
    if kind == "date":
        return Slot("date", (rng.randint(1990, 2030), rng.randint(1, 12), rng.randint(1, 28)))
    if kind == "clock":
        return Slot("clock", (rng.randint(0, 23), rng.choice((0, 5, 10, 15, 20, 30, 40, 45, 50))))
    if kind == "big":
        return Slot(
            "big", (rng.choice((rng.randint(1000, 9999), rng.randint(10, 999) * 100, rng.randint(1, 99) * 1000)),)
        )
    bounds = {"small": (2, len(NUMBER_WORDS) - 1), "percent": (2, 99), "money": (2, 950)}[kind]
    return Slot(kind, (rng.randint(*bounds),))


def _lexicon() -> frozenset[str]:
    found: set[str] = set(NUMBER_WORDS)
    texts = [
        *TEMPLATES,
        *INFORMAL,
        *INFORMAL.values(),
        "will please percent dollars kilometres kilograms metres litres",
    ]
    for text in (*texts, *(entry for entries in _LISTS.values() for entry in entries)):
        plain = re.sub(r"\{\w+\}|<\w+>|<\w+:|>|\[|\]", " ", text)
        found |= set(re.findall("[a-z]+", plain.lower()))
    for base, forms in words.VERBS.items():
        found |= {base, *forms}
    return frozenset(found)


ENGLISH_LEXICON: frozenset[str] = _lexicon()
"""Every word that can occur, in lower case: a misspelling is what is not in it."""
