"""Faults that are planted in a right English text, each such that only one text without it is possible.

A misspelled word is no word of the lexicon and only one word of it is a single slip away.
"""

import random
import re

from redraft.tasks.rewrite.english import ENGLISH_LEXICON

__all__ = ["ENGLISH_FAULTS", "misspell", "neighbours", "spoil_casing", "spoil_marks", "spoil_spacing"]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_WORD = re.compile(r"(?<![A-Za-z'])[a-z]{4,}(?![A-Za-z'])")
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_MAX_TRIES = 12


def neighbours(word: str) -> set[str]:
    """The words of the lexicon that are one slip (swap, loss, extra letter, other letter) from some letters.

    >>> neighbours("tabel")
    {'table'}
    """
    splits = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    slips = {left + right[1:] for left, right in splits if right}
    slips |= {left + right[1] + right[0] + right[2:] for left, right in splits if len(right) > 1}
    slips |= {left + letter + right[1:] for left, right in splits if right for letter in _LETTERS}
    slips |= {left + letter + right for left, right in splits for letter in _LETTERS}
    return slips & ENGLISH_LEXICON


def misspell(text: str, rng: random.Random, count: int) -> str | None:
    """Misspell up to `count` words; None if there is none that can be."""
    matches = [match for match in _WORD.finditer(text) if match[0] in ENGLISH_LEXICON]
    rng.shuffle(matches)
    slips: list[tuple[int, int, str]] = []
    for match in matches:
        if len(slips) == count:
            break
        wrong = _slip(match[0], rng)
        if wrong is not None:
            slips.append((match.start(), match.end(), wrong))
    for start, end, wrong in sorted(slips, reverse=True):
        text = text[:start] + wrong + text[end:]
    return text if slips else None


def _slip(word: str, rng: random.Random) -> str | None:
    for _ in range(_MAX_TRIES):
        place = rng.randrange(len(word) - 1)
        kind = rng.choice(("swap", "swap", "drop", "drop", "double", "key", "insert"))
        head, tail = word[:place], word[place:]
        if kind == "swap":
            wrong = head + tail[1] + tail[0] + tail[2:]
        elif kind == "drop":
            wrong = word[: place + 1] + word[place + 2 :]
        elif kind == "double":
            wrong = head + tail[0] + tail
        else:
            row = next(row for row in _KEYS if tail[0] in row)
            near = row[max(0, row.index(tail[0]) - 1) : row.index(tail[0]) + 2].replace(tail[0], "")
            wrong = head + rng.choice(near) + (tail if kind == "insert" else tail[1:])
        if wrong not in ENGLISH_LEXICON and neighbours(wrong) == {word}:
            return wrong
    return None


def spoil_spacing(text: str, rng: random.Random, count: int) -> str | None:
    """Double spaces, put one before a mark, leave one out after a comma, or begin or end with one."""
    for _ in range(count):
        places = [match.start() for match in re.finditer(" ", text)]
        marks = [match.start() for match in re.finditer(r"(?<=[A-Za-z])[,.?](?= |$)", text)]
        commas = [match.start() for match in re.finditer(r"(?<=[A-Za-z]), (?=[A-Za-z])", text)]
        kind = rng.choice(("double", "double", "mark", "comma", "edge"))
        if kind == "mark" and marks:
            place = rng.choice(marks)
            text = text[:place] + " " + text[place:]
        elif kind == "comma" and commas:
            place = rng.choice(commas)
            text = text[: place + 1] + text[place + 2 :]
        elif kind == "edge" and not text.startswith(" "):
            text = " " + text
        else:
            place = rng.choice(places)
            text = text[:place] + " " * rng.randint(1, 2) + text[place:]
    return text


def spoil_casing(text: str, rng: random.Random, count: int) -> str | None:
    """Take capitals away where they belong, or give whole words capitals where they don't."""
    for _ in range(count):
        capitals = list(re.finditer(r"\b[A-Z][a-z]+", text))
        plain = list(re.finditer(r"(?<!['A-Za-z])[a-z]{3,}(?!['A-Za-z])", text))
        if capitals and (rng.random() < 0.6 or not plain):
            match = rng.choice(capitals)
            wrong = match[0].lower() if rng.random() < 0.8 else match[0].upper()
        elif plain:
            match = rng.choice(plain)
            wrong = match[0].upper() if rng.random() < 0.5 else match[0].capitalize()
        else:
            return None
        text = text[: match.start()] + wrong + text[match.end() :]
    return text


def spoil_marks(text: str, rng: random.Random, count: int) -> str | None:
    """Leave the last mark out, double one, or lose the apostrophe of a contraction."""
    for _ in range(count):
        marks = [match.start() for match in re.finditer(r"(?<=[A-Za-z])[,.?](?= |$)", text)]
        contracted = [match.start(1) for match in re.finditer(r"n(')t\b", text)]
        kind = rng.choice(("end", "double", "contraction"))
        if kind == "contraction" and contracted:
            place = rng.choice(contracted)
            text = text[:place] + text[place + 1 :]
        elif kind == "end" and text.endswith((".", "?")):
            text = text.rstrip(".?")
        elif marks:
            place = rng.choice(marks)
            text = text[:place] + text[place] * rng.randint(1, 2) + text[place:]
    return text


ENGLISH_FAULTS = {
    "typos": misspell,
    "marks": spoil_marks,
    "casing": spoil_casing,
    "spacing": spoil_spacing,
}
"""In the order in which they are planted, each reading what the ones before left."""
