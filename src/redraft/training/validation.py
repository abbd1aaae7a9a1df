"""The trainer's own held-out figures: cheap, per mixture entry, without a sampler.

How well the model answers after real decoding is ``redraft.evaluation``, which comes in as a callback.
"""

from dataclasses import replace

import torch
import torch.nn.functional as F

from redraft.denoiser import Transformer
from redraft.text import Tokenizer
from redraft.training.config import DataRecipe
from redraft.training.corruption import TokenTable
from redraft.training.data import Batch, BatchStream, ExampleStream

__all__ = ["HeldOut"]


class HeldOut:
    """A fixed set of batches of held-out problems, drawn from the final mixture."""

    def __init__(self, recipe: DataRecipe, tokenizer: Tokenizer, num_batches: int) -> None:
        self.table = TokenTable.of(tokenizer)
        # Half-masked positions are the same at every validation, so that figures differ by the model only.
        self.rng_seed = recipe.seed
        self.names = [f"{index}-{entry.task}" for index, entry in enumerate(recipe.mixture)]
        self.batches: list[Batch] = []
        if num_batches:
            small = replace(
                recipe, pool_examples=max(num_batches, num_batches * recipe.batch_tokens // 160), seed=recipe.seed
            )
            stream = BatchStream(ExampleStream(small, tokenizer, split="dev"))
            self.batches = [stream.next(1.0) for _ in range(num_batches)]

    @torch.no_grad()
    def measure(self, model: Transformer, device: torch.device) -> dict[str, float]:
        """Score the all-mask and the half-masked canvases.

        Args:
            model: What to score; it is not changed.
            device: Where its weights are.

        Returns:
            ``all_mask_nats`` and ``half_mask_nats`` per content token, and for each mixture entry
            ``one_pass_first_line``: the share of rows whose whole first line is right when all positions are settled
            in a single pass.
        """
        rng = torch.Generator().manual_seed(self.rng_seed)
        sums = {"all_mask": [0.0, 0], "half_mask": [0.0, 0]}
        right: dict[str, list[int]] = {}
        for batch in self.batches:
            half = torch.rand(batch.canvas.shape, generator=rng) < 0.5
            for name, is_masked in (("all_mask", torch.ones_like(half)), ("half_mask", half)):
                wanted = is_masked & batch.is_content
                x_t = batch.canvas.masked_fill(is_masked, self.table.mask)
                logits = model(
                    batch.context.to(device),
                    x_t.to(device),
                    context_is_valid=batch.context_is_valid.to(device),
                    scored=wanted.to(device),
                )
                logits = logits.float().cpu()
                sums[name][0] += float(F.cross_entropy(logits, batch.canvas[wanted], reduction="sum"))
                sums[name][1] += int(wanted.sum())
                if name == "all_mask":
                    self._count_first_lines(batch, wanted, logits, right)
        figures = {f"{name}_nats": total / max(1, count) for name, (total, count) in sums.items()}
        return figures | {
            f"one_pass_first_line/{name}": sum(marks) / len(marks) for name, marks in sorted(right.items())
        }

    def _count_first_lines(
        self, batch: Batch, wanted: torch.Tensor, logits: torch.Tensor, right: dict[str, list[int]]
    ) -> None:
        logits[:, self.table.mask] = -torch.inf
        is_wrong = torch.zeros_like(wanted)
        is_wrong[wanted] = logits.argmax(dim=-1) != batch.canvas[wanted]
        is_separator = self.table.is_separator[batch.canvas]
        in_first_line = is_separator.cumsum(dim=1) - is_separator.long() == 0
        is_right = ~(is_wrong & in_first_line).any(dim=1)
        for entry, mark in zip(batch.entries, is_right.tolist(), strict=True):
            right.setdefault(self.names[entry], []).append(int(mark))
