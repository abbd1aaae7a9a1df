"""The tasks over texts, thousands of draws each: every answer is right by its own judge, splits keep apart."""

import json
import random

import pytest

from redraft.tasks import get_task, split_of
from redraft.text import Field, Tokenizer, lay_out

NAMES = ("extract", "page", "rewrite")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_thousands_of_answers_are_right(name: str) -> None:
    rng = random.Random(f"many/{name}")
    task = get_task(name)
    for _ in range(2000):
        problem = task.generate(rng, split=None)
        verdict = task.verify(problem, problem.answer_text)
        assert verdict.is_correct, (verdict.reason, problem)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_no_two_splits_share_a_key(name: str) -> None:
    rng = random.Random(f"splits/{name}")
    task = get_task(name)
    counts = {"train": 1000, "dev": 100, "test": 100}
    keys = {split: {task.generate(rng, split=split).key for _ in range(count)} for split, count in counts.items()}
    for split, found in keys.items():
        assert {split_of(key) for key in found} == {split}
    assert not keys["train"] & keys["dev"] | keys["train"] & keys["test"] | keys["dev"] & keys["test"]


@pytest.mark.parametrize("name", NAMES)
def test_answers_fit_a_canvas_and_prompts_a_context(name: str) -> None:
    rng = random.Random(f"lengths/{name}")
    task = get_task(name)
    tokenizer = Tokenizer.builtin()
    for _ in range(100):
        problem = task.generate(rng)
        assert len(lay_out(tokenizer, problem.fields)) < 168
        assert len(tokenizer.encode(problem.prompt)) < 256
        assert problem.draft is None or len(tokenizer.encode(problem.draft)) < 112


@pytest.mark.parametrize("name", ["code", "extract", "page"])
def test_a_longer_word_shifts_what_follows_by_whole_multiples(name: str) -> None:
    rng = random.Random(f"slots/{name}")
    tokenizer = Tokenizer.builtin()
    for _ in range(50):
        problem = get_task(name).generate(rng)
        rounded = [field for field in problem.fields if field.multiple > 1]
        assert len(rounded) > 1
        for field in rounded:
            longer = Field(field.text + "xyz", multiple=field.multiple)
            shift = len(lay_out(tokenizer, [longer])) - len(lay_out(tokenizer, [field]))
            assert shift % field.multiple == 0
            # A line of a program may begin with its indentation and a name.
            assert field.text.strip() or (name == "code" and field.text)


def test_a_record_is_the_json_that_python_writes() -> None:
    rng = random.Random("json")
    for _ in range(200):
        text = get_task("extract").generate(rng).answer_text
        assert text == json.dumps(json.loads(text), ensure_ascii=False)
