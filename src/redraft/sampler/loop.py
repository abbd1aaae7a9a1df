"""The loop: one for every family, every rule and every job.

It yields a ``Step`` per pass. Whoever wants to watch, measure or test reads those; nobody repeats the loop.
"""

from collections.abc import Iterator

import torch

from redraft.denoiser.protocol import Cache, Denoiser
from redraft.sampler.advance import Advance, advance
from redraft.sampler.canvas import Canvas, SpecialIds
from redraft.sampler.draft import Draft, RowGroup
from redraft.sampler.ending import Ending, width_of
from redraft.sampler.guidance import Scorer
from redraft.sampler.random import Draws
from redraft.sampler.rules import Rules, rules_for
from redraft.sampler.settings import SamplerSettings
from redraft.sampler.step import Step
from redraft.sampler.verdict import Verdict, judge, merge
from redraft.types import WholePerRow

__all__ = ["sample"]


def sample(
    denoiser: Denoiser,
    *,
    context: Cache | None,
    canvas: Canvas,
    settings: SamplerSettings,
    special: SpecialIds,
    seeds: WholePerRow,
    block: int = 0,
    unconditional: Cache | None = None,
) -> Iterator[Step]:
    """Redraft a canvas until every row is finished.

    A row's bytes depend on its own context, canvas and seed, never on its batch mates: rows are scored in groups of
    equal width, and each draw is a function of (seed, block, step, position). They are the same to the bit wherever the
    denoiser's own scores of a row are.

    Args:
        denoiser: Scores the canvas.
        context: Its settled context, one row per canvas row; None for none.
        canvas: Where to start.
        settings: How to go on; ``canvas_length`` and ``max_new_tokens`` are the caller's affair.
        special: Ids that are no text.
        seeds: One per row.
        block: Which canvas of the request this is.
        unconditional: Context for guidance to push away from; None for none at all.

    Yields:
        One record per pass, at least one. If there is nothing to do, a record of the canvas as it is, with no pass.
    """
    rules = rules_for(settings, special, canvas, denoiser.vocab_size)
    ending = Ending.of(canvas, special.ends)
    scorer = Scorer(
        denoiser,
        context=context,
        unconditional=unconditional,
        guidance_scale=settings.guidance_scale,
        special=special,
        num_rows=canvas.batch,
        device=canvas.tokens.device,
    )
    row_seeds = tuple(int(seed) for seed in seeds)
    assert len(row_seeds) == canvas.batch, f"{len(row_seeds)} seeds for {canvas.batch} rows"
    draft = Draft.start(canvas, ending.may_end)
    nfe = (0,) * canvas.batch
    groups = _groups(draft, rules, scorer)
    if not groups:
        nothing = torch.zeros_like(canvas.is_settled)
        idle = Advance(draft=draft, committed=nothing, revised=nothing, proposed=canvas.tokens)
        yield _step(idle, index=0, block=block, nfe=nfe, groups=groups)
    for index in range(settings.max_steps):
        if not groups:
            return
        # 1. Score the rows that are not finished, judge the scores, write the verdict.
        moved = _one_pass(draft, groups, scorer, rules, ending, seeds=row_seeds, block=block, index=index)
        draft = moved.draft
        # 2. Count the passes, see who goes on and how wide.
        unfinished = {row for group in groups for row in group.rows}
        nfe = tuple(count + scorer.nfe_per_pass * (row in unfinished) for row, count in enumerate(nfe))
        groups = _groups(draft, rules, scorer)
        yield _step(moved, index=index, block=block, nfe=nfe, groups=groups)


@torch.no_grad()
def _one_pass(
    draft: Draft,
    groups: list[RowGroup],
    scorer: Scorer,
    rules: Rules,
    ending: Ending,
    *,
    seeds: tuple[int, ...],
    block: int,
    index: int,
) -> Advance:
    """Take all unfinished rows one pass further."""
    device = draft.canvas.tokens.device
    verdicts: list[tuple[RowGroup, Verdict]] = []
    for group in groups:
        part = draft.cut(group)
        row_seeds = tuple(seeds[row] for row in group.rows)
        draws = Draws(seeds=row_seeds, block=block, step=index, length=group.width, device=device)
        logits = scorer(part.canvas.tokens, group.rows, part.last_probs)
        verdict = judge(part, logits, rules, ending, draws, keep_probs=scorer.is_self_conditioned)
        verdicts.append((group, verdict))
    draws = Draws(seeds=seeds, block=block, step=index, length=draft.canvas.length, device=device)
    return advance(draft, merge(draft, verdicts), rules, ending, draws)


def _groups(draft: Draft, rules: Rules, scorer: Scorer) -> list[RowGroup]:
    """The unfinished rows, together where they are equally wide. The one place where the loop waits for the device."""
    widths = width_of(draft.is_after_end)
    # Self-conditioning needs the last distributions at every position, so such rows stay whole.
    if not rules.narrows or scorer.is_self_conditioned:
        widths = torch.full_like(widths, draft.canvas.length)
    by_width: dict[int, list[int]] = {}
    for row, width in enumerate(widths.masked_fill(draft.is_finished, 0).cpu()):
        if int(width) > 0:
            by_width.setdefault(int(width), []).append(row)
    groups = [RowGroup(rows=tuple(rows), width=width) for width, rows in by_width.items()]
    scorer.keep_only([group.rows for group in groups])
    return groups


def _step(moved: Advance, *, index: int, block: int, nfe: tuple[int, ...], groups: list[RowGroup]) -> Step:
    canvas = moved.draft.canvas
    going_on = {row for group in groups for row in group.rows}
    return Step(
        index=index,
        block=block,
        tokens=canvas.tokens,
        proposed=moved.proposed,
        is_settled=canvas.is_settled,
        is_masked=canvas.is_masked,
        committed=moved.committed,
        revised=moved.revised,
        confidence=canvas.confidence,
        nfe=nfe,
        is_finished=tuple(row not in going_on for row in range(canvas.batch)),
        is_last=not groups,
    )
