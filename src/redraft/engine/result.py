"""What is answered: the text and the figures that every claim is made from."""

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["FinishReason", "Result", "Seconds"]

FinishReason = Literal["stop", "length", "passes", "deadline"]
"""stop: the model ended the text. length: the canvas or ``max_new_tokens`` did. passes, deadline: the request's own
limit did, and what was not settled by then is what the last pass proposed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seconds:
    """Wall-clock time from text to text. In a batch, the stages that rows share are counted in full for each."""

    tokenize: float
    """Text to token ids."""

    prefill: float
    """Taking settled segments into the context."""

    denoise: float
    """All passes, the rules included."""

    filter: float
    """Safety rules; 0 while none are installed."""

    detokenize: float
    """Token ids to text."""

    total: float
    """From the request to the result, whatever lies between the stages included."""

    def to_dict(self) -> dict[str, float]:
        """Plain values, to the microsecond."""
        return {
            "tokenize": round(self.tokenize, 6),
            "prefill": round(self.prefill, 6),
            "denoise": round(self.denoise, 6),
            "filter": round(self.filter, 6),
            "detokenize": round(self.detokenize, 6),
            "total": round(self.total, 6),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One answer. [NULL], padding and everything from the end of text on never count as tokens."""

    id: str
    """The request's."""

    text: str
    """What the model wrote."""

    model: str
    """Name of the model."""

    seed: int
    """The request's."""

    finish_reason: FinishReason
    """Why it ends where it ends."""

    prompt_tokens: int
    """Settled tokens before the first canvas, role markers included."""

    completion_tokens: int
    """Tokens of the text."""

    nfe: int
    """Forward passes of the denoiser; guidance counts two a pass."""

    revised_tokens: int
    """How often a settled token was changed or reopened."""

    seconds: Seconds
    """Where the time went."""

    @property
    def tokens_per_forward(self) -> float:
        """Completion tokens per forward pass."""
        return self.completion_tokens / self.nfe if self.nfe else 0.0

    @property
    def tokens_per_second(self) -> float:
        """Completion tokens over the total time, end to end."""
        return self.completion_tokens / self.seconds.total if self.seconds.total > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The fields of the JSON output, in their documented order."""
        return {
            "id": self.id,
            "text": self.text,
            "model": self.model,
            "seed": self.seed,
            "finish_reason": self.finish_reason,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "nfe": self.nfe,
            "tokens_per_forward": round(self.tokens_per_forward, 4),
            "revised_tokens": self.revised_tokens,
            "seconds": self.seconds.to_dict(),
            "tokens_per_second": round(self.tokens_per_second, 2),
        }
