"""How often a model is right about held-out problems, judged by the task's exact verifier."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from redraft.engine import Engine, Request, Result
from redraft.errors import ConfigError
from redraft.evaluation.intervals import wilson_interval
from redraft.evaluation.revision import revise_draft
from redraft.sampler import SamplerSettings
from redraft.tasks import Problem, Verdict, get_task
from redraft.tasks.problem import Order, Split

__all__ = ["Accuracy", "Outcome", "Share", "draw_problems", "evaluate", "summarise"]


_MAX_REPEATS = 300
"""Draws in a row without a new key after which a split counts as exhausted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One problem, what the model wrote and what the verifier found."""

    problem: Problem
    """What was asked."""

    result: Result
    """What was answered."""

    verdict: Verdict
    """How right it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """So many of so many."""

    successes: int
    """How many."""

    total: int
    """Of how many."""

    @property
    def value(self) -> float:
        """The share; 0 of nothing is 0."""
        return self.successes / self.total if self.total else 0.0

    def to_dict(self) -> dict[str, float | int]:
        """The share, its 95 % Wilson interval and the counts."""
        low, high = wilson_interval(self.successes, self.total)
        return {
            "value": round(self.value, 6),
            "low": round(low, 6),
            "high": round(high, 6),
            "successes": self.successes,
            "total": self.total,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Accuracy:
    """Shares over a set of outcomes."""

    answer: Share
    """Problems whose answer stands where the order wants it, and is exact."""

    derivation: Share
    """Problems whose derivation proves the value, or whose list is exactly right."""

    both: Share
    """Problems of which both hold."""

    lines: Share
    """Lines of all derivations, or numbers of all lists, that are true on their own."""


def draw_problems(
    task: str,
    *,
    count: int,
    seed: int,
    split: Split = "test",
    order: Order = "answer_first",
    dials: Mapping[str, int] | None = None,
) -> list[Problem]:
    """Draw held-out problems, no two with the same key as long as the split has others.

    Args:
        task: Name of the task.
        count: How many.
        seed: Fixes them; fewer of the same seed are the first of more.
        split: Which part of the data.
        order: Whether the answer or the derivation is asked for first.
        dials: Settings of the task's generator; the rest as they come.

    Returns:
        The problems.

    Raises:
        ConfigError: There is no such task, it has no such dial, or no problem is asked for.
    """
    if count < 1:
        raise ConfigError(f"count={count} asks for no problem; use 1 or more")
    source = get_task(task)
    settings = source.make_dials(**(dials or {}))
    rng = random.Random(f"evaluation/{task}/{seed}")
    problems: list[Problem] = []
    seen: set[str] = set()
    repeats = 0
    while len(problems) < count:
        problem = source.generate(rng, split=split, order=order, dials=settings)
        # A small split runs out of new keys; then repeats, in other phrasings, are let in.
        if problem.key in seen and repeats < _MAX_REPEATS:
            repeats += 1
            continue
        repeats = 0 if problem.key not in seen else repeats
        seen.add(problem.key)
        problems.append(problem)
    return problems


def evaluate(
    engine: Engine,
    problems: Sequence[Problem],
    *,
    settings: SamplerSettings,
    seed: int = 0,
    batch_size: int = 16,
    effort: str = "medium",
    tick: Callable[[int], None] | None = None,
) -> list[Outcome]:
    """Ask every problem and judge every answer; a problem with a draft is asked as an edit of it.

    Args:
        engine: The model at work.
        problems: What to ask.
        settings: How answers are drawn.
        seed: Problem i is asked with seed + i.
        batch_size: Most problems drawn together; edits are made one at a time.
        effort: Preset of the edits.
        tick: Called with the number of problems that are done, now and then.

    Returns:
        One outcome per problem, in order.
    """
    drafts = [index for index, problem in enumerate(problems) if problem.draft is not None]
    requests = [
        Request.from_prompt(problem.prompt, id=str(index), seed=seed + index, settings=settings)
        for index, problem in enumerate(problems)
        if problem.draft is None
    ]
    results = {int(result.id): result for result in engine.generate_batch(requests, batch_size=batch_size, tick=tick)}
    for index in drafts:
        results[index] = revise_draft(
            engine, problems[index], id=str(index), seed=seed + index, effort=effort, settings=settings
        )
        if tick is not None:
            tick(len(results))
    judge = {name: get_task(name) for name in {problem.task for problem in problems}}
    return [
        Outcome(problem=problem, result=results[i], verdict=judge[problem.task].verify(problem, results[i].text))
        for i, problem in enumerate(problems)
    ]


def summarise(outcomes: Sequence[Outcome]) -> Accuracy:
    """Return the shares over some outcomes."""
    total = len(outcomes)
    verdicts = [outcome.verdict for outcome in outcomes]
    return Accuracy(
        answer=Share(successes=sum(verdict.answer_is_correct for verdict in verdicts), total=total),
        derivation=Share(successes=sum(verdict.is_derivation_valid for verdict in verdicts), total=total),
        both=Share(successes=sum(verdict.is_correct for verdict in verdicts), total=total),
        lines=Share(
            successes=sum(verdict.num_true_lines for verdict in verdicts),
            total=sum(verdict.num_lines for verdict in verdicts),
        ),
    )
