"""``redraft train``: runs a recipe, with accuracy after real decoding as its validation."""

import sys
from pathlib import Path

from redraft.interfaces.start import import_torch

__all__ = ["train_recipe"]

_PROBLEMS_PER_TASK = 32
"""Enough to see a curve rise, few enough to cost seconds."""


def train_recipe(recipe_path: Path, *, overrides: list[str], run_dir: Path | None) -> bool:
    """Start a run or go on with it.

    Args:
        recipe_path: The recipe.
        overrides: Texts of the form ``section.key=value``.
        run_dir: Where the run lives; None is ``runs/`` and the recipe's name.

    Returns:
        Whether the run reached its end; False after an interrupt.
    """
    import_torch()
    from redraft.interfaces.evaluate import quick_validation
    from redraft.training import build_adapt_recipe, build_recipe, is_adaptation, read_table, tokenizer_of, train

    table = read_table(recipe_path, overrides)
    run_dir = run_dir or Path("runs") / recipe_path.stem
    if is_adaptation(table):
        result = train(build_adapt_recipe(table), run_dir, log=_log)
    else:
        recipe = build_recipe(table)
        tasks = tuple(sorted({entry.task for entry in recipe.data.mixture}))
        validate = quick_validation(
            tokenizer_of(recipe.data), tasks=tasks, count=_PROBLEMS_PER_TASK, canvas_length=recipe.data.canvas_length
        )
        result = train(recipe, run_dir, validate=validate, log=_log)
    if result.is_finished:
        _log(f"finished at step {result.step}; the model is in {result.model_folder}")
    return result.is_finished


def _log(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
