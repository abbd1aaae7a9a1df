"""What is asked: settled text, how to draw the answer, and the seed that fixes every byte of it."""

from dataclasses import dataclass, field

from redraft.errors import ConfigError, PromptError
from redraft.sampler import SamplerSettings
from redraft.text import Segment

__all__ = ["Request"]

_MAX_SEED = (1 << 63) - 1
"""Seeds travel in int64 tensors."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One question.

    >>> Request.from_prompt("2 + 3").segments[0].role
    'user'
    """

    segments: tuple[Segment, ...]
    """Settled turns, the oldest first."""

    id: str = ""
    """Comes back with the result; means nothing here."""

    seed: int = 0
    """Fixes every random draw, whoever else is being answered."""

    settings: SamplerSettings = field(default_factory=SamplerSettings)
    """How the answer is drawn, its greatest length included."""

    max_passes: int | None = None
    """Passes over all canvases after which the answer ends with what the last one proposes; None for no such limit."""

    deadline_s: float | None = None
    """Seconds from its arrival after which the answer ends likewise, so that its bytes depend on the clock."""

    def __post_init__(self) -> None:
        """Check what depends on no model.

        Raises:
            PromptError: There is no text.
            ConfigError: The seed or a limit is out of range.
        """
        if not any(segment.text for segment in self.segments):
            raise PromptError("the prompt is empty; write what the model is to answer")
        if isinstance(self.seed, bool) or not 0 <= self.seed <= _MAX_SEED:
            raise ConfigError(f"seed={self.seed} is not allowed; use a whole number from 0 to {_MAX_SEED}")
        if self.max_passes is not None and (isinstance(self.max_passes, bool) or self.max_passes < 1):
            raise ConfigError(f"max_passes={self.max_passes} is not allowed; use a whole number of at least 1")
        if self.deadline_s is not None and not self.deadline_s > 0:
            raise ConfigError(f"deadline_s={self.deadline_s} is not allowed; use seconds above 0")

    @classmethod
    def from_prompt(
        cls, prompt: str, *, id: str = "", seed: int = 0, settings: SamplerSettings | None = None
    ) -> "Request":
        """Make a request of a single user turn.

        Args:
            prompt: What the user writes; plain text, nothing in it is parsed.
            id: Comes back with the result.
            seed: Fixes every random draw.
            settings: How the answer is drawn; None is the default.

        Returns:
            The request.
        """
        return cls(
            segments=(Segment("user", prompt),),
            id=id,
            seed=seed,
            settings=settings or SamplerSettings.for_effort("medium"),
        )
