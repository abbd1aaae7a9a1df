"""What an effort means for an edit: how sure a change must be, how often one looks again, how often a canvas may grow.

On an edit's canvas everything stands from the start, so every pass revises, and one that changes nothing is the last.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redraft.engine import Engine
from redraft.errors import ConfigError
from redraft.sampler import SamplerSettings

__all__ = ["EditPlan", "edit_plan", "edit_settings", "infill_settings"]

_EDIT: Mapping[str, dict[str, Any]] = {
    "instant": {"edit_threshold": 0.5, "max_steps": 1},
    "low": {"edit_threshold": 0.5, "max_steps": 2},
    "medium": {"edit_threshold": 0.5, "max_steps": 6},
    "high": {"edit_threshold": 0.5, "max_steps": 16},
}
"""Above one half the likeliest token is likelier than all others together, the one that stands there included."""

_NUM_GROWTHS: Mapping[str, int] = {"instant": 0, "low": 1, "medium": 2, "high": 4}
"""How often a canvas may grow. An instant edit has no second pass, in which what is open could be written."""

_FILLS: Mapping[str, str] = {"instant": "instant", "low": "instant", "medium": "instant", "high": "medium"}
"""The effort at which what grows is filled. It is looked at again anyway: filled at once it ends right as often, in
half of the passes (docs/log.md)."""

_OF_LOOKING = frozenset({"max_steps", "edit_threshold", "remask_threshold", "verify_passes"})
"""Settings that mean something else where a gap is filled."""

_ANYWHERE: Mapping[str, Any] = {"lookahead": None, "answer_slots": 0, "sure_threshold": None}
"""Text that was given has no place where drawing begins, no answer in front, and more to verify than what is new."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EditPlan:
    """How a text is revised."""

    settings: SamplerSettings
    """Rules of looking at what stands there."""
    growth_settings: SamplerSettings
    """Rules of filling the gaps beside places that need room."""
    num_growths: int
    """How often it may grow."""

    @property
    def growth_threshold(self) -> float:
        """How sure the model must be that a place needs more room: as sure as of any other change."""
        return self.settings.edit_threshold or 0.0


def edit_plan(engine: Engine, effort: str, changes: Mapping[str, Any]) -> EditPlan:
    """All that an effort means for an edit.

    Args:
        engine: The model at work.
        effort: instant, low, medium or high.
        changes: Single settings by name.

    Returns:
        The plan.

    Raises:
        ConfigError: A name or a value is not allowed, or nothing could ever change.
    """
    settings = edit_settings(engine, effort, changes)
    return EditPlan(
        settings=settings,
        growth_settings=infill_settings(
            engine, _FILLS[effort], {name: value for name, value in changes.items() if name not in _OF_LOOKING}
        ),
        # Without edits every pass reopens, and nothing says that a place is too short.
        num_growths=0 if settings.edit_threshold is None else _NUM_GROWTHS[effort],
    )


def edit_settings(engine: Engine, effort: str, changes: Mapping[str, Any]) -> SamplerSettings:
    """The rules of an edit.

    Args:
        engine: The model at work.
        effort: instant, low, medium or high.
        changes: Single settings by name.

    Returns:
        The settings.

    Raises:
        ConfigError: A name or a value is not allowed, or nothing could ever change.
    """
    if effort not in _EDIT:
        raise ConfigError(f"effort={effort!r} is unknown; use one of {', '.join(_EDIT)}")
    # What generation reopens at high effort is right more often than not in a text that was given.
    values = {"remask_threshold": None, **_ANYWHERE, **_EDIT[effort], **changes}
    values.setdefault("verify_passes", values["max_steps"])
    settings = _masked(engine, effort, values)
    if settings.edit_threshold is None and settings.remask_threshold is None:
        raise ConfigError("edit_threshold and remask_threshold are both none, so an edit could change nothing; set one")
    return settings


def infill_settings(engine: Engine, effort: str, changes: Mapping[str, Any]) -> SamplerSettings:
    """The rules of an infill: those of generation, but a gap may settle anywhere and holds no answer in front.

    Args:
        engine: The model at work.
        effort: instant, low, medium or high.
        changes: Single settings by name.

    Returns:
        The settings.
    """
    return _masked(engine, effort, {**_ANYWHERE, **changes})


def _masked(engine: Engine, effort: str, values: Mapping[str, Any]) -> SamplerSettings:
    settings = engine.settings(effort, **{"canvas_length": engine.canvas_length, **values})
    if settings.family != "masked":
        raise ConfigError(f"family={settings.family!r} can't start from a text that is there; use masked")
    return settings
