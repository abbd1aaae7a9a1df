"""What each turn of the effort dial should be: settings tried on development problems, the cheapest good ones picked.

Run as ``python -m redraft.evaluation.tuning --count 200``; the test split is never touched. What a point costs is
counted in canvas positions that go through the model for each token of the answers: the same on every machine, however
busy. An effort is the cheapest point that gives away no more than it may (``ALLOWED``) of what the best gets right.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from redraft.denoiser import Cache, Denoiser
from redraft.denoiser.protocol import Places, ScoresSome, Sketch, SomeLogits
from redraft.engine import Engine, load_engine
from redraft.evaluation.accuracy import Share, draw_problems, evaluate, summarise
from redraft.tasks import Problem
from redraft.types import Logits, Probs, TokenMask, Tokens

__all__ = ["ALLOWED", "CANDIDATES", "Measured", "measure", "pick"]

ALLOWED: Mapping[str, float] = {"instant": 0.10, "low": 0.03, "medium": 0.005, "high": 0.0}
"""Share of answers that an effort may get wrong where the best point gets them right."""

_REVISIONS: tuple[dict[str, Any], ...] = (
    {"edit_threshold": None, "verify_passes": 0},
    {"edit_threshold": 0.9, "revise": "settled", "verify_passes": 1},
    {"edit_threshold": 0.9, "revise": "always", "verify_passes": 1},
)
_COMMITS: tuple[dict[str, Any], ...] = (
    *({"commit": "above_threshold", "threshold": threshold} for threshold in (0.3, 0.5, 0.7, 0.9, 0.97)),
    *({"commit": "entropy_bound", "entropy_bound": bound} for bound in (0.2, 1.0, 3.0)),
)
_WIDTHS: tuple[dict[str, Any], ...] = ({"follow_end": True}, {"follow_end": True, "first_width": 64})

CANDIDATES: tuple[dict[str, Any], ...] = tuple({**a, **b, **c} for a, b, c in product(_COMMITS, _REVISIONS, _WIDTHS))
"""All settings that are tried."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One candidate."""

    settings: Mapping[str, Any]
    """What it sets."""
    answer: Share
    """Answers that are right."""
    both: Share
    """Answers and derivations that are right."""
    tokens_per_forward: float
    """Completion tokens per pass."""
    positions_per_token: float
    """Canvas positions that went through the model for each completion token: the cost."""

    def __str__(self) -> str:
        """One line of the table."""
        named = " ".join(f"{name}={value}" for name, value in self.settings.items())
        counts = f"{self.answer.successes:4d}/{self.answer.total} {self.both.successes:4d}/{self.both.total}"
        return f"{counts} {self.tokens_per_forward:6.2f} {self.positions_per_token:6.2f}  {named}"


class _Counting:
    """A denoiser that counts the positions which go through it."""

    def __init__(self, inner: Denoiser) -> None:
        self._inner = inner
        self.num_positions = 0

    @property
    def vocab_size(self) -> int:
        return self._inner.vocab_size

    def encode(self, tokens: Tokens, cache: Cache | None = None, *, is_valid: TokenMask | None = None) -> Cache:
        return self._inner.encode(tokens, cache, is_valid=is_valid)

    def denoise(self, canvas: Tokens, cache: Cache | None = None, *, self_conditioning: Probs | None = None) -> Logits:
        self.num_positions += canvas.numel()
        return self._inner.denoise(canvas, cache, self_conditioning=self_conditioning)

    def denoise_some(
        self,
        canvas: Tokens,
        places: Places | None,
        cache: Cache | None = None,
        *,
        self_conditioning: Probs | None = None,
        sketch: Sketch | None = None,
    ) -> SomeLogits:
        assert isinstance(self._inner, ScoresSome), "only such a denoiser is asked for some"
        self.num_positions += canvas.numel() + len(canvas) * (0 if sketch is None else len(sketch.places))
        return self._inner.denoise_some(canvas, places, cache, self_conditioning=self_conditioning, sketch=sketch)


def measure(engine: Engine, problems: Sequence[Problem], changes: Mapping[str, Any]) -> Measured:
    """Answer the problems with some settings.

    Args:
        engine: The model at work; one that scores some positions only.
        problems: What to ask.
        changes: What differs from medium effort.

    Returns:
        The point.
    """
    counting = _Counting(engine.denoiser)
    counted = Engine(
        counting, engine.tokenizer, context_length=engine.context_length, canvas_length=engine.canvas_length
    )
    outcomes = evaluate(counted, problems, settings=engine.settings("medium", **changes))
    tokens = sum(outcome.result.completion_tokens for outcome in outcomes)
    accuracy = summarise(outcomes)
    return Measured(
        settings=changes,
        answer=accuracy.answer,
        both=accuracy.both,
        tokens_per_forward=tokens / max(1, sum(outcome.result.nfe for outcome in outcomes)),
        positions_per_token=counting.num_positions / max(1, tokens),
    )


def pick(points: Sequence[Measured], allowed: Mapping[str, float] = ALLOWED) -> dict[str, Measured]:
    """The cheapest point for each effort.

    Args:
        points: What was measured, all on the same problems.
        allowed: Share of the best point's right answers that an effort may give away.

    Returns:
        One point per effort.
    """
    best = max(point.both.value for point in points)
    return {
        effort: min(
            (point for point in points if point.both.value >= best - share), key=lambda point: point.positions_per_token
        )
        for effort, share in allowed.items()
    }


def _main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description="Pick the settings of each effort on the development split.")
    parser.add_argument("--model", default="nano")
    parser.add_argument("--count", type=int, default=200, help="problems of each task")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tasks", nargs="+", default=["arithmetic", "largest", "primes"])
    parser.add_argument("--only", type=int, nargs="+", help="numbers of candidates, from 0")
    options = parser.parse_args(arguments)
    engine = load_engine(options.model)
    problems = [
        problem
        for task in options.tasks
        for problem in draw_problems(task, count=options.count, seed=options.seed, split="dev")
    ]
    chosen = range(len(CANDIDATES)) if options.only is None else options.only
    sys.stdout.write("answers  both  tokens/pass  positions/token  settings\n")
    points: list[Measured] = []
    for number in chosen:
        points.append(measure(engine, problems, CANDIDATES[number]))
        sys.stdout.write(f"{number:2d} {points[-1]}\n")
        sys.stdout.flush()
    for effort, point in pick(points).items():
        sys.stdout.write(f"{effort:8s} {point}\n")


if __name__ == "__main__":
    _main(sys.argv[1:])
