"""Examples in the forms that don't start from an open canvas, entry by entry of the mixture."""

import random

from redraft.tasks.problem import Problem
from redraft.text import Tokenizer
from redraft.training.config import DataRecipe
from redraft.training.drafts import Drafts
from redraft.training.gaps import lay_gaps
from redraft.training.laid import Laid

__all__ = ["FormedExamples"]


class FormedExamples:
    """Lays problems on canvases with gaps or drafts.

    Args:
        tokenizer: Of the model.
        recipe: How gaps and drafts are made.
    """

    def __init__(self, tokenizer: Tokenizer, recipe: DataRecipe) -> None:
        self.tokenizer = tokenizer
        self.recipe = recipe
        # Damage knows the whole vocabulary, so it isn't made for recipes that don't use it.
        has_edits = any(entry.form == "edit" for entry in recipe.mixture)
        self.drafts = Drafts(tokenizer, recipe.edit, recipe.canvas_length) if has_edits else None

    def lay(self, rng: random.Random, form: str, problem: Problem) -> tuple[Laid, bool] | None:
        """Lay one problem on a canvas.

        Args:
            rng: Source of every draw.
            form: "gap" or "edit".
            problem: Its answer is the text.

        Returns:
            The canvas and whether the prompt is shown; None if the problem does not fit.
        """
        if form == "edit":
            assert self.drafts is not None, "an entry of this form makes them"
            return self.drafts.lay(rng, problem)
        gap = self.recipe.gap
        sees_prompt = rng.random() < gap.with_prompt_share
        laid = lay_gaps(rng, self.tokenizer, problem.fields, gap, self.recipe.canvas_length)
        return None if laid is None else (laid, sees_prompt)
