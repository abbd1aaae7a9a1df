"""`multiplication`: two factors, the product first and then one partial product per digit (or the other way round).

Each line but the first ends with the total so far, so that each number is the sum of two, never of more.
"""

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from redraft.errors import PromptError
from redraft.tasks.dials import check_range, read_dials
from redraft.tasks.holdout import draw_from_split
from redraft.tasks.phrasing import phrased
from redraft.tasks.problem import Dials, Language, Order, Problem, Split, Verdict, answer_and_rest
from redraft.tasks.puzzle_phrasing import MULTIPLICATION
from redraft.text.slots import Field

__all__ = ["Multiplication", "MultiplicationDials"]

MAX_DIGITS = 4
"""Most digits of a factor: four lines of nineteen and twenty-eight tokens, product and end fit a canvas of 120."""

PRODUCT_WIDTH = 2 * MAX_DIGITS
"""Tokens of the slot of a product, whole or partial."""

LARGEST_FACTOR = 10**MAX_DIGITS - 1
"""The largest number of four digits."""

MAX_ATTEMPTS = 5000
"""Draws before a split is reported as unreachable: only dials that leave a few problems can make that happen."""

_LINE = re.compile(r"\s*([0-9]{1,9})\s*[×*xX·]\s*([0-9]{1,9})\s*=\s*([0-9]{1,18})\s*(?:->\s*([0-9]{1,18})\s*)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class MultiplicationDials:
    """How long the factors are; each length is uniform between its bounds, and either factor may stand first."""

    min_digits: int = 2
    """Fewest digits of one factor."""
    max_digits: int = 4
    """Most digits of that factor."""
    min_other_digits: int = 1
    """Fewest digits of the other factor."""
    max_other_digits: int = 4
    """Most digits of the other factor."""

    def __post_init__(self) -> None:
        check_range("multiplication digits", self.min_digits, self.max_digits, least=2, most=MAX_DIGITS)
        other = (self.min_other_digits, self.max_other_digits)
        check_range("multiplication other_digits", *other, least=1, most=MAX_DIGITS)


class Multiplication:
    """Generator and verifier; see ``docs/tasks.md`` for the distribution."""

    name = "multiplication"

    def make_dials(self, **table: object) -> MultiplicationDials:
        """The generator's settings from a recipe's table."""
        return read_dials(MultiplicationDials, table, self.name)

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
        dials = dials or MultiplicationDials()
        assert isinstance(dials, MultiplicationDials), f"not MultiplicationDials but {type(dials).__name__}"

        def draw() -> list[int]:
            factors = [
                _factor(rng, rng.randint(dials.min_digits, dials.max_digits)),
                _factor(rng, rng.randint(dials.min_other_digits, dials.max_other_digits)),
            ]
            rng.shuffle(factors)
            return factors

        first, second = draw_from_split(draw, lambda factors: _key(*factors), split, attempts=MAX_ATTEMPTS)
        return self.of(first, second, rng=rng, order=order, language=language)

    def of(
        self,
        first: int,
        second: int,
        *,
        rng: random.Random | None = None,
        order: Order = "answer_first",
        language: Language | None = "en",
    ) -> Problem:
        """The problem of two given factors.

        Args:
            first: The factor that stands first in the prompt.
            second: The factor that stands second.
            rng: Chooses the wording; None: always the same one.
            order: Whether the product stands first or last.
            language: Language of the prompt; None: any.

        Returns:
            The problem, whatever split its key belongs to.

        Raises:
            PromptError: If a factor is out of range.
        """
        if not 1 <= min(first, second) <= max(first, second) <= LARGEST_FACTOR:
            raise PromptError(f"can't multiply {first} by {second}; use factors from 1 to {LARGEST_FACTOR}")
        smaller, larger = sorted((first, second))
        lines = _lines_fields(larger, _parts(smaller))
        return phrased(
            MULTIPLICATION,
            {"a": first, "b": second},
            task=self.name,
            key=_key(first, second),
            answer=(Field(str(first * second), PRODUCT_WIDTH),),
            derivation=tuple(field for line in lines for field in (*line, Field("\n", 1)))[:-1],
            num_steps=len(lines),
            order=order,
            language=language,
            rng=rng or random.Random(0),
        )

    def verify(self, problem: Problem, text: str) -> Verdict:
        """Judges any text whatever.

        The product must be exact, and the lines exactly one factor's partial products; totals may be left out, but
        where one is given it must be the sum of the lines down to it.
        """
        smaller, larger = (int(factor) for factor in problem.key.removeprefix(f"{self.name}:").split("*"))
        answer, rest = answer_and_rest(text, problem.order)
        answer_is_correct = answer == str(smaller * larger)
        found = _read(rest)
        given = Counter(pair for pair in found if pair is not None)
        is_derivation_valid = None not in found and given in (_wanted(larger, smaller), _wanted(smaller, larger))
        reason = ""
        if not answer_is_correct:
            reason = f"the product is {answer[:20]!r}, not {smaller * larger}"
        elif not is_derivation_valid:
            wrong = [line for line, pair in zip(rest, found, strict=True) if pair is None]
            reason = f"not true: {wrong[0][:40]!r}" if wrong else "these are not the partial products of either factor"
        return Verdict(
            answer_is_correct=answer_is_correct,
            is_derivation_valid=is_derivation_valid,
            num_lines=len(rest),
            num_true_lines=sum(pair is not None for pair in found),
            reason=reason,
        )


def _factor(rng: random.Random, num_digits: int) -> int:
    """A number of so many digits; 1 is left out, as it asks nothing."""
    return rng.randint(max(2, 10 ** (num_digits - 1)), 10**num_digits - 1)


def _key(first: int, second: int) -> str:
    """The smaller factor first: the order of asking is no part of it."""
    return f"{Multiplication.name}:{min(first, second)}*{max(first, second)}"


def _parts(factor: int) -> list[int]:
    """What each digit stands for, from the ones up, zeros included: 305 gives 5, 0 and 300."""
    return [int(digit) * 10**place for place, digit in enumerate(reversed(str(factor)))]


def _lines_fields(multiplicand: int, parts: Sequence[int]) -> list[tuple[Field, ...]]:
    """Of each line: multiplicand, sign, what the digit stands for, equals, product; but for the first, the total."""
    lines: list[tuple[Field, ...]] = []
    total = 0
    for part in parts:
        total += multiplicand * part
        line = (
            Field(str(multiplicand), MAX_DIGITS),
            Field(" × ", 1),
            Field(str(part), MAX_DIGITS),
            Field(" = ", 1),
            Field(str(multiplicand * part), PRODUCT_WIDTH),
        )
        lines.append((*line, Field(" -> ", 1), Field(str(total), PRODUCT_WIDTH)) if lines else line)
    return lines


def _read(lines: Sequence[str]) -> list[tuple[int, int] | None]:
    """The two factors of each true line, the smaller one first; None for any other line."""
    found: list[tuple[int, int] | None] = []
    total = 0
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None:
            found.append(None)
            continue
        first, second, product = (int(number) for number in match.groups()[:3])
        total += product
        is_true = first * second == product and match[4] in (None, str(total))
        found.append((min(first, second), max(first, second)) if is_true else None)
    return found


def _wanted(multiplicand: int, multiplier: int) -> Counter[tuple[int, int]]:
    return Counter((min(multiplicand, part), max(multiplicand, part)) for part in _parts(multiplier))
