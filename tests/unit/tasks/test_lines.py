"""Lines of a derivation: large products and fractions in two halves, every slot at its place."""

import random
from fractions import Fraction

import pytest

from redraft.tasks import get_task
from redraft.tasks.arithmetic import Arithmetic, ArithmeticDials
from redraft.tasks.expression import Ratio, Reduction, Whole, apply
from redraft.tasks.lines import NUMBER_WIDTH, Intermediate, derivation_fields, intermediate
from redraft.text import Tokenizer, lay_out

PERIOD = 12


@pytest.mark.parametrize(
    ("operands", "expected"),
    [
        ((Whole(9), Ratio(2, 3)), Intermediate(3, "×", 2)),
        ((Ratio(7, 4), Whole(16)), Intermediate(4, "×", 7)),
        ((Whole(4), Ratio(3, 6)), None),
        ((Whole(17), Whole(23)), Intermediate(340, "+", 51)),
        ((Whole(46), Whole(7)), Intermediate(280, "+", 42)),
        ((Whole(123), Whole(3)), Intermediate(360, "+", 9)),
        ((Whole(50), Whole(7)), None),
        ((Whole(12), Whole(8)), None),
        ((Whole(1), Whole(103)), Intermediate(100, "+", 3)),
    ],
)
def test_what_stands_half_way(operands: tuple[Whole | Ratio, ...], expected: Intermediate | None) -> None:
    values = [Fraction(o.numerator, o.denominator) if isinstance(o, Ratio) else Fraction(o.value) for o in operands]
    result = int(values[0] * values[1])
    found = intermediate(Reduction("×", operands, result))
    assert found == expected
    if found is not None:
        assert apply(found.operator, (found.left, found.right)) == result


@pytest.mark.parametrize("operator", ["+", "−", "÷"])
def test_only_products_have_one(operator: str) -> None:
    assert intermediate(Reduction(operator, (Whole(300), Whole(3)), 100)) is None  # pyright: ignore[reportArgumentType]


def test_every_slot_stands_where_its_role_says(tokenizer: Tokenizer) -> None:
    """Equals signs at 7, ends of lines or an operator at 11, modulo twelve, whatever lines came before."""
    task, rng = Arithmetic(), random.Random(3)
    equals, newline = tokenizer.encode(" = ")[0], tokenizer.encode("\n")[0]
    signs = {tokenizer.encode(f" {sign} ")[0] for sign in "×+"}
    num_long = 0
    for _ in range(200):
        problem = task.generate(rng, dials=ArithmeticDials(max_value=400))
        ids = lay_out(tokenizer, problem.fields)[NUMBER_WIDTH + 1 :]
        assert all(place % PERIOD == 7 for place, token in enumerate(ids) if token == equals)
        ends = [token for place, token in enumerate(ids) if place % PERIOD == PERIOD - 1]
        assert set(ends) <= {newline} | signs
        num_long += sum(token in signs for token in ends)
        assert newline not in [token for place, token in enumerate(ids) if place % PERIOD != PERIOD - 1]
    assert num_long > 50


def test_a_plain_derivation_has_no_second_equals_sign() -> None:
    line = Reduction("×", (Whole(17), Whole(23)), 391)
    assert "".join(field.text for field in derivation_fields([line])) == "17 × 23 = 340 + 51 = 391"
    assert "".join(field.text for field in derivation_fields([line], shows_intermediates=False)) == "17 × 23 = 391"


@pytest.mark.parametrize(
    ("line", "is_right"),
    [
        ("17 × 23 = 340 + 51 = 391", True),
        ("17 × 23 = 391", True),
        ("17 × 23 = 300 + 91 = 391", True),
        ("17 × 23 = 340 + 52 = 391", False),
        ("17 × 23 = 391 = 392", False),
        ("17 × 23 = = 391", False),
        ("17 × 23 = 391 = 340 + 51", False),
        ("17 × 23 = 391 = 391 = 391 = 391", False),
    ],
)
def test_all_sides_must_be_equal_and_the_last_a_number(line: str, is_right: bool) -> None:
    problem = Arithmetic().from_expression("17*23")
    verdict = get_task("arithmetic").verify(problem, f"391\n{line}")
    assert verdict.answer_is_correct
    assert verdict.is_derivation_valid == is_right
