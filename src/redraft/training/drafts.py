"""Lays drafts on canvases, with slots in which they may grow, and the revised texts onto them."""

import random
from dataclasses import replace

from redraft.tasks.problem import Problem
from redraft.text import Growth, Tokenizer, lay_revision, with_slack
from redraft.training.damage import Damage
from redraft.training.form_config import EditRecipe
from redraft.training.laid import Laid

__all__ = ["Drafts"]

_OPENED_SHARE = 0.5
"""Of the drafts that have to grow, the share that is seen after it: open places wait for the new text."""

_SLACKS = (8, 16, 32)
"""Most slots beyond what such a place needs, one of these as often as another: about what decoding gives, and less, so
that the room never tells how much is missing."""


class Drafts:
    """Makes edit examples of problems.

    Args:
        tokenizer: Of the model.
        recipe: How drafts are made.
        canvas_length: Most positions of a canvas, the end of text included.
    """

    def __init__(self, tokenizer: Tokenizer, recipe: EditRecipe, canvas_length: int) -> None:
        self.tokenizer = tokenizer
        self.recipe = recipe
        self.canvas_length = canvas_length
        ids = range(tokenizer.special.first)
        self._continues = frozenset(id for id in ids if tokenizer.goes_on(id))
        self._letters = tokenizer.letters()
        self.damage = Damage(tokenizer, recipe.max_errors)

    def lay(self, rng: random.Random, problem: Problem) -> tuple[Laid, bool] | None:
        """Make a draft of a problem and lay the right text onto it.

        Args:
            rng: Source of every draw.
            problem: Its answer is the right text, its draft what stands there if it has one.

        Returns:
            The canvas and whether the prompt is shown; None if it is too long, or the right text finds no room on it.
        """
        recipe = self.recipe
        kind = rng.random()
        is_right = kind < recipe.right_share
        is_own_draft = not is_right and (problem.draft is None or kind < recipe.right_share + recipe.damaged_share)
        if not (is_own_draft or is_right):
            # What has to change can't be known without being told.
            laid = self._given(rng, problem)
            return None if laid is None else (laid, True)
        # An instruction that was followed already says nothing of other faults, nor whether to follow it again.
        sees_prompt = problem.draft is None and rng.random() < recipe.with_prompt_share
        laid = self._damaged(rng, problem, is_right)
        return None if laid is None else (laid, sees_prompt)

    def _given(self, rng: random.Random, problem: Problem) -> Laid | None:
        """The task's own draft."""
        assert problem.draft is not None, "only a problem with a draft comes here"
        return self._lay(rng, problem.draft, problem.answer_text)

    def _damaged(self, rng: random.Random, problem: Problem, is_right: bool) -> Laid | None:
        """The right text as it is, damaged, or with places for the model to fill."""
        text = problem.answer_text
        if is_right:
            return self._lay(rng, text, text)
        if rng.random() >= self.recipe.own_draft_share:
            return self._lay(rng, self.damage.apply(rng, text), text)
        laid = self._lay(rng, text, text)
        if laid is None:
            return None
        share = rng.random()
        start = [self.tokenizer.special.mask if rng.random() < share else token for token in laid.start]
        # What the model is going to write can't be shown before.
        return Laid(target=laid.target, start=start, is_open=laid.is_open, form="edit", is_own=True)

    def _lay(self, rng: random.Random, draft: str, text: str) -> Laid | None:
        special = self.tokenizer.special
        shown = draft if self.recipe.shows_draft else None
        start = with_slack(self.tokenizer.encode(draft), special.null, every=self.tokenizer.slack_every)
        target, growths = start, list[Growth]()
        if draft != text:
            target, growths = lay_revision(
                start, self.tokenizer.encode(text), special.null, self._continues, self._letters
            )
        # Beside what it replaces, a text that is put in takes two marks.
        room = self.canvas_length - 1 - len(start) - sum(len(one.text) + 2 for one in growths)
        if len(start) + 1 > self.canvas_length or (growths and room < 0):
            return None
        if growths and rng.random() < _OPENED_SHARE:
            return replace(self._opened(rng, start, target, growths, room), shown=shown)
        for one in growths:
            target[one.start : one.end] = [special.insert] * (one.end - one.start)
        return Laid(target=target, start=start, is_open=[True] * len(start), form="edit", shown=shown)

    def _opened(
        self, rng: random.Random, start: list[int], target: list[int], growths: list[Growth], room: int
    ) -> Laid:
        """A draft that has grown: behind each place, which is marked and stays to be read, one for the new text."""
        special = self.tokenizer.special
        laid = Laid(target=[], start=[], is_open=[], form="edit")

        def put(before: list[int], after: list[int], *, is_open: bool) -> None:
            laid.start.extend(before)
            laid.target.extend(after)
            laid.is_open.extend([is_open] * len(before))

        begin = 0
        for one in growths:
            slack = rng.randint(0, min(room, rng.choice(_SLACKS)))
            room -= slack
            new = [*one.text, *([special.null] * slack)]
            marked = [special.delete, *start[one.start : one.end], special.insert]
            put(start[begin : one.start], target[begin : one.start], is_open=True)
            put(marked, marked, is_open=False)
            put([special.mask] * len(new), new, is_open=True)
            begin = one.end
        put(start[begin:], target[begin:], is_open=True)
        return laid
