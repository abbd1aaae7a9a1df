"""What a recipe may say of the two forms of example that don't start from an open canvas: gaps and edits."""

from dataclasses import dataclass
from typing import Literal

from redraft.errors import ConfigError

__all__ = ["EditRecipe", "Form", "GapRecipe"]

Form = Literal["answer", "gap", "edit"]
"""How an example stands on its canvas: written on an open one, a text with gaps, or a draft to be revised."""


def _check_shares(record: object, *names: str) -> None:
    for name in names:
        value = getattr(record, name)
        if not 0.0 <= value <= 1.0:
            raise ConfigError(f"{name}={value} is not a share; use a value in [0, 1]")


@dataclass(frozen=True, kw_only=True, slots=True)
class GapRecipe:
    """How gaps are cut into a text whose other parts are pinned. No effect without an entry of form "gap"."""

    max_gaps: int = 3
    """Most gaps of one text; one gap is drawn as often as all other numbers together."""

    single_line_share: float = 0.4
    """Share of gaps that are one line, with or without what it is indented by and its end."""

    several_lines_share: float = 0.25
    """Share of gaps that are two lines or more; the rest begins and ends anywhere."""

    max_span_share: float = 0.5
    """Most of the text's characters that a gap which begins and ends anywhere takes away."""

    max_slack: int = 48
    """Most empty slots of a gap beyond what it needs. Their number is drawn anew each time, none included, so that
    the room never tells how much is missing."""

    with_prompt_share: float = 0.7
    """Share of examples that see the problem's prompt; the others see the rest of the text only."""

    keeps_slots: bool = False
    """Whether what is missing keeps the slots that it has on an open canvas, so that what follows a copied word stands
    at one of few places inside a gap, too."""

    def __post_init__(self) -> None:
        _check_shares(self, "single_line_share", "several_lines_share", "max_span_share", "with_prompt_share")
        if self.single_line_share + self.several_lines_share > 1.0:
            raise ConfigError("single_line_share and several_lines_share add up to more than 1; lower one of them")
        if self.max_gaps < 1 or self.max_slack < 1:
            raise ConfigError(f"max_gaps={self.max_gaps}, max_slack={self.max_slack}: both must be 1 or more")


@dataclass(frozen=True, kw_only=True, slots=True)
class EditRecipe:
    """How drafts are made and laid on the canvas. No effect without an entry of form "edit"."""

    right_share: float = 0.15
    """Share of drafts that are right already: they must stay as they are."""

    damaged_share: float = 0.2
    """Share of drafts made by damage to the right text even where the task has drafts of its own; a task that has none
    always gets such a draft."""

    own_draft_share: float = 0.3
    """Share of those that the model itself writes, at temperature 1, around what is left of the right text."""

    max_errors: int = 6
    """Most damages done to one text; few are as frequent as many."""

    with_prompt_share: float = 0.5
    """Share of damaged or right texts whose prompt is shown, where it is no instruction to revise a draft; the others
    are repaired without one."""

    shows_draft: bool = False
    """Whether the draft also stands in the context, behind the prompt, where no pass changes it: what was copied
    from a place can be read there once something else stands on the canvas."""

    def __post_init__(self) -> None:
        _check_shares(self, "right_share", "damaged_share", "own_draft_share", "with_prompt_share")
        if self.right_share + self.damaged_share > 1.0:
            raise ConfigError("right_share and damaged_share add up to more than 1; lower one of them")
        if self.max_errors < 1:
            raise ConfigError(f"max_errors={self.max_errors} is too small; use 1 or more")
