"""The trainer's own held-out figures: cheap, per mixture entry, without a sampler.

How well the model answers after real decoding is ``redraft.evaluation``, which comes in as a callback.
"""

from collections.abc import Iterator
from dataclasses import replace

import torch
import torch.nn.functional as F

from redraft.denoiser import Transformer
from redraft.text import Tokenizer
from redraft.training.arms import ArmRecipe
from redraft.training.arms_canvas import seen_by_arm
from redraft.training.config import DataRecipe
from redraft.training.corruption import TokenTable
from redraft.training.data import Batch, BatchStream, ExampleStream
from redraft.training.edit_figures import measure_drafts
from redraft.training.formed_noise import opening
from redraft.types import TokenMask, Tokens

__all__ = ["HeldOut"]


class HeldOut:
    """A fixed set of batches of held-out problems, drawn from the final mixture."""

    def __init__(
        self, recipe: DataRecipe, tokenizer: Tokenizer, num_batches: int, *, arm: ArmRecipe | None = None
    ) -> None:
        self.arm = arm or ArmRecipe()
        self.table = TokenTable.of(tokenizer)
        # Half-masked positions are the same at every validation, so that figures differ by the model only.
        self.rng_seed = recipe.seed
        self.names = [f"{index}-{entry.task}" for index, entry in enumerate(recipe.mixture)]
        self.batches: list[Batch] = []
        if num_batches:
            small = replace(
                recipe, pool_examples=max(num_batches, num_batches * recipe.batch_tokens // 160), num_workers=0
            )
            stream = BatchStream(ExampleStream(small, tokenizer, split="dev"))
            self.batches = [stream.next(1.0) for _ in range(num_batches)]

    @torch.no_grad()
    def measure(self, model: Transformer, device: torch.device) -> dict[str, float]:
        """Score what the arm learns to score: all-mask and half-masked canvases, or one token after the other.

        Args:
            model: What to score; it is not changed.
            device: Where its weights are.

        Returns:
            Nats per content token: ``all_mask_nats`` and ``half_mask_nats``, or ``next_token_nats``. And for each
            mixture entry ``one_pass_first_line``, the share of rows whose whole first line (or whose gaps) are right
            when all positions are settled in a single pass, or ``next_token_first_line``, when each token sees the true
            ones before it. Drafts have the figures of ``edit_figures`` instead.
        """
        rng = torch.Generator().manual_seed(self.rng_seed)
        sums: dict[str, list[float]] = {}
        right: dict[str, list[int]] = {}
        is_reader = self.arm.name in ("causal", "prefix")
        for batch in self.batches:
            half = torch.rand(batch.canvas.shape, generator=rng) < 0.5
            for name, x_t, wanted in self._views(batch, half):
                logits = model(
                    batch.context.to(device),
                    x_t.to(device),
                    context_is_valid=batch.context_is_valid.to(device),
                    scored=wanted.to(device),
                )
                logits = logits.float().cpu()
                total = sums.setdefault(name, [0.0, 0.0])
                total[0] += float(F.cross_entropy(logits, batch.canvas[wanted], reduction="sum"))
                total[1] += int(wanted.sum())
                if name != "half_mask":
                    self._count_first_lines(batch, wanted, logits, right)
        edits = measure_drafts(model, self.batches, self.names, self.table.mask, device)
        figures = {f"{name}_nats": total / max(1, count) for name, (total, count) in sums.items()}
        title = "next_token_first_line" if is_reader else "one_pass_first_line"
        return figures | {f"{title}/{name}": sum(marks) / len(marks) for name, marks in sorted(right.items())} | edits

    def _views(self, batch: Batch, half: TokenMask) -> Iterator[tuple[str, Tokens, TokenMask]]:
        """Name, what stands on the canvases, and what is asked for."""
        if self.arm.name != "diffusion":
            name = "all_mask" if self.arm.name == "one_shot" else "next_token"
            yield name, seen_by_arm(batch, self.arm, self.table).canvas, batch.is_content
            return
        for name, is_masked in (("all_mask", torch.ones_like(half)), ("half_mask", half)):
            if batch.forms is None:
                yield name, batch.canvas.masked_fill(is_masked, self.table.mask), is_masked & batch.is_content
            else:
                shown, may_mask = opening(batch.forms, batch.canvas, is_masked, self.table.mask)
                is_asked = may_mask & batch.is_content & ~batch.forms.is_edit[:, None]
                yield name, shown.masked_fill(may_mask, self.table.mask), is_asked

    def _count_first_lines(
        self, batch: Batch, wanted: torch.Tensor, logits: torch.Tensor, right: dict[str, list[int]]
    ) -> None:
        logits[:, self.table.mask] = -torch.inf
        is_wrong = torch.zeros_like(wanted)
        is_wrong[wanted] = logits.argmax(dim=-1) != batch.canvas[wanted]
        is_separator = self.table.is_separator[batch.canvas]
        in_first_line = is_separator.cumsum(dim=1) - is_separator.long() == 0
        counts = torch.ones(batch.num_rows, dtype=torch.bool)
        if batch.forms is not None:
            in_first_line |= batch.forms.is_gap[:, None]
            counts = ~batch.forms.is_edit
        is_right = ~(is_wrong & in_first_line).any(dim=1)
        for entry, mark, is_counted in zip(batch.entries, is_right.tolist(), counts.tolist(), strict=True):
            if is_counted:
                right.setdefault(self.names[entry], []).append(int(mark))
