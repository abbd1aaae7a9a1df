"""From a verdict to the next state: the only place that writes on a canvas."""

from dataclasses import dataclass

import torch

from redraft.sampler.canvas import Canvas
from redraft.sampler.draft import Draft
from redraft.sampler.ending import Ending
from redraft.sampler.random import Draws
from redraft.sampler.rules import Rules
from redraft.sampler.stop import fingerprint, is_repeated
from redraft.sampler.verdict import Verdict
from redraft.types import TokenMask, Tokens

__all__ = ["Advance", "advance"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Advance:
    """The next state, and what changed on the way."""

    draft: Draft
    """The state after the pass."""
    committed: TokenMask
    """Open positions that settled, the fill after an end of text left out."""
    revised: TokenMask
    """Settled positions that changed or reopened."""
    proposed: Tokens
    """The canvas with the proposal in its open positions."""


def advance(draft: Draft, verdict: Verdict, rules: Rules, ending: Ending, draws: Draws) -> Advance:
    """Write a pass's verdict on the canvas.

    Args:
        draft: The state before the pass.
        verdict: What to write, for all rows.
        rules: Says what stands at open positions, and when a row is finished.
        ending: What follows from an end of text.
        draws: The pass's randomness.

    Returns:
        The state after it, and the changes.
    """
    before = draft.canvas
    # 1. Write what the rules chose.
    is_written = verdict.is_accepted | verdict.is_edited
    tokens = torch.where(is_written, verdict.tokens, before.tokens)
    is_settled = (before.is_settled | verdict.is_accepted) & ~verdict.is_reopened

    # 2. Fill what lies behind an end of text; open it again where that end is gone.
    is_after_end = ending.after_end(tokens, is_settled, draft.is_after_end)
    if rules.rejudges:  # an end of text stands for itself only once the row is done
        is_after_end = is_after_end & (verdict.is_closing | draft.is_finished).unsqueeze(1)
    elif not rules.fills_after_end:
        is_after_end = torch.zeros_like(is_after_end)
    is_tail = is_after_end & before.is_editable
    is_released = draft.is_after_end & ~is_after_end & before.is_editable
    is_settled = (is_settled | is_tail) & ~is_released
    tokens = tokens.masked_fill(is_tail, ending.fill)

    # 3. Cover what is open.
    is_open = ~is_settled
    tokens = rules.open_fill(tokens, is_open, draws)

    # 4. Say what changed. What lay behind the end followed from it, so its reopening is no revision of its own.
    is_changed = tokens != before.tokens
    committed = before.is_open & is_settled & ~is_tail
    revised = before.is_settled & ~draft.is_after_end & (is_open | is_changed)
    confidence = torch.where(is_written | is_open, verdict.confidence, before.confidence)
    canvas = Canvas(
        tokens=tokens,
        is_editable=before.is_editable,
        is_masked=before.is_masked if rules.rejudges else is_open,
        is_settled=is_settled,
        age=(before.age + 1).masked_fill(is_changed, 0),
        confidence=confidence.masked_fill(is_tail, 1.0).masked_fill(is_released, 0.0),
    )
    after = _after(draft, verdict, rules, canvas, is_after_end, revised)
    proposed = torch.where(is_open, verdict.tokens, tokens)
    return Advance(draft=after, committed=committed, revised=revised, proposed=proposed)


def _after(
    draft: Draft, verdict: Verdict, rules: Rules, canvas: Canvas, is_after_end: TokenMask, revised: TokenMask
) -> Draft:
    """The memory of a pass: what the stop rules make of it, and what the next pass has to know."""
    is_all_settled = canvas.is_settled.all(dim=1)
    settled_passes = draft.settled_passes + is_all_settled
    is_finished, seen = draft.is_finished | verdict.is_closing, draft.seen
    if rules.settled is not None:
        is_finished = is_finished | rules.settled(
            was_settled=draft.canvas.is_settled.all(dim=1),
            is_settled=is_all_settled,
            has_revised=revised.any(dim=1),
            settled_passes=settled_passes,
            least_confidence=torch.where(verdict.is_accepted, verdict.confidence, 1.0).amin(dim=1),
        )
    if rules.settled is not None and rules.revise:
        now = fingerprint(canvas.tokens)
        is_finished = is_finished | (is_all_settled & is_repeated(now, seen))
        seen = torch.cat([seen, now.unsqueeze(1)], dim=1)
    return Draft(
        canvas=canvas,
        is_after_end=is_after_end,
        may_end=draft.may_end,
        num_revisions=draft.num_revisions + revised,
        last_best=verdict.best,
        last_probs=verdict.probs,
        stable_for=verdict.stable_for,
        settled_passes=settled_passes,
        seen=seen,
        is_finished=is_finished,
    )
