"""Revisions that name what they change: a word replaced, deleted or inserted, all capitals, a variable, arguments."""

import random
import re
from dataclasses import dataclass

from redraft.tasks.rewrite.chinese_templates import LISTS
from redraft.tasks.rewrite.code import NAMES, Call, names_in, rename
from redraft.tasks.rewrite.english_words import ADJECTIVES, NOUNS, plural
from redraft.tasks.rewrite.english_words import NAMES as PEOPLE

__all__ = ["Change", "change"]

_BEFORE = ("very", "really", "rather", "quite")


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A source and a target that the change is in."""

    source: str
    """The text before."""
    target: str
    """The text after."""
    entry: str
    """Key of its wordings."""
    named: dict[str, str]
    """What the wording names."""


def change(
    kind: str, source: str, target: str, rng: random.Random, *, call: Call | None, is_right: bool
) -> Change | None:
    """Make one change.

    Args:
        kind: Which.
        source: The text before, so far.
        target: The text after, so far.
        rng: Chooses what is changed.
        call: Whose arguments are put in order, if that is the change.
        is_right: Whether both have to be alike, which only all capitals and no capitals allow.

    Returns:
        The changed texts; None if there is nothing in this text to be changed so.
    """
    if kind in ("upper", "lower"):
        after = target.upper() if kind == "upper" else target.lower()
        return Change(source=after if is_right else source, target=after, entry=kind, named={})
    if is_right:
        return None
    if call is not None:
        return _order(source, call, rng)
    found = {"replace": _replaced, "delete": _deleted, "insert": _inserted, "rename": _renamed}[kind](target, rng)
    if found is None:
        return None
    after, named = found
    return Change(source=source, target=after, entry=kind, named=named)


def _words_of(text: str) -> list[str]:
    return re.findall(r"[A-Za-z]+", text)


def _is_vowel(word: str) -> bool:
    return word[0] in "aeiou"


def _replaced(text: str, rng: random.Random) -> tuple[str, dict[str, str]] | None:
    if not text.isascii():
        return _replaced_chinese(text, rng)
    words = _words_of(text)
    nouns = [word for word in words if word in NOUNS and plural(word) not in words and word not in ADJECTIVES]
    people = [word for word in words if word in PEOPLE]
    if not nouns and not people:
        return None
    old = rng.choice(nouns + people)
    pool = PEOPLE if old in people else NOUNS
    others = [word for word in pool if word not in words and _is_vowel(word) == _is_vowel(old)]
    new = rng.choice([word for word in others if plural(word) not in words])
    return re.sub(rf"\b{old}\b", new, text), {"a": old, "b": new}


def _replaced_chinese(text: str, rng: random.Random) -> tuple[str, dict[str, str]] | None:
    lists = [LISTS[name] for name in ("noun", "name", "place", "food")]
    found = [(word, entries) for entries in lists for word in entries if len(word) > 1 and word in text]
    if not found:
        return None
    old, entries = rng.choice(found)
    new = rng.choice([word for word in entries if word not in text])
    return text.replace(old, new), {"a": old, "b": new}


def _deleted(text: str, rng: random.Random) -> tuple[str, dict[str, str]] | None:
    found = [
        word for word in re.findall(r"\bthe ([a-z]+) [a-z]", text) if word in ADJECTIVES and _is_single(word, text)
    ]
    if not found:
        return None
    word = rng.choice(found)
    return text.replace(f" {word} ", " "), {"a": word}


def _inserted(text: str, rng: random.Random) -> tuple[str, dict[str, str]] | None:
    found = [word for word in _words_of(text) if word in ADJECTIVES and _is_single(word, text)]
    found = [word for word in found if not re.search(rf"\ban? {word}\b", text, re.IGNORECASE)]
    if not found:
        return None
    word, new = rng.choice(found), rng.choice(_BEFORE)
    return re.sub(rf"\b{word}\b", f"{new} {word}", text), {"a": word, "b": new}


def _is_single(word: str, text: str) -> bool:
    return len(re.findall(rf"\b{word}\b", text)) == 1


def _renamed(text: str, rng: random.Random) -> tuple[str, dict[str, str]] | None:
    found = names_in(text)
    if not found:
        return None
    old = rng.choice(found)
    new = rng.choice([name for name in NAMES if not re.search(rf"\b{name}\b", text)])
    return rename(text, old, new), {"a": old, "b": new}


def _order(source: str, call: Call, rng: random.Random) -> Change:
    """Put a call below the text, which is empty half of the time."""
    ways = {
        "swap": (call.arguments[1], call.arguments[0], *call.arguments[2:]),
        "reverse": call.arguments[::-1],
        "last": (call.arguments[-1], *call.arguments[:-1]),
    }
    if all(argument.isalpha() for argument in call.arguments):
        ways["sort"] = tuple(sorted(call.arguments))
    way = rng.choice([way for way, arguments in ways.items() if arguments != call.arguments])
    before = f"{source}\n" if source else ""
    return Change(
        source=before + call.written(),
        target=before + call.written(ways[way]),
        entry=f"order/{way}",
        named={"a": call.function},
    )
