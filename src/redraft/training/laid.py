"""A text on its canvas in one of the forms that don't start from an open one, and a batch of such canvases."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from redraft.training.form_config import Form
from redraft.types import TokenMask, Tokens

__all__ = ["FormRows", "Forms", "Laid", "stack_forms"]

FormRows = Bool[Tensor, " batch"]
"""A claim about each row of a batch of forms."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Laid:
    """One text, up to and without its end of text; the three lists are equally long."""

    target: list[int]
    """What has to stand there in the end, [NULL] slots included. [INS]: the canvas has to grow here."""

    start: list[int]
    """What stands there before the first pass. [MASK]: nothing; in a draft, what the model itself is to write."""

    is_open: list[bool]
    """Whether a position may change at all; the others are pinned, and the loss doesn't score them."""

    form: Form
    """What it starts from: "gap", a text with pinned parts, or "edit", a draft."""

    is_own: bool = False
    """Whether the model itself writes what is open at first, as it happens to, so that there is something to revise."""

    shown: str | None = None
    """The draft, if it also stands in the context; None: it doesn't."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Forms:
    """What corruption has to know of a batch in which some rows don't start from an open canvas."""

    start: Tokens
    """What stands on each canvas before the first pass; the clean canvas in rows that start from an open one."""

    may_change: TokenMask
    """False at what is pinned: no noise there."""

    is_edit: FormRows
    """Rows that start from a draft."""

    is_gap: FormRows
    """Rows that start from a text with gaps."""

    is_own: FormRows
    """Rows whose draft has places for the model itself to fill."""

    @property
    def is_formed(self) -> FormRows:
        """Rows that don't start from an open canvas."""
        return self.is_edit | self.is_gap


def stack_forms(canvases: Sequence[Sequence[int]], laid: Sequence[Laid | None]) -> Forms | None:
    """Stack what the rows of a batch start from.

    Args:
        canvases: The clean canvases, equally long.
        laid: The form of each row; None: an open canvas.

    Returns:
        None if every row starts from an open canvas.
    """
    if not any(laid):
        return None
    starts, may_change = [], []
    for canvas, form in zip(canvases, laid, strict=True):
        if form is None:
            starts.append(list(canvas))
            may_change.append([True] * len(canvas))
        else:
            rest = len(canvas) - len(form.start)
            starts.append(form.start + list(canvas[len(form.start) :]))
            # The end is pinned: a text grows and shrinks by slots.
            may_change.append(form.is_open + [False] * rest)
    return Forms(
        start=torch.tensor(starts),
        may_change=torch.tensor(may_change),
        is_edit=torch.tensor([form is not None and form.form == "edit" for form in laid]),
        is_gap=torch.tensor([form is not None and form.form == "gap" for form in laid]),
        is_own=torch.tensor([form is not None and form.is_own for form in laid]),
    )
