"""From settings to rules: the one place that knows which name means which rule."""

from collections.abc import Callable
from dataclasses import dataclass

from redraft.errors import ConfigError
from redraft.sampler.canvas import Canvas, SpecialIds
from redraft.sampler.commit import (
    AboveThreshold,
    Ancestral,
    CommitRule,
    EntropyBound,
    LeastEntropy,
    LeftToRight,
    Margin,
    MostConfident,
    Random,
)
from redraft.sampler.plan import BudgetPlan, StepPlan, TemperaturePlan, TimestepPlan
from redraft.sampler.revise import FillWithMask, OpenFill, Remask, Renoise, ReviseRule, TokenEdit
from redraft.sampler.settings import CommitName, SamplerSettings
from redraft.sampler.sketch import Sketching
from redraft.sampler.stop import AllSettled, StableAndConfident

__all__ = ["Rules", "rules_for"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """Everything that the loop asks about a pass."""

    max_steps: int
    """Passes after which every row is finished."""
    plan: BudgetPlan
    """How many positions should settle in each pass."""
    block_length: int | None
    """Positions settle block by block, from the left; None for anywhere."""
    answer_slots: int
    """The first so many positions settle once nothing behind them is open."""
    lookahead: int | None
    """Positions settle among the first so many open ones; None for anywhere."""
    canvas_length: int
    """Positions of the whole canvas, narrowed or not."""
    temperature: TemperaturePlan
    """How warm each pass draws."""
    top_p: float
    """Share of the probability that may be drawn from."""
    commit: CommitRule
    """Which candidates settle."""
    revise: tuple[ReviseRule, ...]
    """Which settled tokens change or reopen; where two disagree, the earlier one has its way."""
    max_revisions: int
    """Most revisions of one position."""
    revises_late: bool
    """Whether revision waits until nothing is open."""
    open_fill: OpenFill
    """What stands at open positions."""
    rejudges: bool
    """Whether every editable position is a candidate at each pass (uniform family), not only the open ones."""
    settled: AllSettled | None
    """Stop when nothing is open."""
    stable: StableAndConfident | None
    """Stop when the likeliest canvas stands still."""
    fills_after_end: bool
    """Whether what lies behind a settled end of text is filled before the row is finished."""
    narrows: bool
    """Whether positions well behind the end of text are left out of a pass."""
    follows_end: bool
    """Whether those behind its predicted end are, too."""
    first_width: int | None
    """Positions of the first pass; None for all."""
    sketching: Sketching | None
    """How passes that see no end are kept narrow; None where they are not."""


def rules_for(settings: SamplerSettings, special: SpecialIds, canvas: Canvas, vocab_size: int) -> Rules:
    """The rules that settings name.

    Args:
        settings: What is wanted.
        special: Ids that are no text.
        canvas: The canvas to draw on.
        vocab_size: Of the denoiser.

    Returns:
        The rules.

    Raises:
        ConfigError: The canvas is not one of the family's.
    """
    is_uniform = settings.family == "uniform"
    if is_uniform:
        if bool(canvas.is_masked.any()):
            raise ConfigError("the canvas holds [MASK] but family='uniform'; start from Canvas.noise, or use 'masked'")
        open_fill: OpenFill = Renoise(vocab_size, special.never_committed, canvas.tokens.device)
    else:
        if special.mask is None:
            raise ConfigError("family='masked' but the checkpoint has no [MASK]; use family='uniform'")
        if bool((canvas.is_open != canvas.is_masked).any()):
            raise ConfigError(
                "open positions hold no [MASK] but family='masked'; start from Canvas.blank or from_tokens"
            )
        open_fill = FillWithMask(mask_token_id=special.mask)
    revise: list[ReviseRule] = []
    if settings.edit_threshold is not None:
        revise.append(TokenEdit(threshold=settings.edit_threshold))
    if settings.remask_threshold is not None:
        revise.append(Remask(threshold=settings.remask_threshold))
    final = settings.temperature if settings.final_temperature is None else settings.final_temperature
    narrows = settings.narrow and settings.fill_after_end and not is_uniform
    sketching = _sketching(settings) if narrows and settings.follow_end else None
    return Rules(
        max_steps=settings.max_steps,
        plan=_plan(settings),
        block_length=settings.block_length,
        answer_slots=settings.answer_slots,
        lookahead=settings.lookahead,
        canvas_length=canvas.length,
        temperature=TemperaturePlan(first=settings.temperature, final=final, num_steps=settings.max_steps),
        top_p=settings.top_p,
        commit=_COMMIT[settings.commit](settings),
        revise=tuple(revise),
        max_revisions=settings.max_revisions,
        revises_late=settings.revise == "settled",
        open_fill=open_fill,
        rejudges=is_uniform,
        settled=None if is_uniform else _settled_rule(settings, revises=bool(revise)),
        stable=_stable_rule(settings),
        fills_after_end=settings.fill_after_end and not is_uniform,
        narrows=narrows,
        follows_end=narrows and settings.follow_end and (settings.sketch is None or sketching is not None),
        first_width=settings.first_width,
        sketching=sketching,
    )


def _sketching(settings: SamplerSettings) -> Sketching | None:
    if settings.sketch is None or settings.lookahead is None or settings.first_width is None:
        return None
    margin = max(0, settings.first_width - settings.lookahead)
    return Sketching(size=settings.sketch, lookahead=settings.lookahead, margin=margin)


def _num_steps(settings: SamplerSettings) -> int:
    return settings.max_steps if settings.num_steps is None else settings.num_steps


def _plan(settings: SamplerSettings) -> BudgetPlan:
    if settings.plan == "timesteps":
        return TimestepPlan(num_steps=_num_steps(settings), final_time=settings.final_time)
    return StepPlan(num_steps=_num_steps(settings))


def _settled_rule(settings: SamplerSettings, *, revises: bool) -> AllSettled:
    # Where revision waits, no pass that settles something has looked at the rest.
    sure = settings.sure_threshold if settings.revise == "always" else None
    return AllSettled(verify_passes=settings.verify_passes if revises else 0, sure_threshold=sure)


def _stable_rule(settings: SamplerSettings) -> StableAndConfident | None:
    if settings.stop == "settled":
        return None
    return StableAndConfident(stability_threshold=settings.stability_threshold, max_entropy=settings.stop_entropy)


_COMMIT: dict[CommitName, Callable[[SamplerSettings], CommitRule]] = {
    "most_confident": lambda settings: MostConfident(),
    "above_threshold": lambda settings: AboveThreshold(threshold=settings.threshold, least=settings.least_commits),
    "entropy_bound": lambda settings: EntropyBound(bound=settings.entropy_bound),
    "least_entropy": lambda settings: LeastEntropy(),
    "margin": lambda settings: Margin(threshold=settings.margin_threshold),
    "ancestral": lambda settings: Ancestral(num_steps=_num_steps(settings)),
    "left_to_right": lambda settings: LeftToRight(),
    "random": lambda settings: Random(),
}
