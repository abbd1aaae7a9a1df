"""Arguments to try a program with: the bounds of each kind, and random ones."""

import random
from functools import cache
from typing import Any

from redraft.tasks.programs.operations import Kind

__all__ = ["grading_inputs", "probes"]

NUM_RANDOM_PROBES = 20
"""Beside the bounds: enough for a rare letter or a run of three to occur."""

_STOCK = (
    *(
        "ant",
        "box",
        "cat",
        "dog",
        "egg",
        "fig",
        "level",
        "noon",
        "Anna",
        "tree",
        "stone",
        "river",
        "mint",
        "i",
        "toast",
    ),
    *("apple", "Oslo", "eat", "rotator", "it", "moss", "sun", "area", "nut", "Rome", "tea", "essence", "minimum"),
)
_SIGNS = ("!", ",", "7", "42", "A1", "-", "3 4")

_BOUNDS: dict[Kind, tuple[Any, ...]] = {
    "ints": ([], [0], [5], [-3], [2, 2, 2, 7], [3, 1, 2], list(range(1, 11)), [10, 9, 4, 3, 3, -1]),
    "words": ([], [""], ["a"], ["noon", "noon", "Oslo"], ["ant", "box", "cat", "dog"], ["toast", "tea", "i"]),
    "text": ("", " ", "a", "noon", "Never odd  or even", "  tea at 5, ok ", "ABC abc 123", "aaa"),
    "number": (0, 1, 2, -1, -7, 5, 7, 12, 16, 30),
    "counts": ({}, {"ant": 0}, {"box": 7}, {"cat": -2, "dog": 5, "ant": 5}, {"egg": 1, "fig": 10, "zoo": 10}),
}


def probes(kind: Kind) -> list[Any]:
    """The same arguments for every program that takes this kind; nobody may change them."""
    return _probes(kind)


@cache
def _probes(kind: Kind) -> list[Any]:
    rng = random.Random(f"probes/{kind}")
    return [*_BOUNDS[kind], *(_random(kind, rng) for _ in range(NUM_RANDOM_PROBES))]


def grading_inputs(kind: Kind, key: str, count: int) -> list[Any]:
    """Random arguments that depend on a problem.

    Args:
        kind: Kind of argument.
        key: The problem's key.
        count: How many.

    Returns:
        The arguments.
    """
    rng = random.Random(f"grading/{key}")
    return [_random(kind, rng) for _ in range(count)]


def _random(kind: Kind, rng: random.Random) -> Any:
    if kind == "number":
        return rng.randint(-4, 40)
    if kind == "ints":
        low, high = rng.choice(((-9, 12), (0, 12), (1, 30), (-3, 5)))
        return [rng.randint(low, high) for _ in range(rng.randint(2, 9))]
    if kind == "counts":
        return {word: rng.randint(-3, 12) for word in rng.sample(_STOCK[:9], rng.randint(2, 5))}
    words = [_word(rng) for _ in range(rng.randint(2, 7))]
    if kind == "words":
        return words
    words += rng.sample(_SIGNS, rng.randint(0, 2))
    rng.shuffle(words)
    return rng.choice((" ", " ", "  ")).join(words)


def _word(rng: random.Random) -> str:
    word = rng.choice(_STOCK)
    return rng.choice((word, word, word, word.upper(), word.capitalize(), word[::-1]))
