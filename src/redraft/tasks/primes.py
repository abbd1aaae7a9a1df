"""`primes`: how many primes lie between two bounds, both included; the count and then the list, or the reverse."""

import random
import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from redraft.errors import PromptError
from redraft.tasks.dials import check_range, read_dials
from redraft.tasks.holdout import draw_from_split
from redraft.tasks.phrasing import PRIMES, phrased
from redraft.tasks.problem import Dials, Language, Order, Problem, Split, Verdict
from redraft.text.slots import Field

__all__ = ["MAX_BOUND", "Primes", "PrimesDials", "primes_between"]

MAX_BOUND = 1000
"""Largest bound: there are 168 primes below it."""

MAX_WIDTH = 100
"""Largest distance of the bounds: at most 25 primes, but for 2–102 and 3–103 with 26, which are never asked."""

MAX_PRIMES = 25
"""Longest list: with its count and the end it fits a canvas of 104 tokens."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PrimesDials:
    """Which bounds are asked for."""

    max_bound: int = MAX_BOUND
    """Largest upper bound."""
    min_width: int = 10
    """Least distance of the bounds."""
    max_width: int = MAX_WIDTH
    """Largest distance of the bounds; uniform between the two."""

    def __post_init__(self) -> None:
        check_range("primes width", self.min_width, self.max_width, least=1, most=MAX_WIDTH)
        check_range("primes max_bound", self.max_width + 2, self.max_bound, least=3, most=MAX_BOUND)


def _sieve(limit: int) -> list[int]:
    is_prime = [False, False] + [True] * (limit - 1)
    for number in range(2, int(limit**0.5) + 1):
        if is_prime[number]:
            is_prime[number * number :: number] = [False] * len(range(number * number, limit + 1, number))
    return [number for number, prime in enumerate(is_prime) if prime]


_PRIMES = _sieve(MAX_BOUND)


def primes_between(low: int, high: int) -> list[int]:
    """All primes from ``low`` to ``high``, both included.

    >>> primes_between(10, 19)
    [11, 13, 17, 19]
    """
    return _PRIMES[bisect_left(_PRIMES, low) : bisect_right(_PRIMES, high)]


class Primes:
    """Generator and verifier; see ``docs/tasks.md`` for the distribution."""

    name = "primes"

    def make_dials(self, **table: object) -> PrimesDials:
        """The generator's settings from a recipe's table."""
        return read_dials(PrimesDials, table, self.name)

    def generate(
        self,
        rng: random.Random,
        *,
        split: Split | None = "train",
        order: Order = "answer_first",
        language: Language | None = None,
        dials: Dials | None = None,
    ) -> Problem:
        """A random problem of one split (None: of any)."""
        dials = dials or PrimesDials()
        assert isinstance(dials, PrimesDials), f"primes takes PrimesDials, not {type(dials).__name__}"
        settings = dials

        def draw() -> tuple[int, int] | None:
            width = rng.randint(settings.min_width, settings.max_width)
            low = rng.randint(2, settings.max_bound - width)
            return (low, low + width) if 1 <= len(primes_between(low, low + width)) <= MAX_PRIMES else None

        low, high = draw_from_split(draw, lambda bounds: _key(primes_between(*bounds)), split)
        return self.between(low, high, rng=rng, order=order, language=language)

    def between(
        self,
        low: int,
        high: int,
        *,
        rng: random.Random | None = None,
        order: Order = "answer_first",
        language: Language | None = "en",
    ) -> Problem:
        """The problem of two given bounds.

        Args:
            low: Lower bound, included.
            high: Upper bound, included.
            rng: Chooses the wording; None: always the same one.
            order: Whether the count stands first or last.
            language: Language of the prompt; None: any.

        Returns:
            The problem, whatever split its key belongs to.

        Raises:
            PromptError: If the bounds are out of range or out of order, or there are no or too many primes between.
        """
        if not 0 <= low <= high <= MAX_BOUND:
            raise PromptError(f"bounds {low} and {high} are impossible; use 0 <= low <= high <= {MAX_BOUND}")
        found = primes_between(low, high)
        if not 1 <= len(found) <= MAX_PRIMES:
            raise PromptError(f"{len(found)} primes lie between {low} and {high}; choose bounds with 1 to {MAX_PRIMES}")
        return phrased(
            PRIMES,
            {"low": low, "high": high},
            task=self.name,
            key=_key(found),
            answer=(Field(str(len(found)), 2),),
            derivation=tuple(field for prime in found for field in (Field(str(prime), 3), Field(", ", 1)))[:-1],
            num_steps=len(found),
            order=order,
            language=language,
            rng=rng or random.Random(0),
        )

    def verify(self, problem: Problem, text: str) -> Verdict:
        """Judges any text whatever: the count must be exact, and the list exactly the primes in ascending order."""
        first, last = (int(bound) for bound in problem.key.removeprefix(f"{self.name}:").split("-"))
        wanted = primes_between(first, last)
        lines = text[:4000].strip("\n").split("\n")
        is_answer_first = problem.order == "answer_first"
        count, listed = (lines[0], lines[1:]) if is_answer_first else (lines[-1], lines[:-1])
        numbers = [int(word) for word in re.findall(r"[0-9]{1,6}", " ".join(listed))]
        answer_is_correct = count.strip() == str(len(wanted))
        is_list_right = numbers == wanted and len(listed) == 1
        reason = ""
        if not answer_is_correct:
            reason = f"the count is {count.strip()[:20]!r}, not {len(wanted)}"
        elif not is_list_right:
            odd = sorted(set(numbers) ^ set(wanted))
            reason = f"the list is wrong at {odd[0]}" if odd else "the list is out of order or not on one line"
        return Verdict(
            answer_is_correct=answer_is_correct,
            is_derivation_valid=is_list_right,
            num_lines=len(numbers),
            num_true_lines=sum(number in set(wanted) for number in numbers),
            reason=reason,
        )


def _key(found: list[int]) -> str:
    """Bounds with the same primes between them are the same problem."""
    return f"{Primes.name}:{found[0]}-{found[-1]}"
