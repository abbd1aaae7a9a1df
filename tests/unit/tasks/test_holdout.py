"""Held-out problems are held out by construction, whatever the wording, the spelling or the order."""

import random
import re

import pytest

from redraft.tasks import get_task, split_of
from redraft.tasks.arithmetic import Arithmetic
from redraft.tasks.generation import grow
from redraft.tasks.holdout import DEMO_KEYS
from redraft.tasks.parser import parse
from redraft.tasks.phrasing import ARITHMETIC
from redraft.tasks.primes import Primes
from redraft.tasks.spelling import random_spelling, spell

DEMO_TREE = parse("(√(81) * (2/3))² + (15 - 3) / (2²)")


def test_the_demo_expression_is_never_trained_on_in_any_spelling() -> None:
    rng = random.Random(0)
    spellings = {spell(DEMO_TREE, random_spelling(rng), rng) for _ in range(400)}
    spellings |= {
        "(sqrt(81)*(2/3))^2+(15-3)/(2^2)",
        "（√81 × (2/3)）² + （15 － 3）÷ 2²",
        "((2/3) * sqrt(81))**2 + (15 - 3) / 2**2",
        "(15 - 3) / 2² + ((2/3) × √81)²",
        "(√81 × 2/3)² + (15 − 3) / 2²",
        "(√81 × 2 ÷ 3)² + (15 − 3) ÷ 2²",
    }
    assert len(spellings) > 100
    for text in spellings:
        for order in ("answer_first", "derivation_first"):
            problem = Arithmetic().from_expression(text, rng=rng, order=order, language=None)
            assert problem.key in DEMO_KEYS, text
            assert split_of(problem.key) == "test"


def test_the_demo_bounds_are_never_trained_on_nor_bounds_with_the_same_primes() -> None:
    for low in range(150, 152):
        for high in range(241, 251):
            problem = Primes().between(low, high, language="zh")
            assert problem.key in DEMO_KEYS
            assert split_of(problem.key) == "test"
    assert Primes().between(149, 250).key not in DEMO_KEYS


@pytest.mark.slow
@pytest.mark.parametrize("name", ["arithmetic", "primes"])
def test_each_split_yields_its_own_keys_only(name: str) -> None:
    rng = random.Random(7)
    task = get_task(name)
    keys = {
        split: {task.generate(rng, split=split).key for _ in range(3000 if split == "train" else 300)}
        for split in ("train", "dev", "test")
    }
    for split, found in keys.items():
        assert {split_of(key) for key in found} == {split}
    assert not keys["train"] & keys["dev"] | keys["train"] & keys["test"] | keys["dev"] & keys["test"]


@pytest.mark.slow
def test_the_prompts_themselves_ask_for_nothing_held_out() -> None:
    """Read the question back out of the prompt, so that a slip between key and prompt would show."""
    rng = random.Random(8)
    templates = [
        re.compile(re.escape(text).replace(r"\{e\}", "(.+)"))
        for phrasings in ARITHMETIC.values()
        for text in phrasings
        if text != "{e}"
    ]
    for _ in range(300):
        prompt = get_task("primes").generate(rng, split="train", order="answer_first").prompt
        low, high = (int(number) for number in re.findall("[0-9]+", prompt))
        assert split_of(Primes().between(low, high).key) == "train"
        problem = get_task("arithmetic").generate(rng, split="train")
        matches = [match for match in (pattern.fullmatch(problem.prompt) for pattern in templates) if match]
        asked = min((match[1] for match in matches), key=len, default=problem.prompt)
        assert Arithmetic().from_expression(asked).key == problem.key


@pytest.mark.slow
def test_shares_are_as_stated() -> None:
    rng = random.Random(9)
    keys = {f"arithmetic:{grow(rng, 4, 400)}" for _ in range(20_000)}
    shares = {split: sum(split_of(key) == split for key in keys) / len(keys) for split in ("train", "dev", "test")}
    assert abs(shares["test"] - 0.05) < 0.008
    assert abs(shares["dev"] - 0.02) < 0.006
