"""Plans over the passes of a canvas: how many positions settle at each, and how warm the draws are."""

from dataclasses import dataclass

import torch

from redraft.errors import ConfigError
from redraft.types import WholePerRow

__all__ = ["StepPlan", "TemperaturePlan"]


@dataclass(frozen=True, kw_only=True, slots=True)
class StepPlan:
    """Spread what is open evenly over a number of passes, the larger shares first.

    The same split as LLaDA's (arXiv 2502.09992): 10 over 4 gives 3, 3, 2, 2. It is computed from what is open *now*, so
    it still comes out even when an end of text settles a tail for nothing or a revision reopens a position.

    >>> StepPlan(num_steps=4).budgets(10)
    (3, 3, 2, 2)
    """

    num_steps: int
    """Passes to spread over; from the last one on, everything left is due at once."""

    def __post_init__(self) -> None:
        """Check the number.

        Raises:
            ConfigError: There is no step to spread over.
        """
        if self.num_steps < 1:
            raise ConfigError(f"num_steps={self.num_steps} leaves no pass to commit in; use 1 or more")

    def budget(self, num_open: WholePerRow, index: int) -> WholePerRow:
        """How many positions each row should settle in one pass.

        Args:
            num_open: Open positions of each row before the pass.
            index: Which pass, from 0.

        Returns:
            At least one where any is open, at most ``num_open``.
        """
        steps_left = max(self.num_steps - index, 1)
        return (num_open + (steps_left - 1)) // steps_left

    def budgets(self, num_open: int) -> tuple[int, ...]:
        """The whole plan for one row; sums to ``num_open``.

        Args:
            num_open: Open positions at the start.

        Returns:
            One budget per step.
        """
        planned: list[int] = []
        for index in range(self.num_steps):
            left = torch.tensor([num_open - sum(planned)])
            planned.append(int(self.budget(left, index)))
        return tuple(planned)


@dataclass(frozen=True, kw_only=True, slots=True)
class TemperaturePlan:
    """Let the temperature fall linearly: final + (first - final)(n - i) / n at pass i of n, as DiffusionGemma does.

    >>> plan = TemperaturePlan(first=0.8, final=0.4, num_steps=4)
    >>> [round(plan.at(index), 3) for index in range(4)]
    [0.8, 0.7, 0.6, 0.5]
    """

    first: float
    """Temperature of pass 0."""
    final: float
    """Where it heads for; pass n would have it."""
    num_steps: int
    """n, the most passes over a canvas."""

    def at(self, index: int) -> float:
        """The temperature of one pass.

        Args:
            index: Which pass, from 0.

        Returns:
            The temperature; exactly ``first`` if both ends are equal.
        """
        if self.first == self.final:
            return self.first
        return self.final + (self.first - self.final) * (self.num_steps - index) / self.num_steps
