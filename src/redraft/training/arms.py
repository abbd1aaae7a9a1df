"""Which kind of model a run trains: diffusion, or one of the arms that it is compared with.

All arms share the trainer, the shape of the network, the stream of examples, the canvases and the scored positions.
What differs is what stands on the canvas while a token is asked for, and who sees whom.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from redraft.errors import ConfigError

__all__ = ["ArmName", "ArmRecipe"]

ArmName = Literal["diffusion", "causal", "prefix", "one_shot"]
"""What is trained; see ``ArmRecipe.name``."""

_SIGHT = {
    "diffusion": {"is_causal": False, "has_bidirectional_context": False},
    "causal": {"is_causal": True, "has_bidirectional_context": False},
    "prefix": {"is_causal": True, "has_bidirectional_context": True},
    "one_shot": {"is_causal": False, "has_bidirectional_context": False},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmRecipe:
    """The ``[arm]`` section of a recipe."""

    name: str = "diffusion"
    """diffusion; causal: next token, left to right throughout; prefix: next token, the prompt read both ways; one_shot:
    every token from an all-mask canvas, settled in a single pass."""

    muon_lr: float | None = None
    """In place of ``optimizer.muon_lr``, so that each arm has the rate that suits it; left out: the common one."""

    adamw_lr: float | None = None
    """In place of ``optimizer.adamw_lr``; left out: the common one."""

    def __post_init__(self) -> None:
        if self.name not in get_args(ArmName):
            raise ConfigError(f"arm.name={self.name!r} is unknown; use one of {', '.join(get_args(ArmName))}")
        for name in ("muon_lr", "adamw_lr"):
            value = getattr(self, name)
            if value is not None and not value >= 0.0:
                raise ConfigError(f"arm.{name}={value} is too small; use 0 or more")

    @property
    def sight(self) -> dict[str, Any]:
        """The model settings that follow: who sees whom."""
        return dict(_SIGHT[self.name])

    @property
    def sampler(self) -> dict[str, Any]:
        """Sampler settings that belong to the trained model: the one-shot arm knows no second pass."""
        if self.name != "one_shot":
            return {}
        return {"max_steps": 1, "edit_threshold": None, "verify_passes": 0}

    @property
    def own_rates(self) -> dict[str, float]:
        """Settings of the optimiser that differ from the common ones."""
        rates = {"muon_lr": self.muon_lr, "adamw_lr": self.adamw_lr}
        return {name: rate for name, rate in rates.items() if rate is not None}
