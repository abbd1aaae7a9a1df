"""The states of gaps and drafts while they are decoded: what is pinned stays, a draft is fixed bit by bit."""

import torch

from redraft.training.config import NoiseRecipe
from redraft.training.laid import Forms
from redraft.types import TokenMask, Tokens

__all__ = ["opening", "shown_and_masked"]

_MOST_RIGHT_MASKED = 0.3
"""Largest share of the right tokens of a draft that are open in a row with masks; drawn evenly."""

_ALL_OPEN = 1 / 3
"""Of the drafts that are written anew, the share in which everything is open."""


def opening(forms: Forms, x_0: Tokens, is_masked: TokenMask, mask: int) -> tuple[Tokens, TokenMask]:
    """What each row shows at the start, with masks where they may be.

    Args:
        forms: What the rows start from.
        x_0: Clean canvases.
        is_masked: Masks wished for in rows that don't start from a draft.
        mask: Id of [MASK].

    Returns:
        The canvases without masks, drafts in place, and the masks: none on what is pinned, on a draft none but those of
        its own.
    """
    is_edit = forms.is_edit[:, None]
    shown = torch.where(is_edit, forms.start, x_0)
    return shown, torch.where(is_edit, forms.start == mask, is_masked & forms.may_change)


def shown_and_masked(
    forms: Forms,
    x_0: Tokens,
    is_masked: TokenMask,
    recipe: NoiseRecipe,
    *,
    mask: int,
    insert: int,
    rng: torch.Generator,
) -> tuple[Tokens, TokenMask]:
    """Draw the state of each row: which token is shown, and which are masked.

    A draft is shown as it is, or partly fixed, or partly fixed with some positions open, more of the wrong ones than of
    the right ones, or both alike. What the model still has to write itself is masked here.

    Args:
        forms: What the rows start from.
        x_0: Clean canvases.
        is_masked: Masks drawn for an open canvas.
        recipe: The share of each state.
        mask: Id of [MASK].
        insert: Id of [INS], the target of what makes the canvas grow.
        rng: Source of every draw.

    Returns:
        The canvases without masks, and the masks.
    """
    shown, is_masked = opening(forms, x_0, is_masked, mask)
    num_rows = x_0.shape[0]
    kind = torch.rand(num_rows, 1, generator=rng)
    is_plain = kind < recipe.edit_plain_share
    has_masks = ~is_plain & (kind < recipe.edit_plain_share + recipe.edit_masked_share)
    # Where the canvas has to grow it does so before anything else happens there.
    may_move = forms.is_edit[:, None] & forms.may_change & (x_0 != insert)
    # 1. Some of the draft's wrong positions are right by now.
    rate = torch.rand(num_rows, 1, generator=rng)
    is_fixed = (torch.rand(x_0.shape, generator=rng) < rate) & ~is_plain & may_move
    shown = torch.where(is_fixed, x_0, shown)
    # 2. Some are open.
    wrong_rate = torch.rand(num_rows, 1, generator=rng)
    right_rate = _MOST_RIGHT_MASKED * torch.rand(num_rows, 1, generator=rng)
    if recipe.edit_anew_share:  # drawn only where it is asked for, so that other recipes keep their draws
        is_anew = torch.rand(num_rows, 1, generator=rng) < recipe.edit_anew_share
        rate = (torch.rand(num_rows, 1, generator=rng) / (1 - _ALL_OPEN)).clamp(max=1.0)
        wrong_rate, right_rate = (torch.where(is_anew, rate, own) for own in (wrong_rate, right_rate))
    is_opened = torch.rand(x_0.shape, generator=rng) < torch.where(shown == x_0, right_rate, wrong_rate)
    is_opened &= has_masks & may_move
    return shown, (is_masked & ~is_fixed) | is_opened
