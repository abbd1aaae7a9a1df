"""DiffusionGemma through our two calls and our loop, against transformers' own class and its own ``generate``.

How the draws are made equal: ``generate`` draws from torch's generator, at two places only. A new canvas and the fresh
noise come from ``EntropyBoundSampler.initialize_canvas``, tokens from ``torch.multinomial``. Both are replaced, in
transformers, while ``generate`` runs: they give what our counter gives for the same row, canvas, pass and position. The
token is read off the running sum of the probabilities that ``generate`` computed, by ``torch.searchsorted``. Everything
else of ``generate`` runs as published: temperatures, entropies, acceptance, stop, self-conditioning, cache, ends.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.parity.families.tiny_diffusion_gemma import (
    CANVAS,
    ENDS,
    PAD,
    VOCAB,
    WINDOW,
    assert_close,
    published_logits,
    tokens_of,
    write_tiny,
)
from transformers import DiffusionGemmaForBlockDiffusion
from transformers.models.diffusion_gemma import generation_diffusion_gemma as published

from redraft.denoiser.families import diffusion_gemma as adapter
from redraft.denoiser.families.diffusion_gemma import DiffusionGemmaDenoiser
from redraft.denoiser.families.diffusion_gemma_checkpoint import (
    load_diffusion_gemma,
    read_diffusion_gemma_rules,
)
from redraft.denoiser.protocol import Cache, Denoiser
from redraft.sampler import Canvas, SamplerSettings, SpecialIds, Step, sample
from redraft.sampler.random import Stream, uniforms

SPECIAL = SpecialIds(mask=None, end_of_text=ENDS[0], null=None, other_ends=ENDS[1:])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published") / "tiny"
    write_tiny(folder)
    return folder


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    model = DiffusionGemmaForBlockDiffusion.from_pretrained(folder, local_files_only=True)
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def ours(folder: Path) -> DiffusionGemmaDenoiser:
    return load_diffusion_gemma(folder)


@pytest.fixture(scope="module")
def settings(folder: Path) -> SamplerSettings:
    return SamplerSettings(**read_diffusion_gemma_rules(folder).sampler_settings())


def probs_of(seed: int, *shape: int) -> torch.Tensor:
    return (3 * torch.randn(*shape, VOCAB, generator=torch.Generator().manual_seed(seed))).softmax(dim=-1)


# Logits


@pytest.mark.parametrize("length", [1, WINDOW - 1, WINDOW, 19])
@pytest.mark.parametrize("is_conditioned", [False, True])
def test_logits_are_those_of_the_class(
    theirs: Any, ours: DiffusionGemmaDenoiser, length: int, is_conditioned: bool
) -> None:
    prompt, canvas = tokens_of(length, 3, length), tokens_of(100 + length, 3, CANVAS)
    last = probs_of(length, 3, CANVAS) if is_conditioned else None
    expected = published_logits(theirs, prompt, canvas, last)
    assert float(expected.std()) > 1.0, "random, but not flat"
    assert_close(ours.denoise(canvas, ours.encode(prompt), self_conditioning=last), expected)


@pytest.mark.parametrize("cuts", [[4], [1, 2, 9], [6, 12, 18]])
def test_a_context_in_segments_is_the_same_context(theirs: Any, ours: DiffusionGemmaDenoiser, cuts: list[int]) -> None:
    prompt, canvas = tokens_of(1, 2, 19), tokens_of(2, 2, CANVAS)
    cache = None
    for segment in torch.tensor_split(prompt, cuts, dim=1):
        cache = ours.encode(segment, cache)
    assert cache is not None
    assert cache.length == 19
    assert_close(ours.denoise(canvas, cache), published_logits(theirs, prompt, canvas))


def test_long_segments_are_read_in_pieces(
    theirs: Any, ours: DiffusionGemmaDenoiser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "_CHUNK", 4)
    prompt, canvas = tokens_of(3, 2, 19), tokens_of(4, 2, CANVAS)
    assert_close(ours.denoise(canvas, ours.encode(prompt)), published_logits(theirs, prompt, canvas))


def test_padding_as_the_class_takes_it(theirs: Any, ours: DiffusionGemmaDenoiser) -> None:
    prompt, canvas, last = tokens_of(5, 3, 11), tokens_of(6, 3, CANVAS), probs_of(6, 3, CANVAS)
    mask = torch.ones_like(prompt, dtype=torch.bool)
    mask[0, :3] = mask[2, :9] = False
    scores = ours.denoise(canvas, ours.encode(prompt, is_valid=mask), self_conditioning=last)
    assert_close(scores, published_logits(theirs, prompt, canvas, last, mask))


def test_rows_of_any_length_score_as_they_do_alone(theirs: Any, ours: DiffusionGemmaDenoiser) -> None:
    """Two segments with padding on either side and in between, longer than the window."""
    first, second, canvas = tokens_of(7, 3, 9), tokens_of(8, 3, 7), tokens_of(9, 3, CANVAS)
    is_first, is_second = torch.ones_like(first, dtype=torch.bool), torch.ones_like(second, dtype=torch.bool)
    is_first[0, :8] = is_first[1, 5:] = False
    is_second[0, 3:] = is_second[2, ::2] = False
    cache = ours.encode(second, ours.encode(first, is_valid=is_first), is_valid=is_second)
    together = ours.denoise(canvas, cache)
    for row in range(3):
        prompt = torch.cat([first[row][is_first[row]], second[row][is_second[row]]])[None]
        expected = published_logits(theirs, prompt, canvas[row : row + 1])
        assert_close(together[row : row + 1], expected)
        alone = cache.select(torch.tensor([row]))
        assert alone.length == prompt.shape[1], "no wider than needed"
        assert_close(ours.denoise(canvas[row : row + 1], alone), expected)


def test_a_context_is_never_changed(ours: DiffusionGemmaDenoiser) -> None:
    canvas, cache = tokens_of(10, 1, CANVAS), ours.encode(tokens_of(11, 1, 9))
    before = ours.denoise(canvas, cache)
    ours.encode(tokens_of(12, 1, 5), cache)
    assert torch.equal(ours.denoise(canvas, cache), before)


def test_a_canvas_without_context_is_scored_too(ours: DiffusionGemmaDenoiser) -> None:
    canvas = tokens_of(13, 2, CANVAS)
    bare = ours.denoise(canvas)
    assert bare.shape == (2, CANVAS, VOCAB)
    assert torch.equal(bare, ours.denoise(canvas, ours.encode(canvas[:, :0])))
    assert isinstance(ours, Denoiser)
    assert isinstance(ours.encode(canvas), Cache)


# Sampling, token for token


@dataclass
class Counter:
    """Stands in for torch's generator while ``generate`` runs: knows which canvas and which pass it is at."""

    seeds: list[int]
    block: int = -1
    step: int = -1
    has_drawn: bool = False
    passes: list[int] = field(default_factory=list[int])

    def draws(self, stream: Stream, step: int) -> torch.Tensor:
        return uniforms(self.seeds, block=self.block, step=step, stream=stream, length=CANVAS)

    def noise(self) -> torch.Tensor:
        """Give a whole canvas: fresh noise right after tokens were drawn, else the start of the next canvas."""
        if not self.has_drawn:
            self.block, self.step = self.block + 1, -1
            self.passes.append(0)
        self.has_drawn = False
        return (self.draws(Stream.NOISE, self.step) * VOCAB).long()

    def tokens(self, probs: torch.Tensor) -> torch.Tensor:
        """Give a token per position, by the inverse of the cumulative distribution."""
        assert not self.has_drawn, "each pass draws tokens once, then noise once"
        self.has_drawn, self.step = True, self.step + 1
        self.passes[-1] += 1
        upto = probs.double().cumsum(dim=-1)
        targets = self.draws(Stream.TOKEN, self.step).reshape(-1, 1) * upto[:, -1:]
        return torch.searchsorted(upto, targets, right=True)


@contextmanager
def same_draws(counter: Counter) -> Iterator[None]:
    """Let transformers draw from our counter."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            published.EntropyBoundSampler, "initialize_canvas", lambda self, batch_size, device: counter.noise()
        )
        patch.setattr(torch, "multinomial", lambda probs, num_samples: counter.tokens(probs))
        # A mark for CUDA graphs; on a CPU all it does is to import the compiler, which warns.
        patch.setattr(torch.compiler, "cudagraph_mark_step_begin", lambda: None)
        yield


@dataclass
class Published:
    """What ``generate`` did."""

    tokens: list[list[int]]
    passes: list[int]
    canvases: list[torch.Tensor]


def generate(
    theirs: Any, prompt: torch.Tensor, seeds: list[int], max_new_tokens: int, mask: torch.Tensor | None = None
) -> Published:
    """Run transformers' own ``generate`` and note every canvas that its decoder was shown."""
    counter, canvases = Counter(seeds), []
    hook = theirs.model.decoder.register_forward_pre_hook(
        lambda module, args, kwargs: canvases.append(kwargs["decoder_input_ids"].clone()), with_kwargs=True
    )
    options = {} if mask is None else {"attention_mask": mask}
    with same_draws(counter):
        output = theirs.generate(prompt, max_new_tokens=max_new_tokens, **options)
    hook.remove()
    new = output.sequences[:, prompt.shape[1] :]
    passes = (new != PAD).sum(dim=1) / output.tokens_per_forward
    assert sum(counter.passes) == len(canvases)
    return Published(new.tolist(), [round(float(count)) for count in passes], canvases)


@dataclass
class Redrafted:
    """What our loop did for one row."""

    tokens: list[int]
    passes: int
    canvases: list[torch.Tensor]
    num_passes_of: list[int]


def redraft(
    ours: DiffusionGemmaDenoiser, prompt: torch.Tensor, seed: int, max_new_tokens: int, settings: SamplerSettings
) -> Redrafted:
    """Draw canvas after canvas until one holds an end, as ``generate`` does; what follows the end is padding."""
    result = Redrafted([], 0, [], [])
    cache, seeds = ours.encode(prompt), torch.tensor([seed])
    for block in range(-(-max_new_tokens // CANVAS)):
        canvas = Canvas.noise(seeds, CANVAS, VOCAB, special=SPECIAL, block=block)
        steps = list(
            sample(ours, context=cache, canvas=canvas, settings=settings, special=SPECIAL, seeds=seeds, block=block)
        )
        result.canvases += [canvas.tokens, *(step.tokens for step in steps[:-1])]
        result.passes += steps[-1].nfe[0]
        result.num_passes_of.append(len(steps))
        tokens = steps[-1].tokens[0].tolist()
        end = next((place for place, token in enumerate(tokens) if token in ENDS), None)
        if end is not None:
            assert set(tokens[end + 1 :]) <= {SPECIAL.end_of_text}
            result.tokens += [*tokens[: end + 1], *[PAD] * (CANVAS - end - 1)]
            return result
        result.tokens += tokens
        cache = ours.encode(steps[-1].tokens, cache)
    return result


def prompt_of(seed: int) -> torch.Tensor:
    return tokens_of(20 + seed, 1, 3 + 2 * seed)


@pytest.fixture(scope="module")
def runs(ours: DiffusionGemmaDenoiser, settings: SamplerSettings) -> list[Redrafted]:
    return [redraft(ours, prompt_of(seed), seed, 3 * CANVAS, settings) for seed in range(7)]


@pytest.mark.parametrize("seed", range(7))
def test_the_loop_draws_what_generate_draws(theirs: Any, runs: list[Redrafted], seed: int) -> None:
    """Every canvas of every pass, the text, and the number of passes."""
    expected = generate(theirs, prompt_of(seed), [seed], 3 * CANVAS)
    got = runs[seed]
    assert got.tokens == expected.tokens[0]
    assert got.passes == expected.passes[0] == len(expected.canvases)
    assert all(torch.equal(a, b) for a, b in zip(got.canvases, expected.canvases, strict=True))


def test_these_cases_are_worth_comparing(runs: list[Redrafted]) -> None:
    passes = [count for run in runs for count in run.num_passes_of]
    assert min(passes) < 24, "the adaptive stop is reached"
    assert max(passes) == 48, "so is the last pass"
    assert {len(run.num_passes_of) for run in runs} == {1, 2, 3}, "texts end in any canvas"
    assert {token for run in runs for token in run.tokens if token in ENDS} == set(ENDS), "by any of the ends"
    assert any(not set(run.tokens) & set(ENDS) for run in runs), "or not at all"


def test_other_rules_are_followed_too(theirs: Any, ours: DiffusionGemmaDenoiser, settings: SamplerSettings) -> None:
    prompt = tokens_of(40, 1, 7)
    changes = {"max_denoising_steps": 20, "t_max": 1.1, "t_min": 0.2, "stability_threshold": 3}
    mine = replace(
        settings, max_steps=20, temperature=1.1, final_temperature=0.2, stability_threshold=3, stop_entropy=0.1
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (changes | {"confidence_threshold": 0.1}).items():
            patch.setattr(theirs.generation_config, name, value)
        expected = generate(theirs, prompt, [3], 2 * CANVAS)
    got = redraft(ours, prompt, 3, 2 * CANVAS, mine)
    assert (got.tokens, got.passes) == (expected.tokens[0], expected.passes[0])


def test_a_batch_of_theirs_is_each_of_ours_alone(
    theirs: Any, ours: DiffusionGemmaDenoiser, settings: SamplerSettings
) -> None:
    """Three prompts of different lengths, padded on the left for ``generate``."""
    lengths, seeds = [4, 11, 7], [5, 0, 6]
    prompts = [tokens_of(50 + row, 1, length) for row, length in enumerate(lengths)]
    padded = torch.full((3, max(lengths)), PAD)
    for row, prompt in enumerate(prompts):
        padded[row, max(lengths) - lengths[row] :] = prompt[0]
    expected = generate(theirs, padded, seeds, 2 * CANVAS, padded != PAD)
    for row, prompt in enumerate(prompts):
        got = redraft(ours, prompt, seeds[row], 2 * CANVAS, settings)
        width = len(expected.tokens[row])
        assert (got.tokens + [PAD] * width)[:width] == expected.tokens[row]
        assert got.passes == expected.passes[row]


# What transformers has no counterpart for


def last_of(steps: list[Step], row: int) -> tuple[list[int], int]:
    step = next(step for step in steps if step.is_finished[row])
    return step.tokens[row].tolist(), step.nfe[row]


def test_a_row_is_the_same_in_any_batch(ours: DiffusionGemmaDenoiser, settings: SamplerSettings) -> None:
    seeds = torch.tensor([3, 1, 4])
    prompts = tokens_of(60, 3, 13)
    is_valid = torch.ones_like(prompts, dtype=torch.bool)
    is_valid[1, :6] = is_valid[2, :12] = False
    canvas = Canvas.noise(seeds, CANVAS, VOCAB, special=SPECIAL)
    context = ours.encode(prompts, is_valid=is_valid)
    options: dict[str, Any] = {"settings": settings, "special": SPECIAL}
    together = list(sample(ours, context=context, canvas=canvas, seeds=seeds, **options))
    for row in range(3):
        one = torch.tensor([row])
        alone = list(
            sample(
                ours,
                context=ours.encode(prompts[row : row + 1, is_valid[row]]),
                canvas=Canvas.noise(seeds[one], CANVAS, VOCAB, special=SPECIAL),
                seeds=seeds[one],
                **options,
            )
        )
        assert last_of(together, row) == last_of(alone, 0)
    assert len({last_of(together, row)[1] for row in range(3)}) > 1, "rows leave the batch at different passes"


def test_pinned_text_stays_and_the_gap_is_filled(ours: DiffusionGemmaDenoiser, settings: SamplerSettings) -> None:
    seeds = torch.tensor([7, 8])
    noise = Canvas.noise(seeds, CANVAS, VOCAB, special=SPECIAL)
    text, is_pinned = tokens_of(70, 2, CANVAS), torch.zeros(2, CANVAS, dtype=torch.bool)
    is_pinned[0, [0, 1, 6, 7]] = is_pinned[1, 3] = True
    canvas = replace(
        noise, tokens=torch.where(is_pinned, text, noise.tokens), is_editable=~is_pinned, is_settled=is_pinned
    )
    context = ours.encode(tokens_of(71, 2, 9))
    steps = list(sample(ours, context=context, canvas=canvas, settings=settings, special=SPECIAL, seeds=seeds))
    for step in steps:
        assert torch.equal(step.tokens[is_pinned], text[is_pinned])
    assert bool(steps[-1].is_settled.all())
    gap = steps[-1].tokens[0, 2:6].tolist()
    assert not set(gap) & set(ENDS), "no end of any kind before pinned text"
    one = torch.tensor([0])
    alone = list(
        sample(
            ours,
            context=context.select(one),
            canvas=replace(
                Canvas.noise(seeds[one], CANVAS, VOCAB, special=SPECIAL),
                tokens=canvas.tokens[one],
                is_editable=canvas.is_editable[one],
                is_settled=canvas.is_settled[one],
            ),
            settings=settings,
            special=SPECIAL,
            seeds=seeds[one],
        )
    )
    assert last_of(alone, 0) == last_of(steps, 0)
