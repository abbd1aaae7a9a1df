"""`largest`: several one-step sums; the largest result first and then every sum worked out (or the other way round).

The answer needs all the lines, so it is global; and every line stands alone, so each canvas holds up to eight facts.
"""

import random
from dataclasses import dataclass

from redraft.tasks.arithmetic import MAX_STEPS
from redraft.tasks.derivation import check_lines
from redraft.tasks.dials import check_range, read_dials
from redraft.tasks.expression import LARGEST_NUMBER, Expression, canonical, reductions
from redraft.tasks.generation import grow
from redraft.tasks.holdout import draw_from_split
from redraft.tasks.lines import NUMBER_WIDTH, derivation_fields
from redraft.tasks.parser import parse
from redraft.tasks.phrasing import LARGEST, phrased
from redraft.tasks.problem import Dials, Language, Order, Problem, Split, Verdict, answer_and_rest
from redraft.tasks.spelling import random_spelling, spell
from redraft.text.slots import Field

__all__ = ["Largest", "LargestDials"]

_SEPARATORS = (", ", "; ", " , ", "，", "；", "、")
_BETWEEN_KEYS = "|"


@dataclass(frozen=True, kw_only=True, slots=True)
class LargestDials:
    """How many sums, and how large."""

    min_items: int = 2
    """Fewest sums."""
    max_items: int = 8
    """Most sums; the number is uniform between the two."""
    max_value: int = 400
    """Largest value of an operand or a result."""

    def __post_init__(self) -> None:
        check_range("largest items", self.min_items, self.max_items, least=2, most=MAX_STEPS)
        check_range("largest max_value", 100, self.max_value, least=100, most=LARGEST_NUMBER)


class Largest:
    """Generator and verifier; see ``docs/tasks.md`` for the distribution."""

    name = "largest"

    def make_dials(self, **table: object) -> LargestDials:
        """The generator's settings from a recipe's table."""
        return read_dials(LargestDials, table, self.name)

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
        dials = dials or LargestDials()
        assert isinstance(dials, LargestDials), f"largest takes LargestDials, not {type(dials).__name__}"
        num_items, max_value = rng.randint(dials.min_items, dials.max_items), dials.max_value
        trees = draw_from_split(lambda: [grow(rng, 1, max_value) for _ in range(num_items)], _key, split)
        return self._problem(trees, rng, order, language)

    def _problem(self, trees: list[Expression], rng: random.Random, order: Order, language: Language | None) -> Problem:
        spelling = random_spelling(rng)
        lines = [line for tree in trees for line in reductions(tree)]
        return phrased(
            LARGEST,
            {"list": rng.choice(_SEPARATORS).join(spell(tree, spelling, rng) for tree in trees)},
            task=self.name,
            key=_key(trees),
            answer=(Field(str(max(line.result for line in lines)), NUMBER_WIDTH),),
            derivation=derivation_fields(lines),
            num_steps=len(lines),
            order=order,
            language=language,
            rng=rng,
        )

    def verify(self, problem: Problem, text: str) -> Verdict:
        """Judges any text whatever: the largest value must be exact, and the lines exactly the sums, in any order."""
        trees = [parse(part) for part in problem.key.removeprefix(f"{self.name}:").split(_BETWEEN_KEYS)]
        wanted = max(reductions(tree)[-1].result for tree in trees)
        answer, rest = answer_and_rest(text, problem.order)
        answer_is_correct = answer == str(wanted)
        is_derivation_valid, num_true_lines, reason = check_lines(trees, rest)
        if not answer_is_correct:
            reason = f"the answer is {answer[:20]!r}, not {wanted}"
        return Verdict(
            answer_is_correct=answer_is_correct,
            is_derivation_valid=is_derivation_valid,
            num_lines=len(rest),
            num_true_lines=num_true_lines,
            reason=reason,
        )


def _key(trees: list[Expression]) -> str:
    """The sums in sorted order: another order asks the same."""
    return f"{Largest.name}:{_BETWEEN_KEYS.join(sorted(canonical(tree) for tree in trees))}"
