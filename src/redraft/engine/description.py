"""What is told of a model before it is loaded."""

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Inspection"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspection:
    """One model, described."""

    model: str
    """What was asked for."""

    folder: str
    """Where it lies."""

    family: str
    """The public family; "redraft" for this program's own models."""

    architecture: str | None
    """The class that config.json names."""

    attention: str
    """Who sees whom: "segment", "full", "block" or "encoder_canvas"."""

    noise: str
    """What an open position holds: "masked" or "uniform"."""

    is_shifted: bool
    """Whether the output at one position scores the next."""

    block_length: int | None
    """Positions of a block or canvas, where the family has a length of its own."""

    mask_token_id: int | None
    """The mask, as far as the configurations tell."""

    end_token_ids: list[int]
    """What ends an answer, likewise."""

    context_length: int | None
    """Positions that the model was made for."""

    has_chat_template: bool
    """Whether the folder says how a conversation is written."""

    num_parameters: int | None
    """Elements of all weights; None before they are fetched."""

    num_files: int | None
    """Files that hold the weights, likewise."""

    size_bytes: int | None
    """Size of the weights on disk; None where nobody tells."""

    stored_as: list[str]
    """Types of the weights, the one with most bytes first; empty before they are fetched."""

    is_fetched: bool
    """Whether the weights are here."""

    memory_bytes: dict[str, int]
    """What the model would take, by the type of its weights; a tenth is added for the work itself."""

    available_bytes: int | None
    """What a new process could take on this machine; None where the system does not say."""

    rules: dict[str, Any]
    """Sampler settings at medium effort, those without effect left out."""

    fits: dict[str, bool]
    """Whether it would fit, by the type of its weights; empty where it can't be told."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)
