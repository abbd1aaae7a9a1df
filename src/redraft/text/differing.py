"""Finds where a draft and its revised text differ: token by token or, of texts cut into characters, word by word.

Compared letter by letter, "shell" and "report" share an "e", and what replaces the one by the other would depend on it.
A reader sees one word in place of another; only words that are nearly the same, as after a typing mistake or in
capitals, are compared by their letters.
"""

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from itertools import accumulate
from typing import NamedTuple, TypeVar

__all__ = ["SIMILAR", "Difference", "differing"]

_Token = TypeVar("_Token", int, tuple[int, ...])

SIMILAR = 0.6
"""From this ratio of common letters on, upper and lower case alike, two words count as forms of one word."""


class Difference(NamedTuple):
    """A stretch of the draft and the stretch of the revised text that stands in its place; one of them may be empty."""

    start: int
    """First token of the draft."""
    end: int
    """The token behind its last."""
    text_start: int
    """First token of the revised text."""
    text_end: int
    """The token behind its last."""
    is_new: bool
    """Whether these are other words, not other letters of the same."""


def differing(draft: Sequence[int], text: Sequence[int], letters: Mapping[int, int] | None = None) -> list[Difference]:
    """Compare a draft with its revised text.

    >>> differing([5, 6, 7], [5, 8, 7])
    [Difference(start=1, end=2, text_start=1, text_end=2, is_new=False)]

    Args:
        draft: Ids without slots.
        text: Ids without slots.
        letters: The ids that words are made of, each with the id of its lower case; None compares token by token.

    Returns:
        The differences in order; between two of them at least one token is the same.
    """
    if letters is None:
        return _by_token(draft, text)
    words, new_words = _words(draft, letters), _words(text, letters)
    starts = list(accumulate((len(word) for word in words), initial=0))
    new_starts = list(accumulate((len(word) for word in new_words), initial=0))
    found: list[Difference] = []
    for one in _by_token(words, new_words):
        start, text_start = starts[one.start], new_starts[one.text_start]
        old, new = draft[start : starts[one.end]], text[text_start : new_starts[one.text_end]]
        if _is_similar(old, new, letters):
            inner = _by_token(old, new)
        else:
            inner = [Difference(0, len(old), 0, len(new), is_new=bool(old) and bool(new))]
        found += [
            Difference(start + a, start + b, text_start + c, text_start + d, is_new) for a, b, c, d, is_new in inner
        ]
    return found


def _by_token(draft: Sequence[_Token], text: Sequence[_Token]) -> list[Difference]:
    codes = SequenceMatcher(None, draft, text, autojunk=False).get_opcodes()
    return [Difference(a, b, c, d, is_new=False) for kind, a, b, c, d in codes if kind != "equal"]


def _words(ids: Sequence[int], letters: Mapping[int, int]) -> list[tuple[int, ...]]:
    """Cut into words; what is no letter stands for itself."""
    words: list[list[int]] = []
    for place, token in enumerate(ids):
        if place and token in letters and ids[place - 1] in letters:
            words[-1].append(token)
        else:
            words.append([token])
    return [tuple(word) for word in words]


def _is_similar(old: Sequence[int], new: Sequence[int], letters: Mapping[int, int]) -> bool:
    lower, new_lower = ([letters.get(token, token) for token in ids] for ids in (old, new))
    return SequenceMatcher(None, lower, new_lower, autojunk=False).ratio() >= SIMILAR
