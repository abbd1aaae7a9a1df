"""Our loop against LLaDA's low-confidence decoding, written anew from the paper (arXiv 2502.09992, section 2.4).

The whole answer is one block. At each of a fixed number of steps every masked position gets its likeliest token; the
surest of them stay, as many as an even split of the masks over the steps says, and all others are masked again.
"""

import math

import pytest
import torch

from redraft.denoiser import FakeDenoiser
from redraft.sampler import Canvas, SamplerSettings, SpecialIds, sample

VOCAB, MASK, END, LENGTH = 13, 12, 11, 14
SPECIAL = SpecialIds(mask=MASK, end_of_text=END, null=None, forbidden=(END,))


def llada(denoiser: FakeDenoiser, tokens: list[int], num_steps: int) -> list[list[int]]:
    num_masks = tokens.count(MASK)
    shares = [num_masks // num_steps + (1 if step < num_masks % num_steps else 0) for step in range(num_steps)]
    states = []
    for share in shares:
        logits = denoiser.denoise(torch.tensor([tokens]))[0].tolist()
        guesses = []
        for place, token in enumerate(tokens):
            if token != MASK:
                continue
            weights = [0.0 if id in (MASK, END) else math.exp(score) for id, score in enumerate(logits[place])]
            best = max(range(VOCAB), key=lambda id: weights[id])
            guesses.append((weights[best] / sum(weights), place, best))
        guesses.sort(key=lambda guess: (-guess[0], guess[1]))
        tokens = list(tokens)
        for _, place, best in guesses[:share]:
            tokens[place] = best
        states.append(tokens)
    return states


@pytest.mark.parametrize("num_steps", [1, 4, 5, 14])
@pytest.mark.parametrize("seed", range(6))
def test_each_pass_is_the_same(seed: int, num_steps: int) -> None:
    denoiser = FakeDenoiser.tangled(vocab_size=VOCAB, length=LENGTH, seed=seed)
    settings = SamplerSettings(commit="most_confident", max_steps=num_steps, edit_threshold=None, canvas_length=LENGTH)
    canvas = Canvas.blank(1, LENGTH, MASK)
    steps = sample(
        denoiser, context=None, canvas=canvas, settings=settings, special=SPECIAL, seeds=torch.tensor([seed])
    )
    ours = [step.tokens[0].tolist() for step in steps]
    assert ours == llada(denoiser, [MASK] * LENGTH, num_steps)


@pytest.mark.parametrize("seed", range(4))
def test_infilling_is_the_same(seed: int) -> None:
    denoiser = FakeDenoiser.tangled(vocab_size=VOCAB, length=LENGTH, seed=seed)
    start = [3, 1, MASK, MASK, 4, MASK, MASK, MASK, 5, 9, MASK, MASK, MASK, 2]
    tokens = torch.tensor([start])
    steps = sample(
        denoiser,
        context=None,
        canvas=Canvas.from_tokens(tokens, tokens == MASK, MASK),
        settings=SamplerSettings(commit="most_confident", max_steps=3, edit_threshold=None),
        special=SPECIAL,
        seeds=torch.tensor([seed]),
    )
    assert [step.tokens[0].tolist() for step in steps] == llada(denoiser, start, 3)
