"""`countdown`: reach a target from a few numbers; the expression and then its operations, or the other way round."""

import random
import re
from dataclasses import dataclass

from redraft.errors import PromptError
from redraft.tasks.countdown_judge import check_expression, check_steps
from redraft.tasks.countdown_search import MAX_NUMBERS, random_target, solution
from redraft.tasks.dials import check_range, read_dials
from redraft.tasks.expression import LARGEST_NUMBER, reductions
from redraft.tasks.holdout import draw_from_split
from redraft.tasks.lines import NUMBER_WIDTH, derivation_fields
from redraft.tasks.phrasing import phrased
from redraft.tasks.problem import Dials, Language, Order, Problem, Split, Verdict, answer_and_rest
from redraft.tasks.puzzle_phrasing import COUNTDOWN
from redraft.tasks.spelling import UNICODE, spell
from redraft.text.slots import Field

__all__ = ["Countdown", "CountdownDials"]

MIN_TARGET = 10
"""Smallest target that is drawn: smaller ones are reached by chance."""

BRACKET_WIDTH = 2
"""Tokens for the brackets before or after a number: with four numbers they are never deeper."""

MAX_ATTEMPTS = 5000
"""Draws before a split is reported as unreachable: only dials that leave a few problems can make that happen."""

_SEPARATORS = (", ", " ", ",", "; ", "、", "，")
_PIECE = re.compile(r"(\(*)([0-9]+)(\)*)( [+−×÷] )?")


@dataclass(frozen=True, kw_only=True, slots=True)
class CountdownDials:
    """How many numbers, and how large."""

    min_numbers: int = 3
    """Fewest numbers."""
    max_numbers: int = 4
    """Most numbers; how many is uniform between the two."""
    max_number: int = 50
    """Largest number; each is uniform from 1."""
    max_target: int = 100
    """Largest target."""

    def __post_init__(self) -> None:
        check_range("countdown numbers", self.min_numbers, self.max_numbers, least=3, most=MAX_NUMBERS)
        check_range("countdown max_number", 10, self.max_number, least=10, most=100)
        check_range("countdown max_target", 50, self.max_target, least=50, most=LARGEST_NUMBER)


class Countdown:
    """Generator and verifier; see ``docs/tasks.md`` for the distribution."""

    name = "countdown"

    def make_dials(self, **table: object) -> CountdownDials:
        """The generator's settings from a recipe's table."""
        return read_dials(CountdownDials, table, self.name)

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
        dials = dials or CountdownDials()
        assert isinstance(dials, CountdownDials), f"countdown takes CountdownDials, not {type(dials).__name__}"
        count = rng.randint(dials.min_numbers, dials.max_numbers)

        def draw() -> tuple[list[int], int] | None:
            numbers = [rng.randint(1, dials.max_number) for _ in range(count)]
            target = random_target(numbers, rng)
            return (numbers, target) if MIN_TARGET <= target <= dials.max_target and target not in numbers else None

        numbers, target = draw_from_split(draw, lambda drawn: _key(*drawn), split, attempts=MAX_ATTEMPTS)
        return self.of(numbers, target, rng=rng, order=order, language=language)

    def of(
        self,
        numbers: list[int],
        target: int,
        *,
        rng: random.Random | None = None,
        order: Order = "answer_first",
        language: Language | None = "en",
    ) -> Problem:
        """The problem of given numbers and a target.

        Args:
            numbers: What to start from, in the order of the prompt.
            target: What to reach; none of the numbers.
            rng: Chooses the wording; None: always the same one.
            order: Whether the expression stands first or last.
            language: Language of the prompt; None: any.

        Returns:
            The problem, whatever split its key belongs to.

        Raises:
            PromptError: If the numbers are too many, too few or out of range, or the target is given or out of reach.
        """
        rng = rng or random.Random(0)
        if not 2 <= len(numbers) <= MAX_NUMBERS or not all(1 <= number <= LARGEST_NUMBER for number in numbers):
            raise PromptError(f"can't start from {numbers}; give 2 to {MAX_NUMBERS} numbers from 1 to {LARGEST_NUMBER}")
        tree = None if target in numbers else solution(numbers, target)
        if tree is None:
            raise PromptError(f"{target} is given or out of reach of {numbers}; choose another target")
        lines = reductions(tree)
        return phrased(
            COUNTDOWN,
            {"numbers": rng.choice(_SEPARATORS).join(str(number) for number in numbers), "target": target},
            task=self.name,
            key=_key(numbers, target),
            answer=_expression_fields(spell(tree, UNICODE, rng)),
            derivation=derivation_fields(lines, shows_intermediates=False),
            num_steps=len(lines),
            order=order,
            language=language,
            rng=rng,
        )

    def verify(self, problem: Problem, text: str) -> Verdict:
        """Judges any text whatever: any expression that reaches the target is right, with its operations below it."""
        given, target = problem.key.removeprefix(f"{self.name}:").split("=")
        answer, rest = answer_and_rest(text, problem.order)
        tree, fault = check_expression(answer, [int(number) for number in given.split(",")], int(target))
        is_derivation_valid, num_true_lines, line_fault = check_steps(tree, rest)
        return Verdict(
            answer_is_correct=tree is not None,
            is_derivation_valid=is_derivation_valid,
            num_lines=len(rest),
            num_true_lines=num_true_lines,
            reason=fault or line_fault,
        )


def _key(numbers: list[int], target: int) -> str:
    """The numbers in sorted order: another order asks the same."""
    return f"{Countdown.name}:{','.join(str(number) for number in sorted(numbers))}={target}"


def _expression_fields(text: str) -> tuple[Field, ...]:
    """Seven tokens a number (brackets, digits, brackets) and one an operator; slots without a number stay empty."""
    pieces = [match.groups(default="") for match in _PIECE.finditer(text)]
    pieces += [("", "", "", "")] * (MAX_NUMBERS - len(pieces))
    fields: list[Field] = []
    for opening, number, closing, sign in pieces:
        fields += [Field(opening, BRACKET_WIDTH), Field(number, NUMBER_WIDTH), Field(closing, BRACKET_WIDTH)]
        fields.append(Field(sign, 1))
    return tuple(fields[:-1])
