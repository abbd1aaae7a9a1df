"""Judges the text of a function by running it: it must return what the program returns, whatever it looks like."""

import re

from redraft.errors import DependencyError
from redraft.tasks.problem import MAX_LENGTH, Problem, Verdict
from redraft.tasks.programs.inputs import grading_inputs, probes
from redraft.tasks.programs.program import Program, read_program
from redraft.tasks.sandbox import Sandbox, default_sandbox, spelled

__all__ = ["KEY_PREFIX", "judge", "key_of", "program_of"]

KEY_PREFIX = "program:"
"""Of the keys of every task that asks for a program, so that one program belongs to one split for all of them."""

NUM_RANDOM_INPUTS = 16
"""Beside the probes, which every program of a kind is tried with."""

_NAME = re.compile(r"def (\w+)\((\w+)\)")
_FAULTS = {
    "time": "it takes too long",
    "output": "it returns too much",
    "ended": "it ends Python",
    "SyntaxError": "it is not Python",
    "IndentationError": "it is not Python: the indentation is wrong",
    "NameError": "it uses or lacks a name",
}


def key_of(program: Program) -> str:
    """The key of a program in canonical form, whatever the wording and the names."""
    return f"{KEY_PREFIX}{program}"


def program_of(problem: Problem) -> Program:
    """The program that a problem asks for."""
    return read_program(problem.key.removeprefix(KEY_PREFIX))


def judge(problem: Problem, text: str, sandbox: Sandbox | None = None) -> Verdict:
    """Run a text and compare what its function returns.

    Args:
        problem: Asks for a program; the name of the function is read from its answer.
        text: Anything.
        sandbox: Where to run it; None: the one that all tasks share.

    Returns:
        The verdict; a line is a call.
    """
    program = program_of(problem)
    match = _NAME.search(problem.answer_text)
    assert match is not None, "an answer is a function"
    name = match.group(1)
    inputs = [*probes(program.takes), *grading_inputs(program.takes, problem.key, NUM_RANDOM_INPUTS)]
    try:
        trial = (sandbox or default_sandbox()).run(text[:MAX_LENGTH], name, [(value,) for value in inputs])
    except DependencyError as error:
        return _verdict(0, len(inputs), str(error))
    wanted = [program.run(value) for value in inputs]
    is_right = [given == spelled(value) for given, value in zip(trial.outputs, wanted, strict=True)]
    if all(is_right):
        return _verdict(len(inputs), len(inputs), "")
    place = is_right.index(False)
    fault = _FAULTS.get(trial.fault, f"it raises {trial.fault}") if trial.fault else ""
    call = f"{name}({inputs[place]!r}) should be {wanted[place]!r}"
    return _verdict(sum(is_right), len(inputs), f"{fault}; {call}" if fault else call)


def _verdict(num_right: int, num_calls: int, reason: str) -> Verdict:
    return Verdict(
        answer_is_correct=not reason,
        is_derivation_valid=not reason,
        num_lines=num_calls,
        num_true_lines=num_right,
        reason=reason,
    )
