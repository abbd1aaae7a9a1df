"""What a run trains: a model, its examples, its loss and the folder it becomes. The loop around it is ``trainer``."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from redraft.denoiser import Transformer
from redraft.noise import LossParts, denoising_loss
from redraft.text import Tokenizer
from redraft.training.config import Recipe
from redraft.training.corruption import ChosenMask, Rows, TokenTable, corrupt
from redraft.training.data import Batch, BatchStream, ExampleStream
from redraft.training.export import export_model
from redraft.training.hardware import autocast, step_flops
from redraft.training.validation import HeldOut
from redraft.types import Tokens

__all__ = ["AnyBatch", "Learner", "NativeLearner", "Stream", "StreamPlace"]


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


@runtime_checkable
class Learner(Protocol):
    """One kind of run."""

    @property
    def model(self) -> Any:
        """The module whose weights are trained."""
        ...

    @property
    def stream(self) -> Stream:
        """Its examples."""
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


class NativeLearner:
    """This program's own transformer on generated problems.

    Args:
        recipe: The run.
        tokenizer: The one the recipe was built with.
        device: Where the model lives.
        dtype: In which type it multiplies.
    """

    def __init__(self, recipe: Recipe, tokenizer: Tokenizer, device: torch.device, dtype: torch.dtype) -> None:
        self.recipe = recipe
        self.tokenizer = tokenizer
        self.device = device
        self.dtype = dtype
        self.table = TokenTable.of(tokenizer)
        self.stream = BatchStream(ExampleStream(recipe.data, tokenizer))
        self.held_out = HeldOut(recipe.data, tokenizer, recipe.train.validate_batches)
        self.model = Transformer(recipe.model)
        self.model.reset_parameters(torch.Generator().manual_seed(recipe.train.seed))
        self.model.to(device)
        self.forward: nn.Module = self.model
        if recipe.train.compile:
            self.forward = torch.compile(self.model, dynamic=True)  # pyright: ignore[reportAttributeAccessIssue]

    def losses(self, batch: Batch, rng: torch.Generator, progress: float) -> Iterator[LossParts]:
        """Noise a batch and score it, all at once."""
        context = batch.context.to(self.device)
        context_is_valid = batch.context_is_valid.to(self.device)

        def guess(rows: Rows, canvas: Tokens, wanted: ChosenMask) -> Tensor:
            rows = rows.to(self.device)
            with torch.no_grad(), autocast(self.device, self.dtype):
                return self.forward(
                    context[rows],
                    canvas.to(self.device)[rows],
                    context_is_valid=context_is_valid[rows],
                    scored=wanted.to(self.device),
                )

        noised = corrupt(batch, self.recipe.noise, self.table, rng, progress=progress, guess=guess)
        scored = batch.is_supervised
        with autocast(self.device, self.dtype):
            logits = self.forward(
                context,
                noised.canvas.to(self.device),
                context_is_valid=context_is_valid,
                scored=scored.to(self.device),
            )
        yield denoising_loss(
            logits,
            batch.canvas[scored].to(self.device),
            noised.is_corrupted[scored].to(self.device),
            clean_weight=self.recipe.noise.clean_weight,
        )

    def flops(self, batch: Batch) -> float:
        """Six operations per weight and position, attention left out."""
        return step_flops(self.recipe.model, batch.num_tokens, int(batch.is_supervised.sum()))

    def measure(self) -> dict[str, float]:
        """Score the all-mask and the half-masked canvases of held-out problems."""
        return self.held_out.measure(self.model, self.device)

    def export(self, folder: Path, *, step: int, examples: int, figures: dict[str, float]) -> None:
        """Write a checkpoint folder of our own."""
        export_model(
            folder,
            self.model,
            tokenizer=self.tokenizer,
            recipe=self.recipe,
            step=step,
            examples=examples,
            figures=figures,
        )
