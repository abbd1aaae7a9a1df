"""Our loop against DiffusionGemma's decoding, written anew from its description (arXiv 2608.00146; 2505.24857).

All positions are drawn at a temperature that falls linearly. In ascending order of entropy they are accepted while the
entropy of those before stays within a bound; all others become fresh random tokens, and everything is judged anew at
the next step. It stops when the argmax canvas has stood still for a step and the mean entropy is tiny; the argmax
canvas is the result. The draws come from the same counter as ours, everything else is written in plain lists.
"""

import itertools
import math

import pytest
import torch

from redraft.denoiser import FakeDenoiser
from redraft.sampler import Canvas, SamplerSettings, SpecialIds, sample
from redraft.sampler.random import Stream, uniforms

VOCAB, END, LENGTH, MAX_STEPS = 9, 8, 12, 48
SPECIAL = SpecialIds(mask=None, end_of_text=END, null=None, forbidden=(END,))
ALLOWED = [id for id in range(VOCAB) if id != END]


def draw(seed: int, block: int, step: int, stream: Stream) -> list[float]:
    return uniforms([seed], block=block, step=step, stream=stream, length=LENGTH)[0].tolist()


def noise(seed: int, block: int, step: int) -> list[int]:
    return [ALLOWED[int(u * len(ALLOWED))] for u in draw(seed, block, step, Stream.NOISE)]


def diffusion_gemma(denoiser: FakeDenoiser, seed: int, block: int) -> list[list[int]]:
    tokens = noise(seed, block, -1)
    argmax_before: list[int] = []
    states = []
    for step in range(MAX_STEPS):
        remaining = MAX_STEPS - step
        temperature = 0.4 + (0.8 - 0.4) * remaining / MAX_STEPS
        logits = denoiser.denoise(torch.tensor([tokens]))[0].tolist()
        coins = draw(seed, block, step, Stream.TOKEN)
        argmax, drawn, entropies = [], [], []
        for place in range(LENGTH):
            weights = [0.0 if id == END else math.exp(score / temperature) for id, score in enumerate(logits[place])]
            probs = [weight / sum(weights) for weight in weights]
            argmax.append(probs.index(max(probs)))
            entropies.append(-sum(p * math.log(p) for p in probs if p > 0.0))
            upto = list(itertools.accumulate(probs))
            drawn.append(next(id for id, mass in enumerate(upto) if mass > coins[place]))
        order = sorted(range(LENGTH), key=lambda place: entropies[place])
        accepted, spent = set(), 0.0
        for place in order:
            if spent > 0.1:
                break
            accepted.add(place)
            spent += entropies[place]
        fresh = noise(seed, block, step)
        if argmax == argmax_before and sum(entropies) / LENGTH < 0.005:
            return [*states, argmax]
        if remaining == 1:
            return [*states, argmax]
        tokens = [drawn[place] if place in accepted else fresh[place] for place in range(LENGTH)]
        states.append(tokens)
        argmax_before = argmax
    raise AssertionError("the last step returns")


def converging(seed: int, scale: float) -> FakeDenoiser:
    """Make a denoiser that leans towards one text, the more so the more of it stands."""
    tangled = FakeDenoiser.tangled(vocab_size=VOCAB, length=LENGTH, seed=seed)
    text = torch.randint(0, END, (LENGTH,), generator=torch.Generator().manual_seed(seed))

    def logits_of(canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        num_right = (canvas == text).sum(dim=1).float()
        lean = torch.nn.functional.one_hot(text, VOCAB).float() * (2 + num_right * scale)[:, None, None]
        return tangled.logits_of(canvas, context) + lean

    return FakeDenoiser(vocab_size=VOCAB, logits_of=logits_of)


@pytest.mark.slow
@pytest.mark.parametrize("scale", [0.125, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(6))
def test_each_pass_is_the_same(seed: int, scale: float) -> None:
    denoiser, block = converging(seed, scale), seed % 3
    seeds = torch.tensor([1000 + seed])
    steps = sample(
        denoiser,
        context=None,
        canvas=Canvas.noise(seeds, LENGTH, VOCAB, special=SPECIAL, block=block),
        settings=SamplerSettings.for_effort("medium", "uniform"),
        special=SPECIAL,
        seeds=seeds,
        block=block,
    )
    ours = [step.tokens[0].tolist() for step in steps]
    theirs = diffusion_gemma(denoiser, 1000 + seed, block)
    assert ours == theirs
    if scale == 1.0:
        assert 2 <= len(ours) < MAX_STEPS, "the adaptive stop is reached"


def test_the_budget_is_reached_too() -> None:
    denoiser = FakeDenoiser.tangled(vocab_size=VOCAB, length=LENGTH, seed=0)
    seeds = torch.tensor([5])
    canvas = Canvas.noise(seeds, LENGTH, VOCAB, special=SPECIAL)
    settings = SamplerSettings.for_effort("medium", "uniform")
    steps = list(sample(denoiser, context=None, canvas=canvas, settings=settings, special=SPECIAL, seeds=seeds))
    assert [step.tokens[0].tolist() for step in steps] == diffusion_gemma(denoiser, 5, 0)
    assert len(steps) == MAX_STEPS
    assert bool(steps[-1].is_settled.all())
