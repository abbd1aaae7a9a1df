"""Plans over the passes of a canvas: how many positions settle at each, and how warm the draws are."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch

from redraft.errors import ConfigError
from redraft.types import TokenMask, WholePerRow

__all__ = [
    "BudgetPlan",
    "StepPlan",
    "TemperaturePlan",
    "TimestepPlan",
    "behind_first",
    "first_open",
    "first_open_block",
]


@runtime_checkable
class BudgetPlan(Protocol):
    """Says how many positions settle in a pass."""

    @property
    def num_steps(self) -> int:
        """Passes to spread over."""
        ...

    def budget(self, num_open: WholePerRow, index: int, due: WholePerRow | None = None) -> WholePerRow:
        """How many positions each row should settle in one pass.

        Args:
            num_open: Open positions of each row that may settle.
            index: Which pass, from 0.
            due: The pass before which they all should have settled; None for ``num_steps``.

        Returns:
            At most ``num_open``.
        """
        ...


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

    def budget(self, num_open: WholePerRow, index: int, due: WholePerRow | None = None) -> WholePerRow:
        """How many positions each row should settle in one pass.

        Args:
            num_open: Open positions of each row that may settle.
            index: Which pass, from 0.
            due: The pass before which they all should have settled; None for ``num_steps``.

        Returns:
            At least one where any is open, at most ``num_open``.
        """
        if due is not None:
            left = (due - index).clamp_min(1)
            return (num_open + (left - 1)) // left
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
class TimestepPlan:
    """Settle at each pass the share (t - s) / t of what is open, with times that fall from 1 to ``final_time``.

    Dream's plan (arXiv 2508.15487): pass i of n goes from t = 1 - i (1 - final_time) / n to the next such time s. The
    share is rounded down, so that a pass may settle nothing, and the last one settles everything.

    >>> plan = TimestepPlan(num_steps=4, final_time=0.001)
    >>> [int(plan.budget(torch.tensor([left]), index)) for index, left in enumerate((10, 8, 6, 3))]
    [2, 2, 2, 3]
    """

    num_steps: int
    """n, the passes to spread over."""
    final_time: float
    """Where the times head for; above 0."""

    def budget(self, num_open: WholePerRow, index: int, due: WholePerRow | None = None) -> WholePerRow:
        """How many positions each row should settle in one pass.

        Args:
            num_open: Open positions of each row that may settle.
            index: Which pass, from 0.
            due: Must be None: this plan is one for whole canvases.

        Returns:
            At most ``num_open``, maybe none.
        """
        assert due is None, "settings that ask for blocks and timesteps are refused"
        if index >= self.num_steps - 1:
            return num_open
        # In float32 like the published one: at the edge of a whole number its rounding decides.
        times = torch.linspace(1.0, self.final_time, self.num_steps + 1, device=num_open.device)
        return (num_open.to(torch.float32) * (1.0 - times[index + 1] / times[index])).to(torch.int64)


def behind_first(is_open: TokenMask, length: int) -> TokenMask:
    """The open positions of each row behind its first ones, or the first ones where no other is open.

    >>> behind_first(torch.tensor([[True, True, True], [True, False, False]]), 1)
    tensor([[False,  True,  True],
            [ True, False, False]])

    Args:
        is_open: Open positions.
        length: How many positions come first, open or not.

    Returns:
        A subset of them, non-empty for each row that has any.
    """
    behind = is_open.clone()
    behind[:, :length] = False
    return torch.where(behind.any(dim=1, keepdim=True), behind, is_open)


def first_open(is_open: TokenMask, count: int) -> TokenMask:
    """The first open positions of each row, from the left.

    >>> first_open(torch.tensor([[False, True, False, True, True]]), 2)
    tensor([[False,  True, False,  True, False]])

    Args:
        is_open: Open positions.
        count: How many.

    Returns:
        Those of them that come first; all where there are no more.
    """
    return is_open & (is_open.cumsum(dim=1) <= count)


def first_open_block(is_open: TokenMask, block_length: int) -> tuple[TokenMask, WholePerRow]:
    """The open positions of each row's first block that has any.

    >>> first_open_block(torch.tensor([[False, False, True, True, True]]), 2)
    (tensor([[False, False,  True,  True, False]]), tensor([1]))

    Args:
        is_open: Open positions.
        block_length: Positions of a block, counted from the left.

    Returns:
        Those of the block, and its number; in a row without any, a number above all blocks.
    """
    length = is_open.shape[1]
    block = torch.arange(length, device=is_open.device) // block_length
    first = torch.where(is_open, block, length).amin(dim=1)
    return is_open & (block == first.unsqueeze(1)), first


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
