"""What whole numbers cost in right answers: the same problems answered in float32 and in int8.

Run as ``python -m redraft.evaluation.rounding --model nano --count 500``; problems are of the development split, of
every task that the model was trained on.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from redraft.engine import Engine, load_engine
from redraft.engine.catalog import DEFAULT_MODEL, TRAINED_ON
from redraft.errors import ConfigError
from redraft.evaluation.accuracy import draw_problems, evaluate
from redraft.evaluation.intervals import difference_interval
from redraft.tasks import Problem

__all__ = ["Compared", "compare", "main"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """Two engines on the same problems."""

    num_right: tuple[int, int]
    """Right answers of the exact one and of the rounded one."""
    num_same: int
    """Problems with the same text from both."""
    total: int
    """Problems."""

    @property
    def gain(self) -> tuple[float, float, float]:
        """By how much more of the answers are right in whole numbers, and the 95 % interval of that (Newcombe's)."""
        exact, rounded = self.num_right
        low, high = difference_interval((rounded, self.total), (exact, self.total))
        return (rounded - exact) / self.total, low, high

    def __str__(self) -> str:
        """One line of the table."""
        exact, rounded = self.num_right
        gain, low, high = (100 * share for share in self.gain)
        return f"{exact:>7}  {rounded:>4}  {self.num_same:>9}  {self.total:>5}  {gain:+.1f} ({low:+.1f} to {high:+.1f})"


def compare(exact: Engine, rounded: Engine, problems: Sequence[Problem], effort: str = "medium") -> Compared:
    """Answer problems with both.

    Args:
        exact: The model in float32.
        rounded: The same one in int8.
        problems: What to ask.
        effort: Preset of the sampler.

    Returns:
        The counts.
    """
    one, other = (evaluate(each, problems, settings=each.settings(effort), effort=effort) for each in (exact, rounded))
    return Compared(
        num_right=(
            sum(found.verdict.answer_is_correct for found in one),
            sum(f.verdict.answer_is_correct for f in other),
        ),
        num_same=sum(a.result.text == b.result.text for a, b in zip(one, other, strict=True)),
        total=len(problems),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table of one model that ships.

    Args:
        arguments: Command-line arguments; None takes the process's own.

    Returns:
        Exit status: 0.

    Raises:
        ConfigError: No such model ships.
    """
    parser = argparse.ArgumentParser(prog="python -m redraft.evaluation.rounding", description="float32 beside int8.")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--count", type=int, default=200, help="problems of each task")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--effort", default="medium")
    options = parser.parse_args(arguments)
    asked = [name for name, tasks in TRAINED_ON.items() if tasks]
    if options.model not in asked:
        raise ConfigError(f"no model {options.model!r} ships that answers prompts; use one of {', '.join(asked)}")
    exact, rounded = (load_engine(options.model, dtype=dtype) for dtype in ("float32", "int8"))
    sys.stdout.write(f"{'':>14}  float32  int8  same text  total  points\n")
    for task in TRAINED_ON[options.model]:
        problems = draw_problems(task, count=options.count, seed=options.seed, split="dev")
        sys.stdout.write(f"{task:>14}  {compare(exact, rounded, problems, options.effort)}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
