"""Does to a right text what happens to texts: slips of the keyboard, wrong, missing, doubled and swapped pieces."""

import random
from collections.abc import Callable

from redraft.text import Tokenizer

__all__ = ["Damage", "slip"]

_LONGEST_PIECE = 4
"""Most tokens that go missing, are doubled or become something else at once."""

_KEYS = "abcdefghijklmnopqrstuvwxyz"


class Damage:
    """Damages texts; what it does is a function of the generator's state alone.

    Args:
        tokenizer: Of the model.
        max_errors: Most damages done to one text.
    """

    def __init__(self, tokenizer: Tokenizer, max_errors: int) -> None:
        self.tokenizer = tokenizer
        self.max_errors = max_errors
        self._digits = list(tokenizer.digit_token_ids)
        # Pieces of characters would read as U+FFFD, which nobody types.
        ids = range(tokenizer.special.first)
        self._ordinary = [token for token in ids if "�" not in tokenizer.token_text(token)]
        self._kinds: tuple[tuple[Callable[[random.Random, list[int]], list[int]], int], ...] = (
            (self._replace, 4),
            (self._remove, 3),
            (self._double, 2),
            (self._swap, 2),
        )

    def apply(self, rng: random.Random, text: str) -> str:
        """Damage a text once or several times.

        Args:
            rng: Source of every draw.
            text: The right text.

        Returns:
            Another text as a rule; a damage may undo another, or change nothing.
        """
        num_errors = rng.randint(1, rng.randint(1, self.max_errors))
        num_slips = sum(rng.random() < 0.5 for _ in range(num_errors))
        tokens = self.tokenizer.encode(text)
        kinds, weights = zip(*self._kinds, strict=True)
        for kind in rng.choices(kinds, weights=weights, k=num_errors - num_slips):
            tokens = kind(rng, tokens)
        text = self.tokenizer.decode(tokens)
        for _ in range(num_slips):
            text = slip(rng, text)
        return text

    def _replace(self, rng: random.Random, tokens: list[int]) -> list[int]:
        """Other tokens in place of a few; a digit mostly becomes a digit, as it does in decoding."""
        first, last = _piece(rng, tokens)
        new = []
        for token in tokens[first:last]:
            if token in self._digits and rng.random() < 0.8:
                new.append(rng.choice(self._digits))
            else:
                new.append(rng.choice(tokens) if rng.random() < 0.5 else rng.choice(self._ordinary))
        return tokens[:first] + new + tokens[last:]

    def _remove(self, rng: random.Random, tokens: list[int]) -> list[int]:
        first, last = _piece(rng, tokens)
        return tokens[:first] + tokens[last:]

    def _double(self, rng: random.Random, tokens: list[int]) -> list[int]:
        first, last = _piece(rng, tokens)
        return tokens[:last] + tokens[first:]

    def _swap(self, rng: random.Random, tokens: list[int]) -> list[int]:
        first, last = _piece(rng, tokens)
        end = min(len(tokens), last + rng.randint(1, 2))
        return tokens[:first] + tokens[last:end] + tokens[first:last] + tokens[end:]


def slip(rng: random.Random, text: str) -> str:
    """One slip of the keyboard inside a word, as far as there is one: a letter swapped, missing, doubled or wrong."""
    letters = [place for place, letter in enumerate(text) if letter.isalpha()]
    if not letters:
        return text
    place = rng.choice(letters)
    before, letter, after = text[:place], text[place], text[place + 1 :]
    match rng.randrange(5):
        case 0:
            return before + after[:1] + letter + after[1:]
        case 1:
            return before + after
        case 2:
            return before + letter + letter + after
        case 3:
            return before + letter.swapcase() + after
        case _:
            return before + rng.choice(_KEYS) + after


def _piece(rng: random.Random, tokens: list[int]) -> tuple[int, int]:
    """A short stretch; one token as often as all longer ones together."""
    if not tokens:
        return 0, 0
    first = rng.randrange(len(tokens))
    length = 1 if rng.random() < 0.5 else rng.randint(1, _LONGEST_PIECE)
    return first, min(len(tokens), first + length)
