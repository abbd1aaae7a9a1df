"""`repair`: every draft is broken, every answer is whole, and any whole function will do."""

import ast
import random
from typing import Any

import pytest

from redraft.errors import ConfigError
from redraft.tasks import Repair, RepairDials
from redraft.tasks.programs import Kind, Signature, draw_program, outcomes, probes, read_program, render
from redraft.tasks.programs.mutations import Fault, break_function
from redraft.text.tokenizer import Tokenizer

TOKENIZER = Tokenizer.builtin()


def test_the_draft_fails_the_answer_passes_and_the_prompt_holds_no_function() -> None:
    rng = random.Random(1)
    for _ in range(20):
        problem = Repair().generate(rng)
        assert problem.draft is not None
        assert problem.draft != problem.answer_text
        assert Repair().verify(problem, problem.answer_text).is_correct
        assert not Repair().verify(problem, problem.draft).is_correct, problem
        assert problem.draft not in problem.prompt
        assert len(TOKENIZER.encode(problem.draft)) <= 125
        assert len(TOKENIZER.encode(problem.prompt)) <= 200


def test_a_result_that_python_will_not_write_is_no_example(monkeypatch: pytest.MonkeyPatch) -> None:
    def huge(kind: Kind) -> list[Any]:
        return [[10**2200, 10**2200, 10**2200]] if kind == "ints" else probes(kind)

    monkeypatch.setattr("redraft.tasks.repair.probes", huge)
    rng = random.Random(5)
    for _ in range(150):
        assert "000000" not in Repair().generate(rng, dials=RepairDials(syntax_percent=0, name_percent=0)).prompt


@pytest.mark.parametrize("fault", ["syntax", "name", "logic"])
def test_each_kind_of_fault_is_what_it_says(fault: Fault) -> None:
    rng = random.Random(2)
    num_broken = 0
    for _ in range(60):
        program = draw_program(rng, min_steps=1, max_steps=3, guard_percent=20)
        mutant = program and break_function(program, Signature("work", "argument"), fault, rng)
        if program is None or mutant is None:
            continue
        num_broken += 1
        right = render(program, "work", "argument").split("\n")
        assert mutant.text.split("\n")[: mutant.line - 1] == right[: mutant.line - 1]
        if fault == "syntax":
            with pytest.raises(SyntaxError):
                ast.parse(mutant.text)
        else:
            ast.parse(mutant.text)
        assert (mutant.program is not None) == (fault == "logic")
        if mutant.program is not None:
            assert outcomes(mutant.program) != outcomes(program)
    assert num_broken > 20


def test_a_misspelled_name_always_raises() -> None:
    rng = random.Random(3)
    dials = RepairDials(syntax_percent=0, name_percent=100)
    for _ in range(10):
        problem = Repair().generate(rng, dials=dials)
        assert problem.draft is not None
        verdict = Repair().verify(problem, problem.draft)
        assert (
            verdict.num_true_lines == 0
            or "empty" in problem.prompt
            or "if not" in problem.draft
            or "< 0" in problem.draft
        )
        assert not verdict.is_correct


def test_another_whole_function_is_accepted() -> None:
    rng = random.Random(4)
    problem = next(
        problem
        for problem in (Repair().generate(rng, language="en") for _ in range(2000))
        if read_program(problem.key.removeprefix("program:")).steps[0].operation.name == "count"
        and problem.num_steps == 1
    )
    name = problem.answer_text.removeprefix("def ").partition("(")[0]
    assert (
        Repair().verify(problem, f"def {name}(a):\n    n = 0\n    for _ in a:\n        n += 1\n    return n").is_correct
    )


def test_dials_are_checked() -> None:
    for table in ({"syntax_percent": 60, "name_percent": 50}, {"max_steps": 6}, {"faults": 1}):
        with pytest.raises(ConfigError):
            Repair().make_dials(**table)
