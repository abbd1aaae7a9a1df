"""The processes of one run: each scores a batch of its own, and all take the step of the mean gradient.

Two threads on one small matrix product help little; two processes on two batches share nothing but the gradient.
Every process has the same weights, optimiser state and stream, so nothing else is ever sent (arXiv 1706.02677,
section 3; the sum is one all-reduce over gloo).
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import torch
from torch import Tensor

from redraft.errors import RedraftError

__all__ = ["Processes", "joined"]

PATIENCE = timedelta(hours=2)
"""Longest wait for another process: the first one validates and saves while the others wait."""


class Processes:
    """The processes of a run, seen from one of them.

    Args:
        rank: Number of this one; the first, 0, alone writes, measures and says when to stop.
        size: How many there are; with one, nothing is sent.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank = rank
        self.size = size

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def average(self, weights: Mapping[str, Tensor], figures: Sequence[float]) -> list[float]:
        """Replace every weight's gradient by the mean over the processes.

        A weight that has a gradient in no process keeps none; one without it in some counts as zero there.

        Args:
            weights: The trained tensors, the same in every process.
            figures: Further numbers of this process.

        Returns:
            The means of the figures.

        Raises:
            RedraftError: If another process has ended.
        """
        if self.size == 1:
            return list(figures)
        parts = [weight.grad if weight.grad is not None else torch.zeros_like(weight) for weight in weights.values()]
        has_gradient = torch.tensor([float(weight.grad is not None) for weight in weights.values()])
        flat = torch.cat([part.reshape(-1).float() for part in parts] + [has_gradient, torch.tensor(figures)])
        self._send(lambda: torch.distributed.all_reduce(flat))
        flat /= self.size
        *means, counts, numbers = flat.split([part.numel() for part in parts] + [len(parts), len(figures)])
        for weight, mean, count in zip(weights.values(), means, counts.tolist(), strict=True):
            weight.grad = mean.view_as(weight).to(weight.dtype) if count else None
        return numbers.tolist()

    def agree(self, progress: float, is_over: bool) -> tuple[float, bool]:
        """Take the first process's word on where the run stands.

        Args:
            progress: Share of the run that is done; only the first process's counts, for clocks differ.
            is_over: Whether no further step is to be done; likewise.

        Returns:
            Both, equal in every process.

        Raises:
            RedraftError: If another process has ended.
        """
        if self.size == 1:
            return progress, is_over
        word = torch.tensor([progress, float(is_over)], dtype=torch.float64)
        self._send(lambda: torch.distributed.broadcast(word, src=0))
        return float(word[0]), bool(word[1])

    def _send(self, talk: Callable[[], object]) -> None:
        try:
            talk()
        except RuntimeError as error:
            raise RedraftError(
                f"another of the {self.size} processes of this run has ended; the last checkpoint is sound, the same "
                "command goes on from there"
            ) from error


@contextmanager
def joined(
    meeting: Path, rank: int, size: int, *, others_live: Callable[[], bool] = lambda: True
) -> Iterator[Processes]:
    """Join the processes of a run for the length of a ``with`` block.

    Args:
        meeting: A file on which they find each other; no other run may use it.
        rank: Number of this process.
        size: How many there are.
        others_live: Whether those that are still to come may yet come.

    Yields:
        The processes.

    Raises:
        RedraftError: If one of the others ends before it has joined.
    """
    store = torch.distributed.FileStore(str(meeting), size)  # pyright: ignore[reportPrivateImportUsage]
    store.set(f"here/{rank}", "yes")
    while not store.check([f"here/{other}" for other in range(size)]):
        if not others_live():
            raise RedraftError(f"one of the {size} processes of this run ended before its first step")
        time.sleep(0.02)
    torch.distributed.init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=PATIENCE)
    try:
        yield Processes(rank, size)
    finally:
        torch.distributed.destroy_process_group()
