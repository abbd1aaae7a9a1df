"""Arithmetic problems: what they ask, how they are spelled, and an exact judge."""

import random
from collections.abc import Callable
from fractions import Fraction

import pytest

from redraft.errors import ConfigError, PromptError
from redraft.tasks import Arithmetic, ArithmeticDials
from redraft.tasks.derivation import check_derivation
from redraft.tasks.expression import Operation, Ratio, canonical, count_reductions, operations
from redraft.tasks.generation import grow
from redraft.tasks.parser import parse
from redraft.tasks.spelling import ASCII, UNICODE, random_spelling, spell

DEMO = "(√(81) * (2/3))² + (15 - 3) / (2²)"
DEMO_ANSWER = "39\n√81 = 9\n9 × 2/3 = 3 × 2 = 6\n6² = 36\n15 − 3 = 12\n2² = 4\n12 ÷ 4 = 3\n36 + 3 = 39"
TASK = Arithmetic()


def value_of(text: str) -> Fraction:
    """An independent evaluator: turn the spelling into exact Python arithmetic, by hand, innermost brackets first."""
    tree = parse(text)

    def visit(node: object) -> Fraction:
        name = type(node).__name__
        if name == "Whole":
            return Fraction(node.value)  # type: ignore[attr-defined]
        if name == "Ratio":
            return Fraction(node.numerator, node.denominator)  # type: ignore[attr-defined]
        values = [visit(operand) for operand in node.operands]  # type: ignore[attr-defined]
        operator = node.operator  # type: ignore[attr-defined]
        if operator == "√":
            return Fraction(round(float(values[0]) ** 0.5))
        if operator in "²³":
            return values[0] ** (2 if operator == "²" else 3)
        a, b = values
        return {"+": a + b, "−": a - b, "×": a * b}[operator] if operator != "÷" else a / b

    return visit(tree)


def test_the_demo_reads_as_promised() -> None:
    problem = TASK.from_expression(DEMO)
    assert problem.answer_text == DEMO_ANSWER
    assert problem.num_steps == 7
    assert TASK.verify(problem, DEMO_ANSWER).is_correct


@pytest.mark.slow
def test_every_generated_problem_is_answered_exactly_by_its_own_fields() -> None:
    rng = random.Random(11)
    for order in ("answer_first", "derivation_first"):
        for _ in range(400):
            problem = TASK.generate(rng, order=order)
            verdict = TASK.verify(problem, problem.answer_text)
            assert verdict.is_correct, (problem.prompt, problem.answer_text, verdict)
            assert verdict.num_true_lines == verdict.num_lines == problem.num_steps


@pytest.mark.slow
@pytest.mark.parametrize("num_steps", range(1, 9))
def test_grown_trees_have_the_exact_number_of_reductions_and_stay_in_bounds(num_steps: int) -> None:
    rng = random.Random(num_steps)
    for _ in range(200):
        tree = grow(rng, num_steps, 400)
        assert count_reductions(tree) == num_steps
        problem = TASK.from_expression(spell(tree, UNICODE, rng))
        results = [int(line.split("=")[-1]) for line in problem.answer_text.split("\n")[1:]]
        assert all(0 <= result <= 400 for result in results)
        assert results[-1] == value_of(canonical(tree)) == int(problem.answer_text.split("\n")[0])


def test_any_spelling_reads_back_as_the_same_problem() -> None:
    rng = random.Random(5)
    for _ in range(300):
        tree = grow(rng, rng.randint(1, 8), 400)
        for spelling in (ASCII, UNICODE, random_spelling(rng)):
            assert parse(spell(tree, spelling, rng)) == tree


@pytest.mark.parametrize(
    ("text", "answer", "derivation", "true_lines"),
    [
        (DEMO_ANSWER, True, True, 7),
        (DEMO_ANSWER.replace("×", "*").replace("−", "-").replace("÷", "/"), True, True, 7),
        (DEMO_ANSWER.replace("39\n√", "38\n√"), False, True, 7),
        (DEMO_ANSWER.replace("6² = 36", "6² = 35"), True, False, 6),
        (DEMO_ANSWER.replace("15 − 3 = 12", "14 − 2 = 12"), True, False, 7),
        ("39", True, False, 0),
        ("39\n39 = 39", True, False, 0),
        (DEMO_ANSWER + "\n1 + 1 = 2", True, False, 8),
        ("39\n15 - 3 = 12\nsqrt(81)=9\n2^2=4\n12/4=3\n(2/3)*9=6\n6**2=36\n36+3=39", True, True, 7),
        ("", False, False, 0),
    ],
)
def test_the_judge(text: str, answer: bool, derivation: bool, true_lines: int) -> None:
    verdict = TASK.verify(TASK.from_expression(DEMO), text)
    assert verdict.answer_is_correct == answer
    assert verdict.is_derivation_valid == derivation
    assert verdict.num_true_lines == true_lines
    assert bool(verdict.reason) != verdict.is_correct


@pytest.mark.parametrize(
    "garbage", ["\0" * 100, "(" * 100_000, "39\n" + "9" * 100_000, "=\n=\n=", "√\n" * 50_000, "🙂=🙂"]
)
def test_garbage_is_judged_wrong_and_never_raises(garbage: str) -> None:
    assert not TASK.verify(TASK.from_expression(DEMO), garbage).is_correct


def test_derivation_first_wants_the_answer_last() -> None:
    tree = parse("2 + 3")
    assert check_derivation(tree, "derivation_first", "2 + 3 = 5\n5").is_correct
    assert not check_derivation(tree, "derivation_first", "5\n2 + 3 = 5").is_correct


def test_order_can_be_read_off_the_prompt() -> None:
    rng = random.Random(1)
    prompts = {
        order: {TASK.from_expression("1 + 2", rng=rng, order=order, language=None).prompt for _ in range(500)}
        for order in ("answer_first", "derivation_first")
    }
    assert len(prompts["answer_first"]) >= 20
    assert not prompts["answer_first"] & prompts["derivation_first"]


@pytest.mark.parametrize("text", ["", "2 +", "1/0", "2/3", "√2 + 1", "1000 + 1", "3 - 5", "7", "1" * 500, "2 + x"])
def test_what_is_no_problem_is_refused(text: str) -> None:
    with pytest.raises(PromptError):
        TASK.from_expression(text)


def test_dials_are_checked() -> None:
    assert TASK.make_dials(min_steps=1, max_steps=3) == ArithmeticDials(min_steps=1, max_steps=3)
    with pytest.raises(ConfigError, match="did you mean 'max_steps'"):
        TASK.make_dials(max_step=3)
    with pytest.raises(ConfigError, match="whole number"):
        TASK.make_dials(max_steps="3")
    with pytest.raises(ConfigError, match="1 <= min <= max <= 8"):
        TASK.make_dials(max_steps=9)


def is_product(operation: Operation) -> bool:
    return operation.operator == "×" and all(not isinstance(x, Ratio) for x in operation.operands)


def is_quotient(operation: Operation) -> bool:
    return operation.operator == "÷" or any(isinstance(x, Ratio) for x in operation.operands)


@pytest.mark.parametrize(("dial", "is_meant"), [("product_weight", is_product), ("quotient_weight", is_quotient)])
def test_what_is_hard_can_be_made_more_frequent(dial: str, is_meant: Callable[[Operation], bool]) -> None:
    def share(weight: int) -> float:
        rng = random.Random(3)
        trees = [grow(rng, 4, 400, **{dial: weight}) for _ in range(500)]
        chosen = [operation for tree in trees for operation in operations(tree)]
        return sum(map(is_meant, chosen)) / len(chosen)

    assert share(16) > 1.5 * share(4)
    with pytest.raises(ConfigError, match=f"arithmetic {dial}=0 is out of range; use 1 to 100"):
        Arithmetic().make_dials(**{dial: 0})
