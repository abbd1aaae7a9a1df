"""The canvases of many requests, scored together where that changes no bit.

Rows share a forward pass where their canvases are equally wide, their contexts equally long and equally many of their
positions wanted: padding would move the sums of the attention, and with them last bits. A matrix product may take its
last few rows another way than the others, so canvases that are no whole multiple of 8 wide are scored alone.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch

from redraft.denoiser import Cache, Denoiser
from redraft.denoiser.protocol import SomeLogits
from redraft.engine.contexts import joined, shape_of
from redraft.sampler import SpecialIds
from redraft.sampler.drawing import Ask
from redraft.sampler.guidance import LEAST, guided, scores_of
from redraft.sampler.placed import Selection

__all__ = ["SharedScorer", "Sought", "may_share"]

_UNIT = 8
"""Rows of a product that are certainly taken the same way, in any number of such groups (MKL on AVX2: 4)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sought:
    """One request's canvas, and what it needs to be scored."""

    ask: Ask
    """The canvas, of one row."""
    context: Cache | None
    """What it sees; of one row."""
    guidance_scale: float
    """0 asks once, else twice, the second time without a context."""


@dataclass(frozen=True, slots=True)
class _Question:
    """One forward pass of one row."""

    ask: Ask
    context: Cache | None

    @property
    def kind(self) -> Hashable:
        """What is equal for rows that may share a pass."""
        count = None if self.ask.selection is None else self.ask.selection.count
        return (self.ask.tokens.shape[1], self.ask.sketch, count, shape_of(self.context), self.ask.last_probs is None)


def may_share(width: int) -> bool:
    """Whether rows of a width score the same bits together as each alone, as far as the width is concerned."""
    return width % _UNIT == 0


class SharedScorer:
    """Scores canvases of any requests.

    Args:
        denoiser: Whom to ask.
        special: Says which tokens must not come.
        device: Where canvases live.
        shares_passes: Whether rows may go through the denoiser together at all.
    """

    def __init__(self, denoiser: Denoiser, *, special: SpecialIds, device: torch.device, shares_passes: bool) -> None:
        self._denoiser = denoiser
        self._never = torch.tensor(special.never_committed, dtype=torch.int64, device=device)
        self._shares_passes = shares_passes
        self._joined: dict[tuple[int, ...], tuple[list[Cache], Cache]] = {}
        self.num_forwards = 0

    def __call__(self, sought: Sequence[Sought]) -> list[SomeLogits]:
        """Score one canvas per request.

        Args:
            sought: The canvases.

        Returns:
            Fresh float32 scores of each, in order, of all positions or of those selected; tokens that must never come
            have the least one.
        """
        questions: list[_Question] = []
        for one in sought:
            questions.append(_Question(one.ask, one.context))
            if one.guidance_scale != 0.0:
                questions.append(_Question(one.ask, None))
        answers = iter(self._answer(questions))
        scores: list[SomeLogits] = []
        for one in sought:
            logits = next(answers)
            if one.guidance_scale != 0.0:
                logits = guided(logits, next(answers), one.guidance_scale)
            scores.append(logits.index_fill_(-1, self._never, LEAST))
        return scores

    def forget(self) -> None:
        """Let go of the contexts of the last call."""
        self._joined = {}

    def _answer(self, questions: list[_Question]) -> list[SomeLogits]:
        kinds: dict[Hashable, list[int]] = {}
        for index, question in enumerate(questions):
            is_shared = self._shares_passes and may_share(question.ask.num_positions)
            kinds.setdefault(question.kind if is_shared else index, []).append(index)
        answers: dict[int, SomeLogits] = {}
        kept = self._joined
        self._joined = {}
        for members in kinds.values():
            rows = self._score([questions[index] for index in members], kept)
            answers |= {index: rows[place : place + 1] for place, index in enumerate(members)}
        return [answers[index] for index in range(len(questions))]

    def _score(self, questions: list[_Question], kept: dict[tuple[int, ...], tuple[list[Cache], Cache]]) -> SomeLogits:
        tokens = torch.cat([question.ask.tokens for question in questions])
        probs = [question.ask.last_probs for question in questions if question.ask.last_probs is not None]
        contexts = [question.context for question in questions if question.context is not None]
        context = self._context_of(contexts, kept) if contexts else None
        self.num_forwards += 1
        last_probs = torch.cat(probs) if probs else None
        sketch = questions[0].ask.sketch  # the same in all of them
        return scores_of(self._denoiser, tokens, context, last_probs, _selection_of(questions), sketch)

    def _context_of(self, contexts: list[Cache], kept: dict[tuple[int, ...], tuple[list[Cache], Cache]]) -> Cache:
        """The joined context; kept from pass to pass while the same rows stay together."""
        if len(contexts) == 1:
            return contexts[0]
        key = tuple(id(context) for context in contexts)  # the contexts are held beside, so no id is used again
        self._joined[key] = kept[key] if key in kept else (contexts, joined(contexts))
        return self._joined[key][1]


def _selection_of(questions: list[_Question]) -> Selection | None:
    """What all of them select, which is equally many positions each."""
    chosen = [question.ask.selection for question in questions if question.ask.selection is not None]
    if not chosen:
        return None
    return Selection(order=torch.cat([one.order for one in chosen]), count=chosen[0].count)
