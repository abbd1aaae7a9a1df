"""The forms of English slots: dates, clock times, numbers, percentages, money, lengths, tone, tense, politeness."""

from redraft.tasks.rewrite.english_words import MONTHS, VERBS
from redraft.tasks.rewrite.pieces import Axis, listed

__all__ = ["ENGLISH_AXES", "INFORMAL", "NUMBER_WORDS"]

NUMBER_WORDS = listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
"""Whole numbers that are written out."""

INFORMAL: dict[str, str] = {
    "can't": "cannot",
    "don't": "do not",
    "doesn't": "does not",
    "isn't": "is not",
    "won't": "will not",
    "didn't": "did not",
    "we're": "we are",
    "they're": "they are",
    "you're": "you are",
    "I'm": "I am",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "have to",
    "kids": "children",
    "guys": "colleagues",
    "thanks": "thank you",
    "hi": "hello",
    "yeah": "yes",
    "nope": "no",
    "bye": "goodbye",
    "lots of": "many",
    "a bit": "slightly",
    "boss": "supervisor",
    "asap": "as soon as possible",
    "info": "information",
    "stuff": "material",
    "awesome": "excellent",
    "mom": "mother",
    "dad": "father",
    "grab": "obtain",
    "fix": "correct",
}
"""Everything that "make it formal" changes, and what it becomes; both sides occur in slots only."""


_UNITS = {"km": "kilometres", "kg": "kilograms", "m": "metres", "l": "litres"}


def _past(value: tuple) -> str:
    return VERBS[value[0]][1]


def _present(value: tuple) -> str:
    base, is_plural = value
    return base if is_plural else VERBS[base][0]


def _noon(value: tuple) -> str:
    hour, minute = value
    return f"{(hour - 1) % 12 + 1}:{minute:02} {'am' if hour < 12 else 'pm'}"


ENGLISH_AXES: dict[str, Axis] = {
    "date": {
        "iso": lambda v: f"{v[0]}-{v[1]:02}-{v[2]:02}",
        "day_first": lambda v: f"{v[2]} {MONTHS[v[1] - 1]} {v[0]}",
        "month_first": lambda v: f"{MONTHS[v[1] - 1]} {v[2]}, {v[0]}",
        "slashes": lambda v: f"{v[2]:02}/{v[1]:02}/{v[0]}",
    },
    "clock": {"24h": lambda v: f"{v[0]:02}:{v[1]:02}", "12h": _noon},
    "small": {"digits": lambda v: str(v[0]), "words": lambda v: NUMBER_WORDS[v[0]]},
    "big": {"plain": lambda v: str(v[0]), "commas": lambda v: f"{v[0]:,}"},
    "percent": {"sign": lambda v: f"{v[0]}%", "word": lambda v: f"{v[0]} percent"},
    "money": {"sign": lambda v: f"${v[0]}", "word": lambda v: f"{v[0]} dollars"},
    "unit": {
        "short": lambda v: f"{v[0]} {v[1]}",
        "long": lambda v: f"{v[0]} {_UNITS[v[1]]}",
    },
    "tone": {"informal": lambda v: v[0], "formal": lambda v: INFORMAL[v[0]]},
    "tense": {"past": _past, "present": _present, "future": lambda v: f"will {v[0]}"},
    "polite": {"plain": lambda v: v[0], "please": lambda v: f"please {v[0]}"},
}
"""Each axis with its forms; the first form is the one that keys are written in."""
