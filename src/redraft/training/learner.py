"""What a run trains: a model, its examples, its loss and the folder it becomes. The loop around it is ``trainer``."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch

from redraft.noise import LossParts

__all__ = ["AnyBatch", "Learner", "Stream", "StreamPlace"]


@runtime_checkable
class AnyBatch(Protocol):
    """What the loop asks of a batch."""

    @property
    def num_tokens(self) -> int:
        """Positions, padding included."""
        ...

    @property
    def num_rows(self) -> int:
        """Rows."""
        ...


@runtime_checkable
class StreamPlace(Protocol):
    """What the loop asks of a place in a stream."""

    @property
    def examples_seen(self) -> int:
        """Examples in all batches taken."""
        ...


@runtime_checkable
class Stream(Protocol):
    """Yields batch after batch; can be put back to where it was."""

    @property
    def state(self) -> StreamPlace:
        """Where it stands."""
        ...

    def next(self, progress: float) -> AnyBatch:
        """Take the next batch."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """The place, ready for JSON."""
        ...

    def load_state_dict(self, values: Mapping[str, Any]) -> None:
        """Go back to a place."""
        ...

    def close(self) -> None:
        """Let go of everything that outlives a batch, such as processes."""
        ...


@runtime_checkable
class Learner(Protocol):
    """One kind of run."""

    start_digest: str
    """Digest of the model whose weights a native run started from; empty: none."""

    @property
    def model(self) -> Any:
        """The module whose weights are trained."""
        ...

    @property
    def stream(self) -> Stream:
        """Its examples."""
        ...

    def warm_start(self) -> None:
        """Take the weights that a fresh run starts from, if they are not in place."""
        ...

    def losses(self, batch: Any, rng: torch.Generator, progress: float) -> Iterator[LossParts]:
        """Score a batch in one or more parts, whose totals and figures add up to the batch's.

        The caller lets each part's gradient run before it asks for the next one.
        """
        ...

    def flops(self, batch: Any) -> float:
        """Floating-point operations of a step on this batch."""
        ...

    def measure(self) -> dict[str, float]:
        """Held-out figures of the weights as they are."""
        ...

    def export(self, folder: Path, *, step: int, examples: int, figures: dict[str, float]) -> None:
        """Write the weights as they are as a folder that can be used, replacing an older one at once."""
        ...
