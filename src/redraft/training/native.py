"""What a run trains by default: this program's own transformer on generated problems."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import torch
from torch import Tensor, nn

from redraft.denoiser import Transformer
from redraft.noise import LossParts, denoising_loss
from redraft.text import Tokenizer
from redraft.training.arms_canvas import seen_by_arm
from redraft.training.complement import with_complements
from redraft.training.config import Recipe
from redraft.training.corruption import Noised, TokenTable, corrupt
from redraft.training.data import Batch, BatchStream, ExampleStream
from redraft.training.export import export_model
from redraft.training.guess import ChosenMask, Rows
from redraft.training.hardware import autocast, step_flops
from redraft.training.scoring import score
from redraft.training.start import start_from
from redraft.training.validation import HeldOut
from redraft.types import Tokens

__all__ = ["NativeLearner"]


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
        self.start_digest = ""
        self.tokenizer = tokenizer
        self.device = device
        self.dtype = dtype
        self.table = TokenTable.of(tokenizer)
        self.stream = BatchStream(ExampleStream(recipe.data, tokenizer))
        self.held_out = HeldOut(recipe.data, tokenizer, recipe.train.validate_batches, arm=recipe.arm)
        self.model = Transformer(recipe.model)
        self.model.reset_parameters(torch.Generator().manual_seed(recipe.train.seed))
        self.model.to(device)
        self.forward: nn.Module = self.model
        if recipe.train.compile:
            self.forward = torch.compile(self.model, dynamic=True)  # pyright: ignore[reportAttributeAccessIssue]

    def warm_start(self) -> None:
        """Take the weights of ``train.start_from``, if it is set."""
        if self.recipe.train.start_from:
            self.start_digest = start_from(self.recipe.train.start_from, self.model, self.tokenizer)

    def losses(self, batch: Batch, rng: torch.Generator, progress: float) -> Iterator[LossParts]:
        """Noise a batch and score it, all at once."""
        recipe, is_diffusion = self.recipe.noise, self.recipe.arm.name == "diffusion"
        noised = self._seen(batch, rng, progress)
        if is_diffusion and recipe.is_complementary:
            batch, noised = with_complements(batch, noised, self.table.mask)
        context = batch.context.to(self.device)
        context_is_valid = batch.context_is_valid.to(self.device) & noised.sees_context.to(self.device)[:, None]
        scored = batch.is_supervised
        with self._multiplying():
            logits = self.forward(
                context,
                noised.canvas.to(self.device),
                context_is_valid=context_is_valid,
                scored=scored.to(self.device),
            )
        truth, is_corrupted = batch.canvas[scored].to(self.device), noised.is_corrupted[scored].to(self.device)
        if is_diffusion:
            yield score(logits, truth, noised.canvas[scored].to(self.device), is_corrupted, recipe, self.table.mask)
        else:
            yield denoising_loss(logits, truth, is_corrupted, clean_weight=recipe.clean_weight)

    def _multiplying(self) -> AbstractContextManager[object]:
        """On a CPU only products are rounded: everything in bfloat16 is slower there, and learns worse."""
        if self.device.type == "cpu":
            return self.model.multiplying_in(self.dtype)
        return autocast(self.device, self.dtype)

    def _seen(self, batch: Batch, rng: torch.Generator, progress: float) -> Noised:
        """What stands on the canvases while they are scored."""
        if self.recipe.arm.name != "diffusion":
            return seen_by_arm(batch, self.recipe.arm, self.table)
        context = batch.context.to(self.device)
        context_is_valid = batch.context_is_valid.to(self.device)

        def guess(rows: Rows, canvas: Tokens, wanted: ChosenMask) -> Tensor:
            rows = rows.to(self.device)
            with torch.no_grad(), self._multiplying():
                return self.forward(
                    context[rows],
                    canvas.to(self.device)[rows],
                    context_is_valid=context_is_valid[rows],
                    scored=wanted.to(self.device),
                )

        return corrupt(batch, self.recipe.noise, self.table, rng, progress=progress, guess=guess)

    def flops(self, batch: Batch) -> float:
        """Six operations per weight and position, attention left out."""
        return step_flops(self.recipe.model, batch.num_tokens, int(batch.is_supervised.sum()))

    def measure(self) -> dict[str, float]:
        """Score canvases of held-out problems."""
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
            start_digest=self.start_digest,
        )
