"""Turns clean canvases into the states that a model meets while it decodes.

"Train the states you decode from": the all-mask canvas, canvases masked at random, canvases whose lines are settled one
after another, and visible tokens that are wrong, by chance or by the model's own guess (OPUT, arXiv 2604.08302).
Which positions the loss scores is the batch's affair.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from redraft.noise import low_discrepancy_times
from redraft.text import Tokenizer
from redraft.training.confident_mask import confident_mask
from redraft.training.config import NoiseRecipe
from redraft.training.data import Batch
from redraft.training.formed_noise import shown_and_masked
from redraft.training.guess import Guess, Rows
from redraft.types import TokenMask, Tokens

__all__ = [
    "Noised",
    "RowKinds",
    "TokenTable",
    "answer_mask",
    "corrupt",
    "fill_with_guesses",
    "line_mask",
    "result_mask",
    "substitutes",
]

VocabMask = Bool[Tensor, " vocab"]
"""A claim about each token id."""

TokenIds = Int[Tensor, " ids"]
"""A few token ids."""

HALF = 0.5
"""Share of line rows whose current line is partly visible, and of those that get extra masks."""

MAX_EXTRA_MASKS = 0.3
"""Largest share of extra masks in a line row; drawn uniformly."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenTable:
    """What corruption needs to know of the vocabulary."""

    mask: int
    """Id of [MASK]."""

    insert: int
    """Id of [INS]."""

    num_ordinary: int
    """Ids below this are ordinary text."""

    place_tokens: TokenIds
    """Ids that stand in number slots: the digits and [NULL]. One is easily mistaken for another."""

    is_place: VocabMask
    """Whether an id is one of these."""

    is_separator: VocabMask
    """Whether an id ends a line or an item of a list."""

    is_equals: VocabMask
    """Whether an id is an equals sign or an arrow, after which a result stands."""

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "TokenTable":
        """Read it off a tokenizer."""
        special = tokenizer.special
        texts = [tokenizer.token_text(token) for token in range(special.first)]
        is_separator = [any(mark in text for mark in "\n,，、") for text in texts]
        is_equals = [text.strip() in ("=", "->") for text in texts]
        rest = [False] * (tokenizer.vocab_size - special.first)
        places = torch.tensor([*tokenizer.digit_token_ids, special.null])
        is_place = torch.zeros(tokenizer.vocab_size, dtype=torch.bool)
        is_place[places] = True
        return cls(
            mask=special.mask,
            insert=special.insert,
            num_ordinary=special.first,
            place_tokens=places,
            is_place=is_place,
            is_separator=torch.tensor(is_separator + rest),
            is_equals=torch.tensor(is_equals + rest),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Noised:
    """What the model sees, and where it is not the truth."""

    canvas: Tokens
    """The noised canvas."""

    is_corrupted: TokenMask
    """Masked or wrong."""

    sees_context: Rows
    """Whether the row's prompt is shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RowKinds:
    """Which rows of a batch get which noise; a row has one of these kinds, or random masks."""

    is_all_mask: Rows
    """Masked throughout."""

    is_uniform: Rows
    """Random tokens instead of masks."""

    is_led: Rows
    """Open where the model itself is least sure."""

    is_answer: Rows
    """Short of the answer."""

    is_line: Rows
    """As decoding line by line leaves a canvas."""

    is_result: Rows
    """Short of results."""

    @classmethod
    def draw(cls, batch: Batch, recipe: NoiseRecipe, rng: torch.Generator, *, may_lead: bool) -> "RowKinds":
        """Draw the kind of each row.

        Args:
            batch: The rows.
            recipe: The share of each kind.
            rng: Source of every draw.
            may_lead: Whether there is a model to ask.

        Returns:
            The kinds.
        """
        num_rows = batch.num_rows
        kind = torch.rand(num_rows, generator=rng)
        is_all_mask = kind < recipe.all_mask_share
        is_uniform = ~is_all_mask & (kind < recipe.all_mask_share + recipe.uniform_share)
        left = ~is_all_mask & ~is_uniform
        is_led = torch.zeros_like(left)
        # Drawn only where the recipe asks for it, so that other recipes keep their draws.
        if recipe.confident_share and may_lead:
            is_led = left & (torch.rand(num_rows, generator=rng) < recipe.confident_share)
            if batch.forms is not None:
                is_led &= ~batch.forms.is_formed
        left &= ~is_led
        is_answer = torch.zeros_like(left)
        if recipe.answer_share:
            is_answer = left & (torch.rand(num_rows, generator=rng) < recipe.answer_share)
        left &= ~is_answer
        is_line = left & (torch.rand(num_rows, generator=rng) < recipe.line_share)
        is_result = left & ~is_line & (torch.rand(num_rows, generator=rng) < recipe.result_share)
        return cls(
            is_all_mask=is_all_mask,
            is_uniform=is_uniform,
            is_led=is_led,
            is_answer=is_answer,
            is_line=is_line,
            is_result=is_result,
        )


def corrupt(
    batch: Batch,
    recipe: NoiseRecipe,
    table: TokenTable,
    rng: torch.Generator,
    *,
    progress: float,
    guess: Guess | None,
) -> Noised:
    """Draw one noised canvas per row.

    Args:
        batch: Clean canvases.
        recipe: The shares of each kind of noise.
        table: What is known of the vocabulary.
        rng: Source of every draw.
        progress: Share of the run that is done.
        guess: Asks the model for its logits; None: no own predictions.

    Returns:
        The canvases and where they are corrupted.
    """
    x_0 = batch.canvas
    num_rows = x_0.shape[0]
    # 1. The kind of each row.
    kinds = RowKinds.draw(batch, recipe, rng, may_lead=guess is not None)
    # 2. Masks.
    time = low_discrepancy_times(num_rows, rng, low=recipe.low_time)[:, None]
    is_noised = torch.rand(x_0.shape, generator=rng) < time
    is_masked = _mask(batch, kinds, is_noised, recipe, table, rng, guess)
    # Where nothing is left to go by, as without an equals sign or a second line, the prompt is always shown.
    is_dropped = kinds.is_result & (table.is_equals[x_0] & batch.is_content).any(dim=1)
    if recipe.answer_share:
        is_dropped |= kinds.is_answer & (_lines(batch, table) > 0).any(dim=1)
    sees_context = ~is_dropped | (torch.rand(num_rows, generator=rng) >= recipe.drop_context_share)
    shown = x_0
    if batch.forms is not None:
        shown, is_masked = shown_and_masked(
            batch.forms, x_0, is_masked, recipe, mask=table.mask, insert=table.insert, rng=rng
        )
        sees_context |= batch.forms.is_formed
    x_t = shown.masked_fill(is_masked, table.mask)
    # 3. Wrong tokens among the visible ones.
    is_wrong_row = ~kinds.is_all_mask & ~kinds.is_uniform & (torch.rand(num_rows, generator=rng) < recipe.corrupt_share)
    is_guessed_row = is_wrong_row & (torch.rand(num_rows, generator=rng) < recipe.own_predictions_share)
    if batch.forms is not None:
        is_guessed_row |= batch.forms.is_own
    if guess is None or progress < recipe.own_predictions_after:
        is_guessed_row = torch.zeros_like(is_guessed_row)
    rate = torch.rand(num_rows, 1, generator=rng) * recipe.max_corrupt
    is_replaced = (torch.rand(x_0.shape, generator=rng) < rate) & batch.is_supervised & ~is_masked
    is_replaced &= (is_wrong_row & ~is_guessed_row)[:, None]
    is_replaced |= kinds.is_uniform[:, None] & is_noised
    if batch.forms is not None:
        # What is pinned is right, and a draft has the errors of its own.
        is_replaced &= batch.forms.may_change & ~batch.forms.is_edit[:, None]
    x_t = torch.where(is_replaced, substitutes(batch, recipe, table, rng), x_t)
    if guess is not None and bool(is_guessed_row.any()):
        x_t = fill_with_guesses(batch, x_t, is_guessed_row, is_masked, recipe, table, rng, guess)
    return Noised(canvas=x_t, is_corrupted=x_t != x_0, sees_context=sees_context)


def _mask(
    batch: Batch,
    kinds: RowKinds,
    is_noised: TokenMask,
    recipe: NoiseRecipe,
    table: TokenTable,
    rng: torch.Generator,
    guess: Guess | None,
) -> TokenMask:
    """The masks of an open canvas, each row's by its kind; ``is_noised`` where it has none."""
    is_masked = torch.where(kinds.is_line[:, None], line_mask(batch, recipe, table, rng), is_noised)
    is_masked = torch.where(kinds.is_result[:, None], result_mask(batch, table, rng), is_masked)
    if recipe.answer_share:
        is_masked = torch.where(kinds.is_answer[:, None], answer_mask(batch, table), is_masked)
    is_masked = (is_masked | kinds.is_all_mask[:, None]) & ~kinds.is_uniform[:, None]
    if guess is None or not bool(kinds.is_led.any()):
        return is_masked
    is_open = torch.rand(batch.num_rows, 1, generator=rng) < HALF
    before = is_open | line_mask(batch, recipe, table, rng)
    led = confident_mask(batch, kinds.is_led, before, mask=table.mask, rng=rng, guess=guess)
    return torch.where(kinds.is_led[:, None], led, is_masked)


def line_mask(batch: Batch, recipe: NoiseRecipe, table: TokenTable, rng: torch.Generator) -> TokenMask:
    """Draw masks as decoding line by line leaves them: earlier lines visible, later ones and the answer not.

    A separator belongs to the line that it ends. The number of visible lines is uniform. In half of the rows the first
    hidden line is partly visible: at random places, or up to its equals sign. Half of the rows get some extra masks.
    """
    x_0 = batch.canvas
    num_rows = x_0.shape[0]
    line = _lines(batch, table)
    num_lines = line.amax(dim=1) + 1
    is_first = batch.is_answer_first
    # Answer first: lines 1 to cut - 1 are visible, so cut starts at 1. Otherwise lines 0 to cut - 1.
    cut = (torch.rand(num_rows, generator=rng) * num_lines).long() + is_first.long()
    is_masked = line >= cut[:, None]
    rate = torch.rand(num_rows, 1, generator=rng) * (torch.rand(num_rows, 1, generator=rng) < HALF)
    is_shown = torch.rand(x_0.shape, generator=rng) < rate
    shows_left_side = (rate > 0) & (torch.rand(num_rows, 1, generator=rng) < HALF)
    is_shown = torch.where(shows_left_side, ~_right_sides(batch, table, line), is_shown)
    is_masked &= ~((line == cut[:, None]) & is_shown)
    hides_answer = is_first & (torch.rand(num_rows, generator=rng) < recipe.hide_answer_share)
    is_masked |= hides_answer[:, None] & (line == 0)
    rate = MAX_EXTRA_MASKS * torch.rand(num_rows, 1, generator=rng) * (torch.rand(num_rows, 1, generator=rng) < HALF)
    return is_masked | (torch.rand(x_0.shape, generator=rng) < rate)


def result_mask(batch: Batch, table: TokenTable, rng: torch.Generator) -> TokenMask:
    """Draw masks as decoding all lines at once leaves them: what is copied is settled, what is worked out is not.

    On most lines, what follows the equals sign is hidden; a line without one, such as the answer's, is hidden whole,
    and so is the slack. The share of hidden results is uniform between a half and all. Where a line has two equals
    signs, half of the rows hide only what follows the last.
    """
    x_0 = batch.canvas
    num_rows = x_0.shape[0]
    line = _lines(batch, table)
    rate = 1.0 - HALF * torch.rand(num_rows, 1, generator=rng)
    is_drawn = (torch.rand(x_0.shape, generator=rng) < rate).gather(1, line)
    hidden_whole = ~_has_equals(batch, table, line) | ~batch.is_content
    # The rate is a draw of its own already; its upper half also says which equals sign counts.
    behind_last = _right_sides(batch, table, line, behind_last=True)
    behind = torch.where(rate > 1.0 - HALF * HALF, behind_last, _right_sides(batch, table, line))
    return (behind & ~table.is_separator[x_0] & is_drawn) | hidden_whole


def answer_mask(batch: Batch, table: TokenTable) -> TokenMask:
    """Masks of a canvas whose derivation stands: the answer's line, with the separator that ends it, and no other.

    That line is the first or the last one, as the row's order says; a row of one line hides all of it.
    """
    line = _lines(batch, table)
    last = torch.where(batch.is_content, line, 0).amax(dim=1)
    return (line == torch.where(batch.is_answer_first, 0, last)[:, None]) & batch.is_content


def _has_equals(batch: Batch, table: TokenTable, line: Tokens) -> TokenMask:
    """Whether there is an equals sign in the line of each position."""
    is_equals = table.is_equals[batch.canvas] & batch.is_content
    return torch.zeros_like(line).scatter_add_(1, line, is_equals.long()).gather(1, line) > 0


def _right_sides(batch: Batch, table: TokenTable, line: Tokens, *, behind_last: bool = False) -> TokenMask:
    """What stands behind an equals sign of its line, the separator included; a line without one, all of it.

    By default it is the line's first equals sign that counts, with ``behind_last`` its last one.
    """
    is_equals = (table.is_equals[batch.canvas] & batch.is_content).long()
    in_line = torch.zeros_like(line).scatter_add_(1, line, is_equals)
    # How many equals signs of its own line a position is behind: all that were passed, less those of earlier lines.
    before = (in_line.cumsum(dim=1) - in_line).gather(1, line)
    passed = is_equals.cumsum(dim=1) - is_equals - before
    all_of_line = in_line.gather(1, line)
    return (passed >= (all_of_line if behind_last else 1)) | (all_of_line == 0)


def _lines(batch: Batch, table: TokenTable) -> Tokens:
    """Number of the line or list item at each position; a separator belongs to the line that it ends."""
    is_separator = table.is_separator[batch.canvas] & batch.is_content
    return is_separator.cumsum(dim=1) - is_separator.long()


def substitutes(batch: Batch, recipe: NoiseRecipe, table: TokenTable, rng: torch.Generator) -> Tokens:
    """Draw a wrong token for every position, of which the caller uses some.

    A digit or empty slot mostly turns into another one; any token may turn into one from elsewhere in the batch, which
    is plausible, or into an arbitrary one. A draw may hit the truth by chance; then nothing is wrong there.
    """
    shape = batch.canvas.shape
    pool = batch.canvas[batch.is_supervised & (batch.canvas != table.insert)]
    elsewhere = pool[torch.randint(len(pool), shape, generator=rng)]
    arbitrary = torch.randint(table.num_ordinary, shape, generator=rng)
    drawn = torch.where(torch.rand(shape, generator=rng) < HALF, elsewhere, arbitrary)
    place = table.place_tokens[torch.randint(len(table.place_tokens), shape, generator=rng)]
    stays_in_class = table.is_place[batch.canvas] & (torch.rand(shape, generator=rng) < recipe.same_class_share)
    return torch.where(stays_in_class, place, drawn)


def fill_with_guesses(
    batch: Batch,
    x_t: Tokens,
    is_guessed_row: Rows,
    is_masked: TokenMask,
    recipe: NoiseRecipe,
    table: TokenTable,
    rng: torch.Generator,
    guess: Guess,
) -> Tokens:
    """Put the model's own samples (temperature 1) at some masked positions of the chosen rows."""
    rate = torch.rand(x_t.shape[0], 1, generator=rng) * recipe.max_own_predictions
    if batch.forms is not None:
        # A draft of the model's own is a whole one.
        rate = torch.where(batch.forms.is_own[:, None], 1.0, rate)
    is_filled = (
        (torch.rand(x_t.shape, generator=rng) < rate) & is_masked & batch.is_supervised & is_guessed_row[:, None]
    )
    if not bool(is_filled.any()):
        return x_t
    logits = guess(is_guessed_row, x_t, is_filled[is_guessed_row]).float().cpu()
    if not bool(logits.isfinite().all()):
        # The model has diverged; the loss of this very step says so in words.
        return x_t
    # [MASK] and [INS] are no tokens of a text; the sampler never commits them.
    logits[:, [table.mask, table.insert]] = -torch.inf
    sampled = torch.multinomial(torch.softmax(logits, dim=-1), 1, generator=rng)[:, 0]
    return x_t.masked_scatter(is_filled, sampled)
