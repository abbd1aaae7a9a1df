"""What every arm is asked: the same held-out problems, alone or behind earlier turns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from redraft.evaluation.accuracy import draw_problems
from redraft.tasks import Problem, task_names
from redraft.tasks.problem import Order
from redraft.text import Segment, Tokenizer, encode_segment

__all__ = ["TASKS", "Asked", "Prompt", "Workload", "choose_tasks", "draw_workload"]

Prompt = Literal["short", "long"]
"""short: the problem alone. long: earlier questions and answers stand before it."""

TASKS = ("arithmetic", "code")
"""What speed is claimed over, as far as the model was trained on it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Workload:
    """Which problems, and how they are put."""

    tasks: tuple[str, ...]
    """Taken in turn."""
    count: int
    """Number of problems."""
    seed: int
    """Fixes them; the first of many are those of few."""
    prompt: Prompt
    """What stands before the problem."""
    long_tokens: int
    """Most tokens of a long prompt, all turns together."""
    order: Order = "answer_first"
    """What is asked for first."""
    dials: tuple[tuple[str, int], ...] = ()
    """Settings of the task's generator; only where there is one task."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Workload":
        """Read the fields, as they come by way of JSON."""
        dials = tuple((str(name), int(value)) for name, value in values.get("dials", ()))
        return cls(**{**values, "tasks": tuple(values["tasks"]), "dials": dials})


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One question."""

    problem: Problem
    """What is asked, and what judges the answer."""
    segments: tuple[Segment, ...]
    """The prompt as turns."""
    num_answer_tokens: int
    """Tokens of the right answer: as many an arm without trained weights has to write."""


def choose_tasks(trained: Sequence[str] | None, wanted: Sequence[str] = ()) -> tuple[str, ...]:
    """Choose what is asked: those of ``TASKS`` that the model was trained on, or else all that it was trained on.

    >>> choose_tasks(["primes", "arithmetic"])
    ('arithmetic',)

    Args:
        trained: Tasks of the model's training; None where nothing is known of it.
        wanted: Tasks that were asked for by name; they are taken as they are.

    Returns:
        At least one task.
    """
    if wanted:
        return tuple(wanted)
    known = [name for name in dict.fromkeys(trained or TASKS) if name in task_names()]
    return tuple(name for name in TASKS if name in known) or tuple(known) or TASKS


def draw_workload(workload: Workload, tokenizer: Tokenizer) -> list[Asked]:
    """Draw the questions, all of the dev split.

    Args:
        workload: Which.
        tokenizer: Counts the tokens.

    Returns:
        The questions, the tasks in turn.
    """
    share = -(-workload.count // len(workload.tasks))
    by_task = [
        draw_problems(
            task, count=share, seed=workload.seed, split="dev", order=workload.order, dials=dict(workload.dials)
        )
        for task in workload.tasks
    ]
    problems = [problem for turn in zip(*by_task, strict=True) for problem in turn][: workload.count]
    earlier: list[Problem] = []
    if workload.prompt == "long":
        # A turn of a few tokens is the shortest; so many are always enough.
        most = workload.long_tokens // 8 + 1
        turns = [draw_problems(task, count=most, seed=workload.seed, split="train") for task in workload.tasks]
        earlier = [problem for turn in zip(*turns, strict=True) for problem in turn]
    return [
        _ask(problem, earlier[index:] + earlier[:index], workload, tokenizer) for index, problem in enumerate(problems)
    ]


def _ask(problem: Problem, earlier: Sequence[Problem], workload: Workload, tokenizer: Tokenizer) -> Asked:
    """Put earlier turns before a problem as long as they fit."""
    question = Segment("user", problem.prompt)
    room = workload.long_tokens - len(encode_segment(tokenizer, question))
    turns: list[Segment] = []
    for other in earlier:
        pair = [Segment("user", other.prompt), Segment("assistant", other.answer_text)]
        room -= sum(len(encode_segment(tokenizer, segment)) for segment in pair)
        if room < 0:
            break
        turns += pair
    return Asked(
        problem=problem,
        segments=(*turns, question),
        num_answer_tokens=len(tokenizer.encode(problem.answer_text)),
    )
