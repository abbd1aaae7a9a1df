"""Learns which prompts are whose, for ``redraft.engine.routing``; ``python -m redraft.evaluation.routes`` writes that.

It counts words in prompts of the training split of every task that a model was trained on. A test makes it again, so
new wordings of a task can't be forgotten.
"""

import json
import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from redraft.engine.catalog import TRAINED_ON, shipped_folder
from redraft.engine.routing import ROUTES_NAME, Routes, features
from redraft.tasks import get_task
from redraft.tasks.problem import Split

__all__ = ["learn_routes", "learn_shipped_routes", "main", "prompts_of", "to_json"]

NUM_PROMPTS = 600
"""Prompts of each task."""

LEAST_COUNT = 20
"""Prompts that must have a feature: names and numbers of single problems say nothing."""

LEAST_SPREAD = 0.7
"""Difference of its log-shares, in nats, below which a feature is left out: it speaks for nobody."""


def prompts_of(task: str, count: int, *, seed: int, split: Split) -> Iterator[str]:
    """Draw prompts of a task.

    Args:
        task: Its name.
        count: How many.
        seed: Fixes them.
        split: Which part of the data.

    Yields:
        Prompts in all wordings, of both orders.
    """
    rng = random.Random(f"{seed}/{task}")
    for _ in range(count):
        order = "derivation_first" if rng.random() < 1 / 2 else "answer_first"
        yield get_task(task).generate(rng, split=split, order=order).prompt


def learn_routes(prompts: Mapping[str, Iterable[str]], *, least_count: int = LEAST_COUNT) -> Routes:
    """Count features.

    Args:
        prompts: By model, prompts that it learned.
        least_count: Prompts that must have a feature, of all models together.

    Returns:
        The table, with log-shares to a tenth of a nat, a half prompt added to every count.
    """
    counts: dict[str, Counter[str]] = {model: Counter() for model in prompts}
    totals: Counter[str] = Counter()
    for model, texts in prompts.items():
        for text in texts:
            counts[model].update(features(text))
            totals[model] += 1
    rows: dict[str, tuple[float, ...]] = {}
    for name in sorted(set().union(*counts.values())):
        if sum(found[name] for found in counts.values()) < least_count:
            continue
        row = tuple(round(math.log((counts[model][name] + 0.5) / (totals[model] + 1)), 1) for model in prompts)
        if max(row) - min(row) >= LEAST_SPREAD:
            rows[name] = row
    return Routes(models=tuple(prompts), log_shares=rows)


def to_json(routes: Routes) -> str:
    """Write a table with one feature a line.

    Args:
        routes: The table.

    Returns:
        JSON text.
    """
    rows = ",\n".join(f"{json.dumps(name, ensure_ascii=False)}: {list(row)}" for name, row in routes.log_shares.items())
    return f'{{"models": {json.dumps(routes.models)},\n"log_shares": {{\n{rows}\n}}}}\n'


def learn_shipped_routes() -> Routes:
    """Make the table of the models that ship, from their tasks.

    Returns:
        What the package has in its ``routes.json``.
    """
    return learn_routes(
        {
            model: [prompt for task in tasks for prompt in prompts_of(task, NUM_PROMPTS, seed=0, split="train")]
            for model, tasks in TRAINED_ON.items()
            if tasks
        }
    )


def main() -> None:
    """Write the table into the package."""
    (shipped_folder() / ROUTES_NAME).write_text(to_json(learn_shipped_routes()), encoding="utf-8")


if __name__ == "__main__":
    main()
