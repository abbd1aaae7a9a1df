"""Published sampling procedures, written anew and plainly from what is published, on a whole text of one row.

Each takes a model, which scores every position of a whole text, and gives the canvas after every forward pass that
scores it. Nothing is cached, and nothing is shared with the package.

A model's score of its own mask is put at the least here, which is where training puts it: the published procedures
leave the mask in the softmax, ours never proposes it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from tests.parity.families.references import reference_of
from tests.parity.families.tiny import config_of, tokenizer_config_of, weights_of
from torch import Tensor

Model = Callable[[Sequence[int]], Tensor]
"""Scores of every position of a text."""

States = list[list[int]]
"""What follows the prompt, after each pass."""


@dataclass(frozen=True)
class Spoken:
    """A model and the ids that a procedure has to know."""

    model: Model
    mask: int
    ends: tuple[int, ...] = ()


def spoken_by(family: str, block_length: int | None, ends: tuple[int, ...] = ()) -> Spoken:
    """Make the independent model of a tiny checkpoint: full sight, or block-causal from the first token."""
    config = config_of(family)
    reference = reference_of(family, config, weights_of(family, config))
    added = tokenizer_config_of(family)["added_tokens_decoder"]
    name = tokenizer_config_of(family)["mask_token"]
    mask = next(int(token) for token, entry in added.items() if entry["content"] == name)

    def model(text: Sequence[int]) -> Tensor:
        places = torch.arange(len(text))
        block = places // (block_length or len(text))
        sight = block[:, None] >= block[None, :]
        logits = reference(torch.tensor([list(text)]), places[None], sight[None])[0].clone()
        logits[:, mask] = -1e30
        return logits

    return Spoken(model=model, mask=mask, ends=ends)


def _shifted(logits: Tensor) -> Tensor:
    """Score each position by the output to its left, the first by its own."""
    return torch.cat([logits[:1], logits[:-1]])


def _surest(sureness: dict[int, float], count: int) -> set[int]:
    return set(sorted(sureness, key=lambda place: (-sureness[place], place))[:count])


def low_confidence(spoken: Spoken, prompt: list[int], *, length: int, block_length: int, num_steps: int) -> States:
    """LLaDA (arXiv 2502.09992, section 2.4 and appendix B.4): blocks from the left, as many masks a step as planned."""
    text, states = prompt + [spoken.mask] * length, States()
    num_blocks = length // block_length
    steps = num_steps // num_blocks
    for block in range(num_blocks):
        end = len(prompt) + (block + 1) * block_length
        plan = [block_length // steps + (step < block_length % steps) for step in range(steps)]
        for count in plan:
            probs = spoken.model(text).double().softmax(dim=-1)
            sureness = {place: float(probs[place].max()) for place in range(end) if text[place] == spoken.mask}
            for place in _surest(sureness, count):
                text[place] = int(probs[place].argmax())
            states.append(text[len(prompt) :])
    return states


def confident_enough(spoken: Spoken, prompt: list[int], *, length: int, block_length: int, threshold: float) -> States:
    """Fast-dLLM (arXiv 2505.22618, algorithm 1) without its caches: what is sure enough, and the surest in any case."""
    text, states = prompt + [spoken.mask] * length, States()
    for end in range(len(prompt) + block_length, len(text) + 1, block_length):
        while spoken.mask in text[:end]:
            probs = spoken.model(text).double().softmax(dim=-1)
            sureness = {place: float(probs[place].max()) for place in range(end) if text[place] == spoken.mask}
            chosen = {place for place, prob in sureness.items() if prob >= threshold} | _surest(sureness, 1)
            for place in chosen:
                text[place] = int(probs[place].argmax())
            states.append(text[len(prompt) :])
    return states


def dream(spoken: Spoken, prompt: list[int], *, length: int, num_steps: int, rule: str, eps: float = 1e-3) -> States:
    """Dream (arXiv 2508.15487): shifted scores, a falling time, and entropy, margin or confidence to choose by."""
    text, states = prompt + [spoken.mask] * length, States()
    times = torch.linspace(1, eps, num_steps + 1)
    for step in range(num_steps):
        probs = _shifted(spoken.model(text)).softmax(dim=-1)
        open_places = [place for place, token in enumerate(text) if token == spoken.mask]
        sureness = {}
        for place in open_places:
            first, second = probs[place].topk(2).values
            entropy = -(probs[place] * torch.log(probs[place] + 1e-10)).sum()
            sureness[place] = float({"entropy": -entropy, "margin": first - second, "confidence": first}[rule])
        share = 1 - times[step + 1] / times[step]
        count = int(torch.tensor(len(open_places)) * share) if step < num_steps - 1 else len(open_places)
        for place in _surest(sureness, count):
            text[place] = int(probs[place].argmax())
        states.append(text[len(prompt) :])
    return states


def sdar(
    spoken: Spoken, prompt: list[int], *, length: int, block_length: int, threshold: float, num_steps: int
) -> States:
    """SDAR (arXiv 2510.06303), low_confidence_dynamic, greedy: a block at a time, at least its plan's count a pass."""
    text, states = list(prompt), States()
    total = -(-(len(prompt) + length) // block_length) * block_length
    for end in range(len(prompt) // block_length * block_length + block_length, total + 1, block_length):
        text += [spoken.mask] * (end - len(text))
        step = 0
        while spoken.mask in text:
            probs = spoken.model(text).softmax(dim=-1)
            sureness = {place: float(probs[place].max()) for place, token in enumerate(text) if token == spoken.mask}
            least = block_length // num_steps + (step < block_length % num_steps)
            sure = {place for place, prob in sureness.items() if prob > threshold}
            for place in sure if len(sure) >= least else _surest(sureness, least):
                text[place] = int(probs[place].argmax())
            step += 1
            states.append(text[len(prompt) :])
        if set(spoken.ends) & set(text[len(prompt) :]):
            break
    return states


def llada2(
    spoken: Spoken,
    prompt: list[int],
    *,
    length: int,
    block_length: int,
    threshold: float,
    edit_threshold: float,
    post_steps: int,
) -> States:
    """LLaDA2.1 (arXiv 2602.08676): masks that are sure enough settle; settled tokens give way to surer ones."""
    text, states = list(prompt), States()
    total = -(-(len(prompt) + length) // block_length) * block_length
    for end in range(len(prompt) // block_length * block_length + block_length, total + 1, block_length):
        text += [spoken.mask] * (end - len(text))
        num_post = 0
        while True:
            is_full = spoken.mask not in text
            num_post += is_full
            if num_post > post_steps:
                break
            probs = spoken.model(text).softmax(dim=-1)
            before, is_edited = list(text), False
            sureness = {place: float(probs[place].max()) for place, token in enumerate(text) if token == spoken.mask}
            sure = {place for place, prob in sureness.items() if prob > threshold} or _surest(sureness, 1)
            for place in range(max(len(prompt), end - block_length), end):
                best = int(probs[place].argmax())
                if place in sure:
                    text[place] = best
                elif before[place] not in (spoken.mask, best) and float(probs[place].max()) > edit_threshold:
                    text[place], is_edited = best, True
            states.append(text[len(prompt) :])
            if is_full and not is_edited:
                break
        if set(spoken.ends) & set(text[len(prompt) :]):
            break
    return states


def fast_dllm_v2(
    spoken: Spoken, prompt: list[int], *, num_blocks: int, block_length: int, sub_length: int, threshold: float
) -> States:
    """Fast-dLLM v2 (arXiv 2509.26328, section 3.3), no block cache: sub-blocks from the left inside each block.

    A block behind whole blocks begins with the best token of the last one's own output, before any pass.
    """
    text, states = list(prompt), States()
    for _ in range(num_blocks):
        if len(text) % block_length == 0:
            text.append(int(spoken.model(text)[-1].argmax()))
        start = len(text) // block_length * block_length
        text += [spoken.mask] * (start + block_length - len(text))
        for end in range(start + sub_length, start + block_length + 1, sub_length):
            while spoken.mask in text[end - sub_length : end]:
                logits = spoken.model(text)
                # The first of a block has its own output, and never needs it: it is never masked.
                probs = torch.cat([logits[:start], _shifted(logits[start:])]).softmax(dim=-1)
                part = range(end - sub_length, end)
                sureness = {place: float(probs[place].max()) for place in part if text[place] == spoken.mask}
                for place in {place for place, prob in sureness.items() if prob > threshold} | _surest(sureness, 1):
                    text[place] = int(probs[place].argmax())
                states.append(text[len(prompt) :])
        if set(spoken.ends) & set(text[len(prompt) :]):
            break
    return states
