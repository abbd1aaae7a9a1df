"""`code`: whatever behaves right is right, whatever does not is not, and a judge never raises."""

import random

import pytest

from redraft.errors import ConfigError, DependencyError
from redraft.tasks import Code, CodeDials, Problem, get_task, split_of
from redraft.tasks.programs import Signature, describe, key_of, read_program, render
from redraft.text.slots import Field, lay_out
from redraft.text.tokenizer import Tokenizer

TOKENIZER = Tokenizer.builtin()


def problem_of(spelling: str, name: str = "total", argument: str = "xs") -> Problem:
    program = read_program(spelling)
    return Problem(
        task="code",
        key=key_of(program),
        prompt=describe(program, Signature(name, argument), "en", random.Random(0)),
        fields=(Field(render(program, name, argument)),),
        language="en",
        order="answer_first",
        num_steps=program.num_operations,
    )


SQUARES = problem_of("ints>keep even>map square>sum")


@pytest.mark.parametrize(
    "text",
    [
        "def total(xs):\n    return sum(x * x for x in xs if x % 2 == 0)",
        "def total(a):\n    s = 0\n    for x in a:\n        if not x % 2:\n            s += x ** 2\n    return s\n",
        "import math\ntotal = lambda v: sum(map(lambda x: x * x, filter(lambda x: x % 2 < 1, v)))",
        "# first\nclass T:\n    def __call__(self, v):\n        return sum(x * x for x in v if x & 1 < 1)\ntotal = T()",
        "def total(xs):\n    print('hello')\n    return sum(x * x for x in xs if x % 2 == 0)",
    ],
)
def test_every_function_that_behaves_right_is_right(text: str) -> None:
    verdict = Code().verify(SQUARES, text)
    assert verdict.is_correct, verdict.reason
    assert verdict.num_true_lines == verdict.num_lines > 30


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "name"),
        ("the sum of the squares", "not Python"),
        ("def other(xs):\n    return 0", "name"),
        ("def total(xs):\n    return sum(x * x for x in xs if x % 2 == 1)", "should be"),
        ("def total(xs):\n    return sum(x * x for x in xs if x % 2 == 0) * 1.0", "should be"),
        ("def total(xs):\n    return str(sum(x * x for x in xs if x % 2 == 0))", "should be"),
        ("def total():\n    return 0", "TypeError"),
        ("def total(xs):\nreturn 0", "not Python"),
        ("def total(xs):\n    while True: pass", "too long"),
        ("import os\nos._exit(0)", "ends Python"),
        ("def total(xs):\n    return 'a' * 10 ** 5", "too much"),
        ("def total(xs):\n    raise SystemExit", "SystemExit"),
    ],
)
def test_every_other_text_is_wrong_and_says_why(text: str, reason: str) -> None:
    verdict = Code().verify(SQUARES, text)
    assert not verdict.is_correct
    assert reason in verdict.reason


def test_types_count() -> None:
    problem = problem_of("ints>any gt 3", "f")
    right = "def f(xs):\n    return {} in [x > 3 for x in xs]"
    assert Code().verify(problem, right.format("True")).is_correct
    assert not Code().verify(problem, "def f(xs):\n    return int(any(x > 3 for x in xs))").is_correct


def test_without_a_sandbox_nothing_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise DependencyError("no fork here")

    monkeypatch.setattr("redraft.tasks.sandbox.Sandbox.run", refuse)
    verdict = Code().verify(SQUARES, SQUARES.answer_text)
    assert not verdict.is_correct
    assert "no fork" in verdict.reason


def test_answers_and_prompts_are_short_enough() -> None:
    rng = random.Random(1)
    for _ in range(40):
        problem = Code().generate(rng)
        assert 10 < len(lay_out(TOKENIZER, problem.fields)) < 160
        assert len(TOKENIZER.encode(problem.prompt)) <= 200
        assert 1 <= problem.num_steps <= 4
        assert problem.draft is None


@pytest.mark.parametrize("name", ["code", "repair"])
def test_no_two_splits_share_a_program_not_even_across_tasks(name: str) -> None:
    rng = random.Random(2)
    # Few belong to dev, and under the run-time type checks of the tests each draw takes long.
    counts = {"train": 8, "dev": 2, "test": 4}
    keys = {
        split: {get_task(name).generate(rng, split=split).key for _ in range(count)} for split, count in counts.items()
    }
    for split, found in keys.items():
        assert all(split_of(key) == split and key.startswith("program:") for key in found)


def test_the_key_forgets_names_words_and_language() -> None:
    rng = random.Random(3)
    by_key: dict[str, set[str]] = {}
    for _ in range(80):
        problem = Code().generate(rng, dials=CodeDials(max_steps=1, guard_percent=0))
        by_key.setdefault(problem.key, set()).add(problem.prompt)
    assert max(len(prompts) for prompts in by_key.values()) > 3


def test_dials_are_checked() -> None:
    for table in ({"max_steps": 9}, {"min_steps": 3, "max_steps": 2}, {"guard_percent": 101}, {"steps": 1}):
        with pytest.raises(ConfigError):
            Code().make_dials(**table)
