"""Properties of the tasks: keys, splits, verifiers and prompts hold for whatever is drawn or thrown at them."""

import contextlib
import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redraft.errors import PromptError
from redraft.tasks import Arithmetic, Countdown, Multiplication, Primes, get_task, split_of, task_names
from redraft.tasks.expression import Operation, canonical, count_reductions, reductions
from redraft.tasks.generation import grow
from redraft.tasks.holdout import SPLITS
from redraft.tasks.parser import parse
from redraft.tasks.spelling import random_spelling, spell
from redraft.text.slots import lay_out
from redraft.text.tokenizer import Tokenizer

TOKENIZER = Tokenizer.builtin()
# A shared machine may pause at any moment, so no single example has a deadline.
UNTIMED = settings(deadline=None, max_examples=60)
SEEDS = st.integers(0, 2**32)
SLOTTED = ("arithmetic", "countdown", "largest", "multiplication", "planning", "primes", "sudoku")
"""Tasks whose answers stand in slots of fixed width, with one right value for each digit."""
ORDERS = st.sampled_from(["answer_first", "derivation_first"])


@given(SEEDS, st.integers(1, 8), st.sampled_from([100, 250, 400, 999]))
@UNTIMED
def test_trees_are_whole_bounded_and_read_back_from_any_spelling(seed: int, num_steps: int, max_value: int) -> None:
    rng = random.Random(seed)
    tree = grow(rng, num_steps, max_value)
    assert count_reductions(tree) == num_steps
    assert all(0 <= line.result <= max_value for line in reductions(tree))
    assert parse(spell(tree, random_spelling(rng), rng)) == tree
    assert canonical(parse(canonical(tree))) == canonical(tree)


@given(SEEDS)
@UNTIMED
def test_the_key_forgets_the_order_of_terms_and_factors(seed: int) -> None:
    rng = random.Random(seed)
    tree = grow(rng, rng.randint(1, 8), 400)
    assert canonical(_shuffled(tree, rng)) == canonical(tree)


def _shuffled(tree, rng: random.Random):
    if not isinstance(tree, Operation):
        return tree
    operands = tuple(_shuffled(operand, rng) for operand in tree.operands)
    return Operation(tree.operator, operands[::-1] if tree.operator in "+×" and rng.random() < 0.5 else operands)


@given(SEEDS, st.sampled_from(task_names()), ORDERS, st.sampled_from(SPLITS))
@UNTIMED
def test_a_problem_is_answered_by_its_own_fields_and_by_nothing_shorter(seed: int, name: str, order, split) -> None:
    task = get_task(name)
    problem = task.generate(random.Random(seed), split=split, order=order)
    assert problem == task.generate(random.Random(seed), split=split, order=order)
    assert split_of(problem.key) == split
    assert task.verify(problem, problem.answer_text).is_correct
    lines = problem.answer_text.split("\n")
    assert not task.verify(problem, "\n".join(lines[:-1])).is_correct
    assert not task.verify(problem, "\n".join(lines[1:])).is_correct
    ids = lay_out(TOKENIZER, problem.fields)
    assert TOKENIZER.decode(ids) == problem.answer_text
    if name in SLOTTED:
        assert len(ids) == sum(field.width or 0 for field in problem.fields) <= 168
    assert len(ids) <= 168, "with its end it fits the longest canvas of the recipes"
    assert len(TOKENIZER.encode(problem.prompt)) <= 200, "with its markers it fits a context of 256"


@given(SEEDS, st.integers(0, 10_000), st.integers(0, 9))
@UNTIMED
def test_one_wrong_digit_in_an_answer_never_passes(seed: int, place: int, digit: int) -> None:
    for name in SLOTTED:
        task = get_task(name)
        problem = task.generate(random.Random(seed))
        text = problem.answer_text
        places = [i for i, sign in enumerate(text) if sign in "0123456789" and sign != str(digit)]
        if places:
            chosen = places[place % len(places)]
            assert not task.verify(problem, text[:chosen] + str(digit) + text[chosen + 1 :]).is_correct


@given(st.text(st.sampled_from("0123456789+-−*×/÷()√²³^=, \nsqrtABC>٣一\x00"), max_size=200), ORDERS)
@UNTIMED
def test_no_text_makes_a_judge_or_the_parser_raise_anything_else(text: str, order) -> None:
    for problem in (
        Arithmetic().from_expression("2 + 3 * 4", order=order),
        Primes().between(10, 30, order=order),
        Multiplication().of(12, 34, order=order),
        Countdown().of([3, 7, 25], 28, order=order),
        *(get_task(name).generate(random.Random(2), order=order) for name in ("code", "planning", "repair", "sudoku")),
    ):
        verdict = get_task(problem.task).verify(problem, text)
        assert 0 <= verdict.num_true_lines <= verdict.num_lines
        assert verdict.is_correct != bool(verdict.reason)
    with contextlib.suppress(PromptError):
        Arithmetic().from_expression(text)


_COUNT = """
import random
from redraft.tasks import get_task, split_of, task_names
from redraft.tasks.holdout import DEMO_KEYS, SPLITS

rng = random.Random(20)
counts = {"train": 5_000, "dev": 100, "test": 200}
# A sudoku takes longer, but its key is what most dresses share.
slower = {"sudoku": 4, "repair": 4}
keys = {
    split: {
        get_task(name).generate(rng, split=split).key
        for name in task_names()
        for _ in range(counts[split] // slower.get(name, 1))
    }
    for split in SPLITS
}
assert not keys["train"] & DEMO_KEYS
assert all(split_of(key) == split for split, found in keys.items() for key in found)
assert not (keys["train"] & keys["dev"] or keys["train"] & keys["test"] or keys["dev"] & keys["test"])
print(len(keys["train"]))
"""


@pytest.mark.slow
def test_twenty_thousand_training_problems_hold_nothing_held_out() -> None:
    """In a process of its own: under the run-time type checks of the tests it would take minutes."""
    result = subprocess.run([sys.executable, "-c", _COUNT], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > 10_000
