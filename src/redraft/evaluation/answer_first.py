"""Whether an answer can be told before its derivation, and by which kind of model.

Every arm gets the same held-out expressions twice, asked for the answer first and for the derivation first. What counts
is the answer alone, where the order wants it, so that an arm that derives badly is not blamed twice.
"""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from redraft.errors import ConfigError
from redraft.evaluation.accuracy import Outcome, Share, evaluate, summarise
from redraft.evaluation.answer_first_arms import Arm, differences
from redraft.evaluation.answer_first_plot import plot_answer_first
from redraft.evaluation.intervals import difference_interval
from redraft.evaluation.report import provenance
from redraft.evaluation.suites import SuiteRequest
from redraft.tasks import get_task
from redraft.tasks.problem import Order, Problem, Split

__all__ = ["HARD", "ORDERS", "TASK", "draw_pairs", "run_answer_first"]

ORDERS: tuple[Order, ...] = ("answer_first", "derivation_first")
"""Both ways of asking."""

TASK = "arithmetic"
"""The task whose answers need reasoning steps that can be counted."""

HARD = 4
"""Reasoning steps from which on an answer is out of reach of a glance."""

_MAX_REPEATS = 300
"""Draws in a row without a new key after which a split counts as exhausted."""


def draw_pairs(
    *, count: int, seed: int, split: Split = "test", dials: Mapping[str, int] | None = None
) -> dict[Order, list[Problem]]:
    """Draw held-out expressions and ask for each in both orders.

    Args:
        count: How many.
        seed: Fixes them.
        split: Which part of the data.
        dials: Settings of the task's generator; the rest as they come.

    Returns:
        For each order its problems; those at the same place have the same key, and no key comes twice.

    Raises:
        ConfigError: The task has no such dial, no problem is asked for, or there are too few.
    """
    if count < 1:
        raise ConfigError(f"count={count} asks for no problem; use 1 or more")
    task = get_task(TASK)
    settings = task.make_dials(**(dials or {}))
    pairs: dict[Order, list[Problem]] = {order: [] for order in ORDERS}
    seen: set[str] = set()
    draw = repeats = 0
    while len(seen) < count:
        for order in ORDERS:
            # The expression is drawn before its wording, so the same start gives the same one in both orders.
            rng = random.Random(f"answer-first/{TASK}/{seed}/{draw}")
            pairs[order].append(task.generate(rng, split=split, order=order, dials=settings))
        draw += 1
        key, other = (pairs[order][-1].key for order in ORDERS)
        assert key == other, "both orders ask for the same"
        if key in seen:
            for order in ORDERS:
                pairs[order].pop()
            repeats += 1
            if repeats > _MAX_REPEATS:
                raise ConfigError(f"the {split} split has no {count} different problems; lower --count")
            continue
        seen.add(key)
        repeats = 0
    return pairs


def run_answer_first(
    arms: Sequence[Arm],
    request: SuiteRequest,
    *,
    dials: Mapping[str, int] | None = None,
    plot: Path | None = None,
    tick: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Measure every arm in both orders.

    Args:
        arms: The models; the first is what the others' recipes are held against.
        request: What is asked for; its order has no effect.
        dials: Settings of the task's generator.
        plot: PNG file for the curves; None draws none.
        tick: Called with a few words, now and then.

    Returns:
        The report.
    """
    since = time.perf_counter()
    pairs = draw_pairs(count=request.count, seed=request.seed, split=request.split, dials=dials)
    measured: dict[str, dict[str, Any]] = {}
    for arm in arms:
        settings = arm.engine.settings(request.effort)
        orders: dict[str, Any] = {}
        for order in ORDERS:
            if tick is not None:
                tick(f"{arm.name}: {order.replace('_', ' ')}")
            outcomes = evaluate(arm.engine, pairs[order], settings=settings, seed=request.seed)
            orders[order] = _figures(outcomes)
        made_with = provenance(arm.engine, settings, time.perf_counter() - since)
        measured[arm.name] = {
            **arm.facts,
            "model": made_with["model"],
            "model_digest": made_with["model_digest"],
            "settings": made_with["settings"],
            "differs_in": differences(arms[0], arm),
            "orders": orders,
        }
    report = {
        "suite": "answer-first",
        "task": TASK,
        "count": request.count,
        "seed": request.seed,
        "split": request.split,
        "dials": dict(dials or {}),
        "effort": request.effort,
        "command": request.command,
        "hard_from_num_steps": HARD,
        "arms": measured,
        "comparison": _comparison(measured),
        "seconds": round(time.perf_counter() - since, 3),
        **{key: made_with[key] for key in ("git_commit", "versions")},
    }
    if plot is not None:
        plot_answer_first(report, plot)
    return report


def _figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What one arm does in one order."""
    by_steps: dict[int, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_steps[outcome.problem.num_steps].append(outcome)
    hard = [outcome for outcome in outcomes if outcome.problem.num_steps >= HARD]
    results = [outcome.result for outcome in outcomes]
    tokens, nfe = sum(result.completion_tokens for result in results), sum(result.nfe for result in results)
    return {
        **_shares(outcomes),
        "hard": _shares(hard),
        "by_num_steps": [{"num_steps": steps, **_shares(members)} for steps, members in sorted(by_steps.items())],
        "nfe_mean": round(nfe / len(results), 3),
        "tokens_per_forward": round(tokens / nfe, 4) if nfe else 0.0,
        "num_unended": sum(result.finish_reason != "stop" for result in results),
    }


def _shares(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    accuracy = summarise(outcomes)
    return {
        "answer_accuracy": accuracy.answer.to_dict(),
        "accuracy": accuracy.both.to_dict(),
        "derivation_line_accuracy": accuracy.lines.to_dict(),
    }


def _comparison(arms: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """The two differences that the claim is about, over the hard problems; None without both kinds of arms."""

    def hard(name: str, order: Order) -> Share:
        share = arms[name]["orders"][order]["hard"]["answer_accuracy"]
        return Share(successes=share["successes"], total=share["total"])

    diffusion = [name for name, arm in arms.items() if arm["kind"] == "diffusion"]
    readers = [name for name, arm in arms.items() if arm["kind"] in ("causal", "prefix")]
    if not diffusion or not readers or not hard(diffusion[0], "answer_first").total:
        return None
    best = max(readers, key=lambda name: hard(name, "answer_first").value)
    own = hard(diffusion[0], "answer_first")
    return {
        "diffusion": diffusion[0],
        "best_autoregressive": best,
        "answer_first_points": _points(own, hard(best, "answer_first")),
        "own_derivation_first_points": _points(own, hard(diffusion[0], "derivation_first")),
    }


def _points(one: Share, other: Share) -> dict[str, float]:
    """A difference in percentage points with its 95 % interval."""
    low, high = difference_interval((one.successes, one.total), (other.successes, other.total))
    names = {"value": one.value - other.value, "low": low, "high": high}
    return {name: round(100 * value, 2) for name, value in names.items()}
