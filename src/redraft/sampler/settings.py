"""Sampling options: one record, checked once, used by the command line, the server and the Python API alike."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from redraft.errors import ConfigError

__all__ = ["CommitName", "Effort", "Family", "PlanName", "ReviseName", "SamplerSettings", "StopName"]

Family = Literal["masked", "uniform"]
"""What stands at an open position: [MASK], or a random token."""

CommitName = Literal[
    "most_confident",
    "above_threshold",
    "entropy_bound",
    "least_entropy",
    "margin",
    "ancestral",
    "left_to_right",
    "random",
]
"""Which positions settle in a pass; see ``redraft.sampler.commit``."""

PlanName = Literal["even", "timesteps"]
"""How a budget is spread over the passes; see ``redraft.sampler.plan``."""

ReviseName = Literal["always", "settled"]
"""When settled tokens are looked at again."""

StopName = Literal["settled", "stable"]
"""When a canvas is finished; see ``redraft.sampler.stop``."""

Effort = Literal["instant", "low", "medium", "high"]
"""Passes against quality, one dial."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SamplerSettings:
    """How a canvas is drawn. The defaults are the masked family at medium effort.

    >>> SamplerSettings(threshold=0.8).max_steps
    64
    """

    family: Family = "masked"
    """Which kind of noise the denoiser was trained on."""
    canvas_length: int = 104
    """Positions of one canvas."""
    max_new_tokens: int = 104
    """Most tokens of one answer; more than ``canvas_length`` means several canvases one after the other."""
    max_steps: int = 64
    """Most passes over one canvas; the last one commits whatever is still open."""
    temperature: float = 0.0
    """Divides the logits before a token is drawn; 0 takes the likeliest token."""
    final_temperature: float | None = None
    """Where the temperature heads for, linearly: pass i of n uses final + (temperature - final)(n - i) / n with
    n = ``max_steps``; None keeps it constant."""
    top_p: float = 1.0
    """Draw only from the likeliest tokens that together have this probability. No effect at temperature 0."""
    guidance_scale: float = 0.0
    """Classifier-free guidance w in logits_u + (1 + w)(logits_c - logits_u); above 0 each pass costs two."""
    commit: CommitName = "above_threshold"
    """Which open positions settle in a pass."""
    num_steps: int | None = None
    """Passes over which ancestral and the rules with a budget (most_confident, least_entropy, margin, left_to_right,
    random) spread the canvas; None means ``max_steps``. No effect on the other rules."""
    plan: PlanName = "even"
    """How those with a budget spread it: evenly, or by times that fall from 1 to ``final_time`` as Dream does it."""
    final_time: float = 1e-3
    """Under plan timesteps, the time that pass n of n heads for. No effect on the even plan."""
    block_length: int | None = None
    """Positions settle block by block from the left, each block of this many positions when the one before has settled
    (semi-autoregressive); ``num_steps`` is spread over the blocks. None settles anywhere on the canvas."""
    lookahead: int | None = None
    """Positions settle only among the first so many open ones, from the left, so that what follows from a token waits
    until that token stands; every position is still seen, proposed and revised. None settles anywhere."""
    answer_slots: int = 0
    """Positions at the beginning of the canvas that settle only once nothing behind them is open: an answer that stands
    before its derivation waits for it, so that no two guesses hold each other up. It may still be revised."""
    threshold: float = 0.9
    """Least probability that settles a position under above_threshold. No effect on the other rules."""
    least_commits: int = 1
    """Under above_threshold, how many settle in each pass whatever their probability. No effect on the other rules."""
    entropy_bound: float = 0.1
    """Nats that a pass may risk under entropy_bound. No effect on the other rules."""
    margin_threshold: float | None = None
    """Under margin, least distance of the two likeliest tokens that settles a position; None keeps to the budget."""
    edit_threshold: float | None = 0.9
    """A settled token gives way to the likeliest one when that is more probable than this; None never edits."""
    remask_threshold: float | None = None
    """A settled token reopens when its probability has fallen below this; None never reopens."""
    revise: ReviseName = "always"
    """always: settled tokens are judged anew in every pass. settled: only once nothing is open any more, so that the
    passes before need no scores for them. No effect without ``edit_threshold`` or ``remask_threshold``."""
    max_revisions: int = 4
    """Most times that one position may be edited or reopened, which keeps two tokens from changing places for ever."""
    verify_passes: int = 1
    """Passes after everything has settled, in which nothing but revisions can happen; a pass that revises nothing ends
    them early. No effect without ``edit_threshold`` or ``remask_threshold``."""
    sure_threshold: float | None = None
    """A pass that judges all that stood, revises none of it and settles the rest, each token with at least this
    probability, ends the canvas without a verifying pass; None always verifies. No effect where no such pass would
    follow, nor if ``revise`` is settled."""
    stop: StopName = "settled"
    """settled: everything settled and verified. stable: also when the likeliest canvas stands still and is certain."""
    stability_threshold: int = 1
    """Passes for which the likeliest canvas must have stood still. No effect unless ``stop`` is stable."""
    stop_entropy: float = 0.005
    """Mean nats per position below which a canvas is certain. No effect unless ``stop`` is stable."""
    fill_after_end: bool = True
    """Fill what lies behind a settled end of text with it at once. Off, every position is drawn, as published samplers
    do, and nothing narrows. No effect on the uniform family."""
    narrow: bool = True
    """Leave positions well behind the end of text out of later passes. No effect on the uniform family."""
    follow_end: bool = False
    """Let the canvas follow where the text is predicted to end, before that end has settled: the next pass takes the
    positions up to it, by multiples of 8, and all of them again when the text reaches the last one. No effect without
    ``narrow``."""
    first_width: int | None = None
    """Positions of the first pass, rounded up to a multiple of 8; None takes the whole canvas. More where text stands
    on it already. No effect without ``follow_end``."""
    sketch: int | None = None
    """Until the end of text has settled, a pass sees what it leaves out through so many positions that stand for the
    rest, a multiple of 8, and takes one by one no more than what stands, the ``lookahead`` open positions that may
    settle, and ``first_width`` - ``lookahead`` behind them. None leaves out what is behind the predicted end, and
    nothing where none is predicted. No effect without ``follow_end``; without ``first_width`` or ``lookahead``, or on a
    denoiser that scores whole canvases only, passes take the whole canvas."""

    def __post_init__(self) -> None:
        """Check every value, then how they fit together.

        Raises:
            ConfigError: A value is of the wrong kind, out of its range, or has no effect beside another one.
        """
        for name, options in _CHOICES.items():
            _check_choice(name, getattr(self, name), options)
        for name, low in _WHOLE_NUMBERS.items():
            _check_whole(name, getattr(self, name), low)
        for name, (low, high) in _NUMBERS.items():
            _check_number(name, getattr(self, name), low, high)
        for name in ("temperature", "final_temperature"):
            if 0.0 < (getattr(self, name) or 0.0) < _LEAST_TEMPERATURE:
                raise ConfigError(
                    f"{name}={getattr(self, name)} is 0 in all but name; use 0, or at least {_LEAST_TEMPERATURE}"
                )
        if self.threshold == 0.0 or self.top_p == 0.0:
            raise ConfigError("threshold and top_p must be above 0; use a value in (0, 1], for example 0.9")
        for name in ("narrow", "fill_after_end", "follow_end"):
            if not isinstance(getattr(self, name), bool):  # may come from JSON
                raise ConfigError(f"{name}={getattr(self, name)!r} is not a truth value; use true or false")
        self._check_together()

    def _check_together(self) -> None:
        if self.num_steps is not None and self.num_steps > self.max_steps:
            raise ConfigError(
                f"num_steps={self.num_steps} is more than max_steps={self.max_steps}; lower the one or raise the other"
            )
        if self.final_temperature is not None and (self.final_temperature == 0.0) != (self.temperature == 0.0):
            raise ConfigError(
                f"temperature={self.temperature} and final_temperature={self.final_temperature}: only one of them is "
                "0, and there is no line from drawing to choosing; use two values above 0, for example 0.8 and 0.4"
            )
        if self.block_length is not None and (self.plan != "even" or self.commit == "ancestral"):
            raise ConfigError(
                f"block_length={self.block_length} does not go with plan={self.plan!r} and commit={self.commit!r}: "
                "one of them is for whole canvases; leave it at none, or use the even plan and another rule"
            )
        if self.final_time == 0.0 or self.final_time == 1.0:
            raise ConfigError(f"final_time={self.final_time} leaves no times between; use for example 0.001")
        if self.sketch is not None and self.sketch % 8 != 0:
            raise ConfigError(f"sketch={self.sketch} is no multiple of 8; use 8 or 16, for example")
        if self.family == "uniform":
            self._check_uniform()

    def _check_uniform(self) -> None:
        if self.commit not in _UNIFORM_COMMITS:
            raise ConfigError(
                f"commit={self.commit!r} needs [MASK], which the uniform family has not; use "
                f"{' or '.join(_UNIFORM_COMMITS)}"
            )
        if self.stop != "stable":
            raise ConfigError(
                f"stop={self.stop!r} never happens in the uniform family, which reopens what it doubts; use stable"
            )
        for name in ("edit_threshold", "remask_threshold", "block_length", "lookahead", "answer_slots"):
            if getattr(self, name) not in (None, 0):
                raise ConfigError(
                    f"{name}={getattr(self, name)} has no effect on the uniform family, which judges every position "
                    f"anew at each pass; leave it at none"
                )

    @classmethod
    def for_effort(cls, effort: str, family: str = "masked") -> "SamplerSettings":
        """The preset for one turn of the dial; change single values with ``dataclasses.replace``.

        Args:
            effort: instant, low, medium or high.
            family: masked or uniform.

        Returns:
            The settings.

        Raises:
            ConfigError: There is no such preset.

        >>> SamplerSettings.for_effort("medium").threshold
        0.9
        """
        _check_choice("effort", effort, get_args(Effort))
        _check_choice("family", family, get_args(Family))
        return _PRESETS[family][effort]


_UNIFORM_COMMITS = ("entropy_bound", "above_threshold")

_CHOICES: dict[str, tuple[str, ...]] = {
    "family": get_args(Family),
    "commit": get_args(CommitName),
    "plan": get_args(PlanName),
    "revise": get_args(ReviseName),
    "stop": get_args(StopName),
}

# Least value; a field whose default is None may stay None.
_WHOLE_NUMBERS = {
    "canvas_length": 1,
    "max_new_tokens": 1,
    "max_steps": 1,
    "num_steps": 1,
    "block_length": 1,
    "lookahead": 1,
    "first_width": 1,
    "sketch": 8,
    "least_commits": 1,
    "answer_slots": 0,
    "max_revisions": 0,
    "verify_passes": 0,
    "stability_threshold": 1,
}

# Least and greatest value. 100 stands for "as much as makes any sense": beyond it logits lose their meaning.
_NUMBERS = {
    "temperature": (0.0, 100.0),
    "final_temperature": (0.0, 100.0),
    "top_p": (0.0, 1.0),
    "guidance_scale": (0.0, 100.0),
    "threshold": (0.0, 1.0),
    "final_time": (0.0, 1.0),
    "entropy_bound": (0.0, math.inf),
    "margin_threshold": (0.0, 1.0),
    "edit_threshold": (0.0, 1.0),
    "remask_threshold": (0.0, 1.0),
    "sure_threshold": (0.0, 1.0),
    "stop_entropy": (0.0, math.inf),
}

_LEAST_TEMPERATURE = 0.01  # below it float32 logits of usual size overflow when divided

_MAY_BE_NONE = frozenset(
    {
        "num_steps",
        "block_length",
        "lookahead",
        "first_width",
        "sketch",
        "final_temperature",
        "margin_threshold",
        "edit_threshold",
        "remask_threshold",
        "sure_threshold",
    }
)


def _check_choice(name: str, value: object, options: tuple[str, ...]) -> None:
    if value not in options:
        raise ConfigError(f"{name}={value!r} is unknown; use one of {', '.join(options)}")


def _check_whole(name: str, value: object, low: int) -> None:
    if value is None and name in _MAY_BE_NONE:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise ConfigError(f"{name}={value!r} is not allowed; use a whole number of at least {low}")


def _check_number(name: str, value: object, low: float, high: float) -> None:
    if value is None and name in _MAY_BE_NONE:
        return
    # Written so that NaN fails too.
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ConfigError(f"{name}={value!r} is not allowed; use a number from {low:g} to {high:g}")


# The whole dial in one table; docs/speed.md has the measured points. At low effort nothing is revised on a canvas that
# starts open, because it ends when it has settled; text that is given is.
_PRESETS: dict[str, dict[str, SamplerSettings]] = {
    "masked": {
        "instant": SamplerSettings(threshold=0.3, max_steps=4, edit_threshold=None, verify_passes=0, follow_end=True),
        "low": SamplerSettings(
            threshold=0.8,
            lookahead=40,
            max_steps=16,
            revise="settled",
            verify_passes=0,
            follow_end=True,
        ),
        "medium": SamplerSettings(
            threshold=0.9,
            lookahead=28,
            answer_slots=3,
            remask_threshold=0.5,
            verify_passes=2,
            sure_threshold=0.9,
            follow_end=True,
            first_width=40,
            sketch=24,
        ),
        "high": SamplerSettings(
            threshold=0.95,
            lookahead=16,
            answer_slots=3,
            remask_threshold=0.7,
            max_revisions=6,
            verify_passes=4,
            sure_threshold=0.95,
            max_steps=128,
        ),
    },
    "uniform": {
        effort: SamplerSettings(
            family="uniform",
            commit="entropy_bound",
            stop="stable",
            temperature=0.8,
            final_temperature=0.4,
            max_steps=max_steps,
            edit_threshold=None,
        )
        for effort, max_steps in {"instant": 4, "low": 16, "medium": 48, "high": 96}.items()
    },
}
