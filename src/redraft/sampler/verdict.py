"""One pass over one group of rows: from the denoiser's scores to what should be written where."""

from dataclasses import dataclass, replace

import torch

from redraft.denoiser.protocol import SomeLogits
from redraft.sampler.commit import Pace
from redraft.sampler.draft import Draft, RowGroup
from redraft.sampler.ending import Ending
from redraft.sampler.guidance import LEAST
from redraft.sampler.placed import PlacedProposal, Selection
from redraft.sampler.plan import behind_first, first_open, first_open_block
from redraft.sampler.propose import Proposal
from redraft.sampler.random import Draws
from redraft.sampler.rules import Rules
from redraft.sampler.stop import RowMask
from redraft.types import Confidence, Probs, TokenMask, Tokens, WholePerRow

__all__ = ["Verdict", "judge", "merge", "wanted"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What the rules make of a pass. Nothing is written yet."""

    tokens: Tokens
    """What to write where something is written; elsewhere what the pass proposes."""
    confidence: Confidence
    """Probability of those tokens."""
    is_accepted: TokenMask
    """Candidates that settle."""
    is_edited: TokenMask
    """Settled tokens that give way to another."""
    is_reopened: TokenMask
    """Settled positions that open."""
    best: Tokens
    """The likeliest canvas."""
    probs: Probs | None
    """The distributions, where the next pass wants them."""
    stable_for: WholePerRow
    """Passes for which the likeliest canvas has stood still."""
    is_closing: RowMask
    """Rows that end with this pass, whatever is open: it all settles."""


def wanted(draft: Draft, rules: Rules) -> TokenMask | None:
    """Where a pass needs scores.

    Args:
        draft: The state of the rows before it.
        rules: The rules that will read them.

    Returns:
        The positions; None for all.
    """
    if rules.rejudges or rules.stable is not None:
        return None
    in_play = draft.in_play
    is_wanted = in_play & draft.canvas.is_open
    return is_wanted | _revisable(draft, rules, in_play) if rules.revise else is_wanted


def judge(
    draft: Draft,
    logits: SomeLogits,
    rules: Rules,
    ending: Ending,
    draws: Draws,
    *,
    keep_probs: bool,
    selection: Selection | None = None,
) -> Verdict:
    """Apply the rules to one pass.

    Args:
        draft: The state of the rows before the pass.
        logits: The denoiser's scores, of all positions or of the selected ones; written to.
        rules: The rules.
        ending: Where an end of text may stand.
        draws: The pass's randomness; its step is the pass number.
        keep_probs: Whether the next pass wants the distributions.
        selection: Which positions are scored, where not all are.

    Returns:
        The verdict.
    """
    canvas, in_play, index = draft.canvas, draft.in_play, draws.step
    is_last = index + 1 == rules.max_steps

    # 1. Propose a token for each position.
    proposal = _propose(draft, logits, rules, ending, draws, selection)
    tokens, confidence = proposal.tokens, proposal.confidence

    # 2. Commit candidates; on the last pass, all of them.
    candidates = in_play if rules.rejudges else in_play & canvas.is_open
    is_accepted = candidates if is_last else _commit(proposal, candidates, rules, draws)
    if is_last and rules.rejudges:
        tokens, confidence = proposal.best, proposal.best_confidence

    # 3. Where the likeliest canvas stands still and is certain, it is the result.
    stable_for, is_closing = draft.stable_for, torch.full_like(draft.is_finished, is_last)
    if rules.stable is not None:
        stable_for = rules.stable.stable_for(proposal.best, draft.last_best, in_play, stable_for)
        is_certain = rules.stable(stable_for=stable_for, entropy=proposal.entropy, judged=in_play)
        is_closing = is_closing | is_certain
        is_accepted = is_accepted | (candidates & is_certain.unsqueeze(1))
        tokens = torch.where(is_certain.unsqueeze(1), proposal.best, tokens)
        confidence = torch.where(is_certain.unsqueeze(1), proposal.best_confidence, confidence)

    # 4. Revise what settled earlier.
    if rules.revise:
        may_close = is_last or rules.stable is not None
        is_edited, is_reopened = _revise(draft, in_play, proposal, rules, ending, is_closing, may_close=may_close)
        if tokens is not proposal.best:
            tokens = torch.where(is_edited, proposal.best, tokens)
            confidence = torch.where(is_edited, proposal.best_confidence, confidence)
    else:
        is_edited = is_reopened = torch.zeros_like(in_play)
    if rules.rejudges:
        is_reopened = candidates & canvas.is_settled & ~is_accepted
    return Verdict(
        tokens=tokens,
        confidence=confidence,
        is_accepted=is_accepted,
        is_edited=is_edited,
        is_reopened=is_reopened,
        best=proposal.best,
        probs=proposal.drawn_from if keep_probs else None,
        stable_for=stable_for,
        is_closing=is_closing,
    )


def _propose(
    draft: Draft, logits: SomeLogits, rules: Rules, ending: Ending, draws: Draws, selection: Selection | None
) -> Proposal:
    temperature = rules.temperature.at(draws.step)
    # A denoiser may score everything all the same.
    if selection is None or logits.shape[1] == draft.canvas.length:
        logits = ending.forbid(logits, draft.may_end, LEAST)
        return Proposal(logits, temperature=temperature, top_p=rules.top_p, draws=draws)
    places = selection.places
    logits = ending.forbid(logits, draft.may_end.gather(1, places), LEAST)
    scored = Proposal(logits, temperature=temperature, top_p=rules.top_p, draws=replace(draws, places=places))
    return PlacedProposal(scored, places, draft.canvas.tokens)


def _commit(proposal: Proposal, candidates: TokenMask, rules: Rules, draws: Draws) -> TokenMask:
    """Open positions to settle: by the rule, among those whose turn it is."""
    due = None
    if rules.block_length is not None:
        candidates, first = first_open_block(candidates, rules.block_length)
        end = ((first + 1) * rules.block_length).clamp_max(rules.canvas_length)
        due = rules.plan.num_steps * end // rules.canvas_length
    budget = rules.plan.budget(candidates.sum(dim=1), draws.step, due)
    if rules.answer_slots:
        candidates = behind_first(candidates, rules.answer_slots)
    if rules.lookahead is not None:
        candidates = first_open(candidates, rules.lookahead)
    return rules.commit(proposal, candidates, Pace(index=draws.step, budget=budget, draws=draws))


def _revise(
    draft: Draft,
    in_play: TokenMask,
    proposal: Proposal,
    rules: Rules,
    ending: Ending,
    is_closing: RowMask,
    *,
    may_close: bool,
) -> tuple[TokenMask, TokenMask]:
    """Settled positions to edit and to reopen."""
    canvas = draft.canvas
    left = _revisable(draft, rules, in_play)
    first, *others = rules.revise
    revision = first(proposal, canvas.tokens, left)
    is_edited, is_reopened = revision.is_edited, revision.is_reopened
    for rule in others:
        left = left & ~(is_edited | is_reopened)
        revision = rule(proposal, canvas.tokens, left)
        is_edited, is_reopened = is_edited | revision.is_edited, is_reopened | revision.is_reopened
    if not may_close:
        return is_edited, is_reopened
    # A row that ends with this pass must not be left with an open position: none may reopen, and its end of text, whose
    # tail would open again, must stay.
    is_end = ending.is_end(canvas.tokens, canvas.is_settled, draft.may_end) & in_play
    return is_edited & ~(is_end & is_closing.unsqueeze(1)), is_reopened & ~is_closing.unsqueeze(1)


def _revisable(draft: Draft, rules: Rules, in_play: TokenMask) -> TokenMask:
    """Settled positions that a revision may touch in this pass."""
    is_settled = draft.canvas.is_settled
    left = in_play & is_settled & (draft.num_revisions < rules.max_revisions)
    return left & is_settled.all(dim=1, keepdim=True) if rules.revises_late else left


def merge(draft: Draft, verdicts: list[tuple[RowGroup, Verdict]]) -> Verdict:
    """Lay the verdicts over groups side by side, so that they cover all rows and positions.

    Args:
        draft: The state of all rows before the pass.
        verdicts: Each group's own.

    Returns:
        One verdict; where nobody judged, it leaves everything as it is.
    """
    canvas = draft.canvas
    group, verdict = verdicts[0]
    if group.is_whole(canvas):
        return verdict
    tokens, confidence = canvas.tokens.clone(), canvas.confidence.clone()
    is_accepted, is_edited, is_reopened = (torch.zeros_like(canvas.is_settled) for _ in range(3))
    best, stable_for = draft.last_best.clone(), draft.stable_for.clone()
    is_closing = torch.zeros_like(draft.is_finished)
    probs = None
    if verdict.probs is not None:
        whole = (canvas.batch, canvas.length, verdict.probs.shape[2])
        probs = verdict.probs.new_zeros(whole) if draft.last_probs is None else draft.last_probs.clone()
    for group, verdict in verdicts:
        rows = group.index_in(canvas)
        part = (rows, slice(group.width))
        tokens[part], confidence[part], best[part] = verdict.tokens, verdict.confidence, verdict.best
        is_accepted[part] = verdict.is_accepted
        is_edited[part], is_reopened[part] = verdict.is_edited, verdict.is_reopened
        stable_for[rows], is_closing[rows] = verdict.stable_for, verdict.is_closing
        if probs is not None and verdict.probs is not None:
            probs[part] = verdict.probs
    return Verdict(
        tokens=tokens,
        confidence=confidence,
        is_accepted=is_accepted,
        is_edited=is_edited,
        is_reopened=is_reopened,
        best=best,
        probs=probs,
        stable_for=stable_for,
        is_closing=is_closing,
    )
