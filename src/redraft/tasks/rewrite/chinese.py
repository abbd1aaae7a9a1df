"""Chinese texts as pieces, the forms of their slots, and the faults that are planted in them."""

import random
import re

from redraft.tasks.rewrite.chinese_templates import INFORMAL_CHINESE, LISTS, MISSPELLED, TEMPLATES
from redraft.tasks.rewrite.pieces import Axis, Piece, Slot
from redraft.tasks.rewrite.templates import fill

__all__ = ["CHINESE_AXES", "CHINESE_FAULTS", "chinese_text", "numeral"]

_DIGITS = "零一二三四五六七八九"
_HALF_WIDTH = {"。": ".", "，": ",", "？": "?"}


def numeral(number: int) -> str:
    """A whole number below one hundred in Chinese numerals.

    >>> numeral(7), numeral(10), numeral(15), numeral(42)
    ('七', '十', '十五', '四十二')
    """
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else _DIGITS[tens] + "十"
    return head + (_DIGITS[ones] if ones or not tens else "")


def _clock_in_words(value: tuple) -> str:
    hour, minute = value
    half = "上午" if hour < 12 else "下午"
    return f"{half}{(hour - 1) % 12 + 1}点" + (f"{minute}分" if minute else "")


CHINESE_AXES: dict[str, Axis] = {
    "date": {
        "iso": lambda v: f"{v[0]}-{v[1]:02}-{v[2]:02}",
        "characters": lambda v: f"{v[0]}年{v[1]}月{v[2]}日",
        "slashes": lambda v: f"{v[0]}/{v[1]}/{v[2]}",
    },
    "clock": {"24h": lambda v: f"{v[0]:02}:{v[1]:02}", "12h": _clock_in_words},
    "small": {"digits": lambda v: str(v[0]), "words": lambda v: numeral(v[0])},
    "percent": {"sign": lambda v: f"{v[0]}%", "word": lambda v: f"百分之{numeral(v[0])}"},
    "money": {"word": lambda v: f"{v[0]}元", "sign": lambda v: f"¥{v[0]}"},
    "tone": {"informal": lambda v: v[0], "formal": lambda v: INFORMAL_CHINESE[v[0]]},
    "polite": {"plain": lambda v: v[0], "please": lambda v: f"请{v[0]}"},
}
"""Each axis with its forms; the first form is the one that keys are written in."""

_BY_AXIS: dict[str, list[str]] = {
    axis: [text for text in TEMPLATES if f"<{axis}" in text or (axis == "tone" and "[" in text)]
    for axis in CHINESE_AXES
}


def chinese_text(rng: random.Random, num_sentences: int, axes: tuple[str, ...]) -> list[Piece]:
    """Draw a text in which every one of some axes occurs.

    Args:
        rng: Chooses templates and words.
        num_sentences: How many sentences; more if the axes need more.
        axes: What must occur.

    Returns:
        The pieces.
    """
    chosen = [rng.choice(_BY_AXIS[axis]) for axis in axes]
    while len(chosen) < num_sentences:
        chosen.append(rng.choice(TEMPLATES))
    rng.shuffle(chosen)
    return [piece for template in chosen for piece in fill(template, LISTS, _slot, rng)]


def _slot(kind: str, word: str, rng: random.Random) -> Slot:
    return Slot(kind, (word,) if word else _value(kind, rng))


def _value(kind: str, rng: random.Random) -> tuple[int, ...]:
    if kind == "date":
        return rng.randint(1990, 2030), rng.randint(1, 12), rng.randint(1, 28)
    if kind == "clock":
        return rng.randint(0, 23), rng.choice((0, 10, 15, 20, 30, 40, 45, 50))
    # Two has another word before a measure word, so counting begins at three.
    low, high = {"small": (3, 20), "percent": (3, 99), "money": (3, 950)}[kind]
    return (rng.randint(low, high),)


def _misspell(text: str, rng: random.Random, count: int) -> str | None:
    found = [word for word in MISSPELLED if word in text]
    if not found:
        return None
    for word in rng.sample(found, min(count, len(found))):
        text = text.replace(word, MISSPELLED[word], 1)
    return text


def _spoil_spacing(text: str, rng: random.Random, count: int) -> str | None:
    for _ in range(count):
        place = rng.randrange(1, len(text))
        text = text[:place] + " " * rng.randint(1, 2) + text[place:]
    return text


def _spoil_marks(text: str, rng: random.Random, count: int) -> str | None:
    for _ in range(count):
        marks = [match.start() for match in re.finditer("[。，？]", text)]
        if not marks:
            break
        place = rng.choice(marks)
        mark = text[place]
        wrong = rng.choice((_HALF_WIDTH[mark], _HALF_WIDTH[mark], mark * 2, "" if place == len(text) - 1 else mark * 2))
        text = text[:place] + wrong + text[place + 1 :]
    return text


CHINESE_FAULTS = {"typos": _misspell, "marks": _spoil_marks, "spacing": _spoil_spacing}
"""In the order in which they are planted."""
