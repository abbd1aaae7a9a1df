"""How much a run measures: all of it, or quickly."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["EFFORTS", "Plan", "full_plan", "quick_plan"]

EFFORTS = ("instant", "low", "medium", "high")
"""Our model's arm at each of these."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is measured."""

    efforts: tuple[str, ...] = EFFORTS
    """Of our model."""
    prompts: tuple[str, ...] = ("short", "long")
    """Kinds of prompt."""
    orders: tuple[str, ...] = ("answer_first", "derivation_first")
    """What is asked for first where answers are judged: left to right, deriving first does better."""
    batches: tuple[int, ...] = (1, 4, 16)
    """Requests under way at once."""
    count: int = 16
    """Questions per turn; a batch can't be larger."""
    repeats: int = 5
    """Turns of each arm that count; one more before them warms up."""
    accuracy_count: int = 200
    """Questions that every trained arm is judged on, those of the turns among them."""
    pass_repeats: int = 100
    """Timings of one pass and of its products."""
    scaling_repeats: int = 20
    """Timings of each point of the scaling."""
    most_long_tokens: int = 768
    """Most tokens of a long prompt; three quarters of the shortest context of an arm on our engine, if that is less."""
    grid: dict[str, tuple[int, ...]] = field(
        default_factory=lambda: {
            "canvas": (8, 16, 32, 48, 64, 80, 104, 128, 192, 256),
            "context": (0, 16, 32, 64, 128, 256, 512, 1024),
            "batch": (1, 2, 4, 8, 16),
        }
    )
    """Points of the scaling; a model takes those that fit it."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        lists = ("efforts", "prompts", "orders", "batches")
        numbers = ("count", "repeats", "accuracy_count", "pass_repeats", "scaling_repeats")
        return {name: list(getattr(self, name)) for name in lists} | {name: getattr(self, name) for name in numbers}


def full_plan() -> Plan:
    """Return what figures are published from."""
    return Plan()


def quick_plan() -> Plan:
    """Return a run of about a minute, to see that everything works; its spread says how little it is worth."""
    return Plan(
        efforts=("instant", "medium"),
        batches=(1, 4),
        count=4,
        repeats=2,
        accuracy_count=16,
        pass_repeats=10,
        scaling_repeats=3,
        grid={"canvas": (16, 64, 104), "context": (0, 32, 128), "batch": (1, 4)},
    )
