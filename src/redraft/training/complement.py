"""Complementary masks: what one row hides, its twin shows, so that every token of a text is predicted once."""

from dataclasses import fields, replace

import torch
from torch import Tensor

from redraft.training.corruption import Noised
from redraft.training.data import Batch
from redraft.training.laid import Forms

__all__ = ["with_complements"]


def with_complements(batch: Batch, noised: Noised, mask: int) -> tuple[Batch, Noised]:
    """Append a twin to each row that hides a part of what the loss scores.

    The twin shows the truth where the row has masks and masks where it has none; what is pinned stays. A row that hides
    all or nothing has no twin, and neither has a draft: what it shows isn't the truth.

    Args:
        batch: Clean canvases.
        noised: What is seen of them.
        mask: Id of [MASK].

    Returns:
        Both with the twins behind the rows.
    """
    is_masked = noised.canvas == mask
    may_change = torch.ones_like(is_masked) if batch.forms is None else batch.forms.may_change
    hidden = (is_masked & batch.is_supervised).any(dim=1)
    shown = (~is_masked & batch.is_supervised).any(dim=1)
    has_twin = hidden & shown
    if batch.forms is not None:
        has_twin &= ~batch.forms.is_edit
    rows = torch.cat([torch.arange(batch.num_rows), has_twin.nonzero()[:, 0]])
    twins = batch.canvas.masked_fill(may_change & ~is_masked, mask)[has_twin]
    canvas = torch.cat([noised.canvas, twins])
    doubled = _chosen(batch, rows)
    return doubled, Noised(
        canvas=canvas,
        is_corrupted=canvas != doubled.canvas,
        sees_context=noised.sees_context[rows],
    )


def _chosen(batch: Batch, rows: Tensor) -> Batch:
    """The rows with these numbers, in their order."""
    tensors = {
        field.name: value[rows] for field in fields(batch) if isinstance(value := getattr(batch, field.name), Tensor)
    }
    forms = batch.forms
    if forms is not None:
        forms = Forms(**{field.name: getattr(forms, field.name)[rows] for field in fields(forms)})
    return replace(batch, **tensors, entries=tuple(batch.entries[row] for row in rows.tolist()), forms=forms)
