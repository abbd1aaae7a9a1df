"""Canvases on their way from the first pass to the last, told apart from whoever scores them.

A drawing says what it wants scored, is given the scores, and says what became of its canvases. It knows no denoiser: so
the plain loop and an engine that scores the canvases of many requests together run the very same passes.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch

from redraft.denoiser.protocol import Sketch, SomeLogits
from redraft.sampler.advance import Advance, advance
from redraft.sampler.canvas import Canvas, SpecialIds, ids_of
from redraft.sampler.draft import Draft, RowGroup
from redraft.sampler.ending import Ending, place_numbers, up_to, width_of
from redraft.sampler.placed import Selection
from redraft.sampler.random import Draws
from redraft.sampler.rules import rules_for
from redraft.sampler.settings import SamplerSettings
from redraft.sampler.sketch import sketch_behind
from redraft.sampler.step import Step
from redraft.sampler.verdict import Verdict, judge, merge, wanted
from redraft.types import Probs, Tokens, WholePerRow

__all__ = ["Ask", "Drawing"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """Rows of equal width whose scores the next pass needs."""

    tokens: Tokens
    """What stands on them, as wide as it is worth scoring."""
    rows: tuple[int, ...]
    """Which rows of the drawing they are."""
    last_probs: Probs | None
    """What came of the last pass, for a denoiser that is self-conditioned."""
    selection: Selection | None
    """Which positions are worth scoring, for a denoiser that can leave some out; None for all."""
    sketch: Sketch | None = None
    """What is behind them, where that is not simply left out."""

    @property
    def num_positions(self) -> int:
        """Positions of a row that go through the denoiser."""
        return self.tokens.shape[1] + (0 if self.sketch is None else len(self.sketch.places))


class Drawing:
    """One canvas per row, all under the same settings.

    Args:
        canvas: Where to start.
        settings: How to go on; ``canvas_length`` and ``max_new_tokens`` are the caller's affair.
        special: Ids that are no text.
        seeds: One per row.
        block: Which canvas of the request this is.
        vocab_size: Of the denoiser.
        is_self_conditioned: Whether the denoiser wants its last probabilities back.
        takes_sketches: Whether it can see the rest of a canvas through a few positions (it ``ScoresSome``).
    """

    def __init__(
        self,
        canvas: Canvas,
        *,
        settings: SamplerSettings,
        special: SpecialIds,
        seeds: WholePerRow,
        block: int,
        vocab_size: int,
        is_self_conditioned: bool = False,
        takes_sketches: bool = False,
    ) -> None:
        self._rules = rules_for(settings, special, canvas, vocab_size)
        self._ending = Ending.of(canvas, special.ends)
        self._seeds = tuple(int(seed) for seed in seeds)
        assert len(self._seeds) == canvas.batch, f"{len(self._seeds)} seeds for {canvas.batch} rows"
        self._block = block
        self._index = 0
        self._nfe_per_pass = 1 if settings.guidance_scale == 0.0 else 2
        self._nfe = (0,) * canvas.batch
        self._is_self_conditioned = is_self_conditioned
        self._sketching = self._rules.sketching if takes_sketches and not is_self_conditioned else None
        # A narrow pass that was to have a sketch is none without.
        lacks_sketch = self._rules.sketching is not None and self._sketching is None
        self._follows_end = self._rules.follows_end and not lacks_sketch
        self._mask_token_id = special.mask
        self._draft = Draft.start(canvas, self._ending.may_end)
        self._followed = self._first_widths(canvas)
        self._groups = self._next_groups()
        self._parts: list[tuple[Draft, Ask]] = [self._part(group) for group in self._groups]

    @property
    def is_done(self) -> bool:
        """Whether every row is finished."""
        return not self._groups

    @property
    def rows(self) -> list[tuple[int, ...]]:
        """The rows of each ask, without the asks."""
        return [group.rows for group in self._groups]

    @property
    def num_positions(self) -> int:
        """Positions that go through the denoiser in the next pass."""
        return sum(len(ask.rows) * ask.num_positions for _, ask in self._parts)

    def asks(self) -> list[Ask]:
        """What the next pass needs scored.

        Returns:
            One ask per width; none when all rows are finished.
        """
        return [ask for _, ask in self._parts]

    @torch.no_grad()
    def advance(self, scores: Iterable[SomeLogits]) -> Step:
        """Take all unfinished rows one pass further.

        Args:
            scores: Fresh float32 scores for each ask, in order; written to. Of all positions, or of those that the ask
                selects. Taken one after the other, so that they need not all be held at once.

        Returns:
            What the pass did.
        """
        draft, groups = self._draft, self._groups
        assert groups, "a finished drawing takes no further pass"
        # 1. Judge the scores, write the verdict.
        parts = zip(groups, self._parts, scores, strict=True)
        verdicts = [(group, self._judge(part, ask, logits)) for group, (part, ask), logits in parts]
        draws = self._draws(self._seeds, draft.canvas.length)
        moved = advance(draft, merge(draft, verdicts), self._rules, self._ending, draws)
        self._draft = moved.draft
        # 2. Count the passes, see who goes on and how wide.
        unfinished = {row for group in groups for row in group.rows}
        self._nfe = tuple(count + self._nfe_per_pass * (row in unfinished) for row, count in enumerate(self._nfe))
        self._index += 1
        if self._follows_end:
            taken = self._followed.minimum(width_of(draft.is_after_end))
            self._followed = self._ending.predicted_width(moved.proposed, moved.draft.canvas.is_open, taken)
            if self._sketching is not None:
                self._followed = self._followed.minimum(self._sketching.widths(moved.draft.canvas))
        self._groups = self._next_groups()
        self._parts = [self._part(group) for group in self._groups]
        return self._step(moved, self._index - 1)

    def standing(self) -> Step:
        """The canvases as they are, with no pass.

        Returns:
            A record in which nothing was done.
        """
        canvas = self._draft.canvas
        nothing = torch.zeros_like(canvas.is_settled)
        idle = Advance(draft=self._draft, committed=nothing, revised=nothing, proposed=canvas.tokens)
        return self._step(idle, self._index)

    def _part(self, group: RowGroup) -> tuple[Draft, Ask]:
        """A group's state, and what its next pass needs."""
        part = self._draft.cut(group)
        is_wanted = None if self._is_self_conditioned else wanted(part, self._rules)
        tokens, sketch = part.canvas.tokens, None
        if group.is_sketched:
            assert self._sketching is not None, "only then is anything sketched"
            assert self._mask_token_id is not None, "what is sketched is masked"
            length, size = self._draft.canvas.length, self._sketching.size
            sketch = sketch_behind(group.width, length, size, self._mask_token_id, tokens.device)
        selection = None if is_wanted is None else Selection.of(is_wanted)
        return part, Ask(tokens=tokens, rows=group.rows, last_probs=part.last_probs, selection=selection, sketch=sketch)

    def _judge(self, part: Draft, ask: Ask, logits: SomeLogits) -> Verdict:
        draws = self._draws(tuple(self._seeds[row] for row in ask.rows), part.canvas.length)
        keep, selection = self._is_self_conditioned, ask.selection
        return judge(part, logits, self._rules, self._ending, draws, keep_probs=keep, selection=selection)

    def _draws(self, seeds: tuple[int, ...], length: int) -> Draws:
        device = self._draft.canvas.tokens.device
        return Draws(seeds=seeds, block=self._block, step=self._index, length=length, device=device)

    def _first_widths(self, canvas: Canvas) -> WholePerRow:
        """What the first pass takes of each row: all that stands there already, and as much as was asked for."""
        if self._sketching is not None:
            return self._sketching.widths(canvas)
        place = place_numbers(canvas.length, canvas.tokens.device)
        first = self._rules.first_width
        least = canvas.length if first is None or not self._follows_end else first
        return up_to((place * canvas.is_settled).amax(dim=1).add(1).clamp_min(least), canvas.length)

    def _next_groups(self) -> list[RowGroup]:
        """The unfinished rows, together where equally wide. The one place where the loop waits for the device."""
        draft = self._draft
        widths, is_sketched = width_of(draft.is_after_end), torch.zeros_like(draft.is_finished)
        # Self-conditioning needs the last distributions at every position, so such rows stay whole.
        if not self._rules.narrows or self._is_self_conditioned:
            widths = torch.full_like(widths, draft.canvas.length)
        elif self._follows_end and self._index + 1 < self._rules.max_steps:  # the last pass settles everything
            widths = widths.minimum(self._followed)
            if self._sketching is not None:  # behind a settled end of text there is nothing to be seen
                is_sketched = (widths < draft.canvas.length) & ~draft.is_after_end.any(dim=1)
        kinds: dict[tuple[int, bool], list[int]] = {}
        widths = widths.masked_fill(draft.is_finished, 0)
        # 2 w + 1 for a sketch: one transfer for both.
        for row, kind in enumerate(ids_of(2 * widths + is_sketched)):
            if kind > 1:
                kinds.setdefault((kind // 2, kind % 2 == 1), []).append(row)
        return [RowGroup(rows=tuple(rows), width=width, is_sketched=sees) for (width, sees), rows in kinds.items()]

    def _step(self, moved: Advance, index: int) -> Step:
        canvas = moved.draft.canvas
        going_on = {row for group in self._groups for row in group.rows}
        return Step(
            index=index,
            block=self._block,
            tokens=canvas.tokens,
            proposed=moved.proposed,
            is_settled=canvas.is_settled,
            is_masked=canvas.is_masked,
            committed=moved.committed,
            revised=moved.revised,
            confidence=canvas.confidence,
            nfe=self._nfe,
            is_finished=tuple(row not in going_on for row in range(canvas.batch)),
            is_last=not self._groups,
        )
