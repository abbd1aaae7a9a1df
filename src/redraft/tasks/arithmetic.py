"""`arithmetic`: nested expressions, the value first and then one reduction per line (or the other way round)."""

import random
from dataclasses import dataclass

from redraft.errors import ConfigError, PromptError
from redraft.tasks.derivation import check_derivation
from redraft.tasks.dials import check_range, read_dials
from redraft.tasks.expression import LARGEST_NUMBER, Expression, canonical, reductions
from redraft.tasks.generation import PRODUCT_WEIGHT, QUOTIENT_WEIGHT, grow
from redraft.tasks.holdout import draw_from_split
from redraft.tasks.lines import NUMBER_WIDTH, derivation_fields
from redraft.tasks.parser import parse
from redraft.tasks.phrasing import ARITHMETIC, phrased
from redraft.tasks.problem import Dials, Language, Order, Problem, Split, Verdict
from redraft.tasks.spelling import random_spelling, spell
from redraft.text.slots import Field

__all__ = ["MAX_STEPS", "Arithmetic", "ArithmeticDials"]

MAX_STEPS = 8
"""Longest derivation: eight lines of twelve tokens, three of them twice as long, fit a canvas of 136 with the rest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArithmeticDials:
    """How hard the expressions are."""

    min_steps: int = 2
    """Fewest reductions."""
    max_steps: int = 8
    """Most reductions; the number is uniform between the two."""
    max_value: int = 400
    """Largest value of any step."""
    product_weight: int = PRODUCT_WEIGHT
    """How often a product by a whole number is chosen where sums and differences have 4; evaluation keeps to 4."""
    quotient_weight: int = QUOTIENT_WEIGHT
    """How often a quotient is; a product with a fraction 5/8 of that. Evaluation keeps to 4."""

    def __post_init__(self) -> None:
        check_range("arithmetic steps", self.min_steps, self.max_steps, least=1, most=MAX_STEPS)
        check_range("arithmetic max_value", 100, self.max_value, least=100, most=LARGEST_NUMBER)
        for name in ("product_weight", "quotient_weight"):
            if not 1 <= getattr(self, name) <= 100:
                raise ConfigError(f"arithmetic {name}={getattr(self, name)} is out of range; use 1 to 100")


class Arithmetic:
    """Generator and verifier; see ``docs/tasks.md`` for the distribution."""

    name = "arithmetic"

    def make_dials(self, **table: object) -> ArithmeticDials:
        """The generator's settings from a recipe's table."""
        return read_dials(ArithmeticDials, table, self.name)

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
        dials = dials or ArithmeticDials()
        assert isinstance(dials, ArithmeticDials), f"arithmetic takes ArithmeticDials, not {type(dials).__name__}"
        num_steps, max_value = rng.randint(dials.min_steps, dials.max_steps), dials.max_value
        weights = {"product_weight": dials.product_weight, "quotient_weight": dials.quotient_weight}
        tree = draw_from_split(lambda: grow(rng, num_steps, max_value, **weights), _key, split)
        return self._problem(tree, spell(tree, random_spelling(rng), rng), rng, order, language)

    def from_expression(
        self,
        expression: str,
        *,
        rng: random.Random | None = None,
        order: Order = "answer_first",
        language: Language | None = "en",
    ) -> Problem:
        """The problem that asks for a given expression, in any spelling.

        Args:
            expression: The expression alone, without words around it; the prompt keeps its spelling.
            rng: Chooses the wording; None: always the same one.
            order: Whether the answer stands first or last.
            language: Language of the prompt; None: any.

        Returns:
            The problem, whatever split its key belongs to.

        Raises:
            PromptError: If the text is no expression of this task.
        """
        return self._problem(parse(expression), expression, rng or random.Random(0), order, language)

    def _problem(
        self, tree: Expression, spelled: str, rng: random.Random, order: Order, language: Language | None
    ) -> Problem:
        lines = reductions(tree)
        if len(lines) > MAX_STEPS:
            raise PromptError(f"{spelled!r} takes {len(lines)} reductions; at most {MAX_STEPS} fit a canvas")
        return phrased(
            ARITHMETIC,
            {"e": spelled},
            task=self.name,
            key=_key(tree),
            answer=(Field(str(lines[-1].result), NUMBER_WIDTH),),
            derivation=derivation_fields(lines),
            num_steps=len(lines),
            order=order,
            language=language,
            rng=rng,
        )

    def verify(self, problem: Problem, text: str) -> Verdict:
        """Judges any text whatever; see ``Verdict``."""
        return check_derivation(parse(problem.key.removeprefix(f"{self.name}:")), problem.order, text)


def _key(tree: Expression) -> str:
    return f"{Arithmetic.name}:{canonical(tree)}"
