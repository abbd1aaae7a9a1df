"""Our loop against Fast-dLLM's threshold decoding, written anew from the paper (arXiv 2505.22618, section 3.3).

At each step every masked position whose likeliest token has at least the threshold's probability is decoded, and the
surest one in any case, until nothing is masked.
"""

import math

import pytest
import torch

from redraft.denoiser import FakeDenoiser
from redraft.sampler import Canvas, SamplerSettings, SpecialIds, sample

VOCAB, MASK, END, LENGTH = 11, 0, 10, 16
SPECIAL = SpecialIds(mask=MASK, end_of_text=END, null=None, forbidden=(END,))


def fast_dllm(denoiser: FakeDenoiser, threshold: float) -> list[list[int]]:
    tokens = [MASK] * LENGTH
    states = []
    while MASK in tokens:
        logits = denoiser.denoise(torch.tensor([tokens]))[0].tolist()
        best, sureness = {}, {}
        for place in range(LENGTH):
            if tokens[place] != MASK:
                continue
            weights = [0.0 if id in (MASK, END) else math.exp(score) for id, score in enumerate(logits[place])]
            best[place] = weights.index(max(weights))
            sureness[place] = max(weights) / sum(weights)
        chosen = {place for place in sureness if sureness[place] >= threshold}
        chosen.add(max(sureness, key=lambda place: sureness[place]))
        tokens = [best[place] if place in chosen else token for place, token in enumerate(tokens)]
        states.append(tokens)
    return states


@pytest.mark.parametrize("threshold", [0.5, 0.9, 1.0])
@pytest.mark.parametrize("seed", range(6))
def test_each_pass_is_the_same(seed: int, threshold: float) -> None:
    denoiser = FakeDenoiser.tangled(vocab_size=VOCAB, length=LENGTH, seed=seed, scale=2)
    steps = sample(
        denoiser,
        context=None,
        canvas=Canvas.blank(1, LENGTH, MASK),
        settings=SamplerSettings(commit="above_threshold", threshold=threshold, edit_threshold=None),
        special=SPECIAL,
        seeds=torch.tensor([seed]),
    )
    ours = [step.tokens[0].tolist() for step in steps]
    assert ours == fast_dllm(denoiser, threshold)
    if threshold == 0.5:
        assert len(ours) < LENGTH, "several positions settle in one pass, or this tests little"
