"""Self-correction: wrong tokens are planted in finished answers, and the loop gets the canvas as if it were its own.

Detected: a planted token changes. Repaired: it ends as the right one. Damaged: a right token ends as a wrong one. With
nothing planted, a canvas that is right should stay as it is. A second part looks at normal generation: of the tokens
that a pass took back, how many ended right.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from redraft.engine import Engine, Request
from redraft.errors import ConfigError
from redraft.evaluation.accuracy import Share
from redraft.sampler import Canvas, SamplerSettings, Step, sample
from redraft.tasks import Problem
from redraft.text import Segment, Tokenizer, encode_segment, lay_out

__all__ = ["NUMBERS_PLANTED", "Correction", "Revisions", "measure_correction", "measure_revisions", "plant"]

NUMBERS_PLANTED = (0, 1, 2, 3, 4, 6, 8)
"""How many wrong tokens an answer gets."""


@dataclass(kw_only=True, slots=True)
class Correction:
    """Counts over canvases with the same number of planted tokens."""

    num_planted: int
    """Wrong tokens per canvas."""

    canvases: int = 0
    """How many canvases."""

    left_out: int = 0
    """Answers too long for the canvas, which are not asked."""

    planted: int = 0
    """Wrong tokens altogether."""

    detected: int = 0
    """Of these, changed by the end."""

    repaired: int = 0
    """Of these, right at the end."""

    right: int = 0
    """Tokens that were right from the start."""

    damaged: int = 0
    """Of these, wrong at the end."""

    restored: int = 0
    """Canvases that are right throughout at the end."""

    nfe: int = 0
    """Passes over all canvases."""

    def to_dict(self) -> dict[str, Any]:
        """Counts and shares, ready for JSON."""
        shares = {
            "detected": Share(successes=self.detected, total=self.planted),
            "repaired": Share(successes=self.repaired, total=self.planted),
            "damaged": Share(successes=self.damaged, total=self.right),
            "restored": Share(successes=self.restored, total=self.canvases),
        }
        return {
            "num_planted": self.num_planted,
            "left_out": self.left_out,
            **{name: share.to_dict() for name, share in shares.items()},
            "nfe_mean": round(self.nfe / self.canvases, 3) if self.canvases else 0.0,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Revisions:
    """What became of the tokens that normal generation took back."""

    revised: Share = field(default_factory=lambda: Share(successes=0, total=0))
    """Positions that were revised at least once: how many ended right."""

    answers: Share = field(default_factory=lambda: Share(successes=0, total=0))
    """Answers in which something was revised: how many ended right throughout."""


def plant(ids: Sequence[int], num_wrong: int, rng: random.Random, tokenizer: Tokenizer) -> dict[int, int]:
    """Choose places and wrong tokens for them.

    A digit or an empty slot becomes another one, since such an error is the hardest to see; any other token becomes one
    that stands elsewhere in the same answer.

    Args:
        ids: The right answer.
        num_wrong: How many tokens to plant.
        rng: Chooses.
        tokenizer: Says what a digit is.

    Returns:
        The wrong token of each place.

    Raises:
        ConfigError: The answer has fewer tokens.
    """
    if num_wrong > len(ids):
        raise ConfigError(f"{num_wrong} wrong tokens don't fit into an answer of {len(ids)}; plant fewer")
    places = (*tokenizer.digit_token_ids, tokenizer.special.null)
    chosen: dict[int, int] = {}
    for place in rng.sample(range(len(ids)), num_wrong):
        pool = sorted({*(places if ids[place] in places else ids)} - {ids[place]})
        chosen[place] = rng.choice(pool or sorted({*places} - {ids[place]}))
    return chosen


def measure_correction(
    engine: Engine,
    problems: Sequence[Problem],
    *,
    num_planted: int,
    settings: SamplerSettings,
    seed: int = 0,
    tick: Callable[[], None] | None = None,
) -> Correction:
    """Plant errors in the right answers and let the loop work on them, every position editable.

    Args:
        engine: The model at work.
        problems: Whose answers to spoil.
        num_planted: Wrong tokens per answer; a shorter answer gets all its tokens wrong.
        settings: How the loop works; without ``edit_threshold`` or ``remask_threshold`` nothing can change.
        seed: Fixes places, tokens and draws.
        tick: Called after each canvas.

    Returns:
        The counts.

    Raises:
        ConfigError: No answer fits the canvas, or the model's tokenizer has no empty slots.
    """
    counts = Correction(num_planted=num_planted)
    tokenizer = _native_tokenizer(engine)
    answers = [lay_out(tokenizer, problem.fields) for problem in problems]
    counts.left_out = sum(len(ids) > settings.canvas_length for ids in answers)
    if answers and counts.left_out == len(answers):
        raise ConfigError(
            f"an answer takes {min(map(len, answers))} positions, but the model {engine.name} is measured on a canvas "
            f"of {settings.canvas_length}; use a model with longer canvases"
        )
    for index, (problem, ids) in enumerate(zip(problems, answers, strict=True)):
        if len(ids) > settings.canvas_length:
            continue
        rng = random.Random(f"correction/{seed}/{num_planted}/{problem.key}/{problem.prompt}")
        wrong = plant(ids, min(num_planted, len(ids)), rng, tokenizer)
        spoilt = [wrong.get(place, token) for place, token in enumerate(ids)]
        last = _redraft(engine, problem, spoilt, settings, seed + index)
        final = last.tokens[0].tolist()[: len(ids)]
        counts.canvases += 1
        counts.planted += len(wrong)
        counts.detected += sum(final[place] != token for place, token in wrong.items())
        counts.repaired += sum(final[place] == ids[place] for place in wrong)
        counts.right += len(ids) - len(wrong)
        counts.damaged += sum(final[p] != ids[p] for p in range(len(ids)) if p not in wrong)
        counts.restored += final == ids
        counts.nfe += last.nfe[0]
        if tick is not None:
            tick()
    return counts


def _native_tokenizer(engine: Engine) -> Tokenizer:
    """The engine's tokenizer, if answers can be laid out with it."""
    if not isinstance(engine.tokenizer, Tokenizer):
        raise ConfigError(
            f"the model {engine.name} lays its answers out in another way than the tasks; measure correction with a "
            "model that redraft train made"
        )
    return engine.tokenizer


def _redraft(engine: Engine, problem: Problem, ids: list[int], settings: SamplerSettings, seed: int) -> Step:
    """Run the loop over a canvas with text on it; the last pass."""
    tokenizer = _native_tokenizer(engine)
    prompt = torch.tensor([encode_segment(tokenizer, Segment("user", problem.prompt))], device=engine.device)
    filled = ids + [tokenizer.special.end_of_text] * (settings.canvas_length - len(ids))
    tokens = torch.tensor([filled], device=engine.device)
    canvas = Canvas.from_tokens(tokens, torch.ones_like(tokens, dtype=torch.bool), tokenizer.special.mask)
    last: Step | None = None
    with torch.inference_mode():
        for step in sample(
            engine.denoiser,
            context=engine.denoiser.encode(prompt),
            canvas=canvas,
            settings=settings,
            special=engine.special_ids,
            seeds=torch.tensor([seed]),
        ):
            last = step
    assert last is not None, "the loop yields at least once"
    return last


def measure_revisions(
    engine: Engine, problems: Sequence[Problem], *, settings: SamplerSettings, seed: int = 0
) -> Revisions:
    """Generate answers and follow every token that was taken back.

    Args:
        engine: The model at work.
        problems: What to ask.
        settings: How answers are drawn.
        seed: Problem i is asked with seed + i.

    Returns:
        The shares.
    """
    tokenizer = _native_tokenizer(engine)
    revised = right = answers = right_answers = 0
    for index, problem in enumerate(problems):
        ids = lay_out(tokenizer, problem.fields)
        request = Request.from_prompt(problem.prompt, seed=seed + index, settings=settings)
        was_revised = torch.zeros(settings.canvas_length, dtype=torch.bool)
        final: list[int] = []
        for frame in engine.stream(request):
            was_revised |= frame.step.revised[0].cpu()
            final = frame.step.tokens[0].tolist()
        places = [place for place in was_revised.nonzero()[:, 0].tolist() if place < len(ids)]
        revised += len(places)
        right += sum(final[place] == ids[place] for place in places)
        answers += bool(places)
        right_answers += bool(places) and final[: len(ids)] == ids
    return Revisions(
        revised=Share(successes=right, total=revised), answers=Share(successes=right_answers, total=answers)
    )
