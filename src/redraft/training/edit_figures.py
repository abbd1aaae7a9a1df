"""Held-out figures of drafts: whether one pass repairs them, and whether what the model says of a token holds."""

from collections.abc import Sequence

import torch

from redraft.denoiser import Transformer
from redraft.training.data import Batch
from redraft.training.keep import choose_threshold, keep_error, measure_keep

__all__ = ["MAX_DAMAGE", "THRESHOLDS", "measure_drafts"]

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
"""Thresholds of the sampler's edit rule that are compared."""

MAX_DAMAGE = 1e-3
"""Share of right tokens that the chosen threshold may change: one in a thousand."""


def measure_drafts(
    model: Transformer, batches: Sequence[Batch], names: Sequence[str], mask: int, device: torch.device
) -> dict[str, float]:
    """Score held-out drafts as they stand before the first pass.

    Args:
        model: What to score; it is not changed.
        batches: Batches, of which only rows with a whole draft count.
        names: Of the mixture entries.
        mask: Id of [MASK].
        device: Where the weights are.

    Returns:
        Nothing if there are no such rows. Otherwise ``one_pass_edit`` for each entry, the share of drafts that are
        right when the likeliest token stands everywhere after one pass; ``keep_error``, how far from the truth the
        probability is that a token of a draft is right; and ``edit_threshold``, the lowest whose damage is small
        enough, with its ``edit_damage`` and ``edit_repair``.
    """
    repaired: dict[str, list[int]] = {}
    logits, seen, truth = [], [], []
    for batch in batches:
        if batch.forms is None:
            continue
        rows = batch.forms.is_edit & ~(batch.forms.start == mask).any(dim=1)
        if not bool(rows.any()):
            continue
        wanted = batch.forms.may_change[rows]
        start, clean = batch.forms.start[rows], batch.canvas[rows]
        given = model(
            batch.context[rows].to(device),
            start.to(device),
            context_is_valid=batch.context_is_valid[rows].to(device),
            scored=wanted.to(device),
        )
        logits.append(given.float().cpu())
        seen.append(start[wanted])
        truth.append(clean[wanted])
        is_wrong = torch.zeros_like(wanted)
        is_wrong[wanted] = logits[-1].argmax(dim=-1) != truth[-1]
        entries = [entry for entry, is_edit in zip(batch.entries, rows.tolist(), strict=True) if is_edit]
        for entry, wrong in zip(entries, is_wrong.any(dim=1).tolist(), strict=True):
            repaired.setdefault(names[entry], []).append(int(not wrong))
    if not logits:
        return {}
    all_logits, all_seen, all_truth = torch.cat(logits), torch.cat(seen), torch.cat(truth)
    keep = torch.softmax(all_logits, dim=-1).gather(1, all_seen[:, None])[:, 0]
    chosen = choose_threshold(measure_keep(all_logits, all_seen, all_truth, THRESHOLDS), MAX_DAMAGE)
    return {f"one_pass_edit/{name}": sum(marks) / len(marks) for name, marks in sorted(repaired.items())} | {
        "keep_error": keep_error(keep, all_seen == all_truth),
        "edit_threshold": chosen.threshold,
        "edit_damage": chosen.damage,
        "edit_repair": chosen.repair,
    }
