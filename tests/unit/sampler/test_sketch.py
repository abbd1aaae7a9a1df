"""What a pass leaves out is sketched: no text changes where the sketch is a good one, and passes are narrow."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from redraft.denoiser import FakeDenoiser, ScoresSome
from redraft.errors import ConfigError
from redraft.sampler import Canvas, SamplerSettings, SpecialIds, Step, sample
from redraft.sampler.sketch import Sketching, sketch_behind
from redraft.types import Logits

VOCAB, MASK, END, LENGTH = 12, 11, 10, 64
SPECIAL = SpecialIds(mask=MASK, end_of_text=END, null=None)
CPU = torch.device("cpu")
PLAIN = SamplerSettings(canvas_length=LENGTH, max_new_tokens=LENGTH, lookahead=6, threshold=0.6, max_steps=60)
NARROW = {"follow_end": True, "first_width": 16, "sketch": 8}


class Seer:
    """Sees the whole canvas behind every sketch, and notes how wide it was asked."""

    def __init__(self, whole: FakeDenoiser) -> None:
        self.whole = whole
        self.widths: list[int] = []
        self.behind: list[torch.Tensor | None] = []

    @property
    def vocab_size(self) -> int:
        return self.whole.vocab_size

    def encode(self, tokens: Any, cache: Any = None, *, is_valid: Any = None) -> Any:
        return self.whole.encode(tokens, cache, is_valid=is_valid)

    def denoise(self, canvas: Any, cache: Any = None, *, self_conditioning: Any = None) -> Logits:
        return self.denoise_some(canvas, None, cache, self_conditioning=self_conditioning)

    def denoise_some(
        self, canvas: Any, places: Any, cache: Any = None, *, self_conditioning: Any = None, sketch: Any = None
    ) -> Any:
        width = canvas.shape[1]
        self.widths.append(width)
        self.behind.append(None if sketch is None else sketch.counts)
        if sketch is not None:
            assert sketch.mask_token_id == MASK
            assert width + int(sketch.counts.sum()) == LENGTH
            behind = torch.full((canvas.shape[0], LENGTH - width), MASK)
            canvas = torch.cat([canvas, behind], dim=1)
        logits = self.whole.denoise(canvas, cache, self_conditioning=self_conditioning)[:, :width].clone()
        return logits if places is None else logits.gather(1, places[..., None].expand(-1, -1, VOCAB))


def draw(denoiser: Any, settings: SamplerSettings, canvas: Canvas | None = None) -> list[Step]:
    canvas = Canvas.blank(3, LENGTH, MASK) if canvas is None else canvas
    context = denoiser.encode(torch.arange(canvas.batch)[:, None])
    options: dict[str, Any] = {"context": context, "canvas": canvas, "settings": settings, "special": SPECIAL}
    return list(sample(denoiser, seeds=torch.arange(canvas.batch) + 3, **options))


def ending_at(length: int) -> FakeDenoiser:
    """Writes ``length`` digits, each surer the more stands to its left, and then ends."""

    def logits_of(canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        logits = torch.zeros(*canvas.shape, VOCAB)
        num_open = (canvas == MASK).long().cumsum(dim=1)
        for place in range(canvas.shape[1]):
            logits[:, place, place % 7 if place < length else END] = (9.0 - num_open[:, place]).clamp_min(1.0)
        return logits

    return FakeDenoiser(vocab_size=VOCAB, logits_of=logits_of)


def endless(seed: int) -> FakeDenoiser:
    """Each token hangs on the others, and none is an end: what follows from a predicted one has tests of its own."""
    tangled = FakeDenoiser.tangled(vocab_size=VOCAB, length=LENGTH, seed=seed, scale=3)

    def logits_of(canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        cache = None if context is None else tangled.encode(context)
        return tangled.denoise(canvas, cache).index_fill(-1, torch.tensor([END]), -1e9)

    return FakeDenoiser(vocab_size=VOCAB, logits_of=logits_of)


@pytest.mark.parametrize(
    "settings",
    [
        PLAIN,
        replace(PLAIN, temperature=1.0, top_p=0.9),
        replace(PLAIN, answer_slots=2, edit_threshold=0.4, verify_passes=2),
        replace(PLAIN, remask_threshold=0.2, revise="settled", verify_passes=2),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_every_step_is_the_same_where_the_sketch_is_perfect(settings: SamplerSettings, seed: int) -> None:
    seer = Seer(endless(seed))
    assert isinstance(seer, ScoresSome)
    expected = draw(seer, settings)
    seer.widths.clear()
    found = draw(seer, replace(settings, **NARROW))
    assert min(seer.widths) < LENGTH
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        for name in ("tokens", "is_settled", "committed", "revised"):
            assert torch.equal(getattr(one, name), getattr(other, name)), name


@pytest.mark.parametrize("length", [0, 5, 20, 45, 62, 64])
def test_passes_take_what_stands_and_a_little_more(length: int) -> None:
    whole, seer = Seer(ending_at(length)), Seer(ending_at(length))
    expected, found = draw(whole, PLAIN)[-1], draw(seer, replace(PLAIN, **NARROW))[-1]
    assert torch.equal(found.tokens, expected.tokens)
    assert seer.widths[0] == 16
    assert sum(seer.widths) < 0.8 * sum(whole.widths)


def test_behind_a_settled_end_nothing_is_seen() -> None:
    seer = Seer(ending_at(5))
    draw(seer, replace(PLAIN, **NARROW), Canvas.blank(1, LENGTH, MASK))
    ended = next(place for place, counts in enumerate(seer.behind) if counts is None)
    assert ended > 0
    assert all(counts is None for counts in seer.behind[ended:])
    assert seer.widths[-1] == 8


def test_pinned_text_is_never_part_of_a_sketch() -> None:
    tokens = torch.full((1, LENGTH), MASK)
    tokens[0, 40:44] = 5
    canvas = Canvas.from_tokens(tokens, tokens == MASK, MASK)
    seer = Seer(FakeDenoiser.tangled(vocab_size=VOCAB, length=LENGTH, seed=2, scale=3))
    draw(seer, replace(PLAIN, **NARROW), canvas)
    assert min(seer.widths) >= 44


def test_where_there_can_be_no_sketch_passes_are_whole() -> None:
    tangled = FakeDenoiser.tangled(vocab_size=VOCAB, length=LENGTH, seed=2, scale=3)
    for one, other in zip(draw(tangled, replace(PLAIN, **NARROW)), draw(tangled, PLAIN), strict=True):
        assert torch.equal(one.tokens, other.tokens)
    for lacking in ({"lookahead": None}, {"first_width": None}):
        seer = Seer(ending_at(20))
        draw(seer, replace(PLAIN, **(NARROW | lacking)))
        assert seer.widths[0] == LENGTH
        assert all(counts is None for counts in seer.behind)


@pytest.mark.parametrize(("width", "length", "size"), [(8, 64, 8), (40, 136, 16), (16, 31, 8), (56, 60, 8), (0, 7, 3)])
def test_stretches_cover_what_is_behind(width: int, length: int, size: int) -> None:
    sketch = sketch_behind(width, length, size, MASK, CPU)
    assert len(sketch.places) == min(size, length - width)
    assert int(sketch.counts.sum()) == length - width
    assert int(sketch.counts.max() - sketch.counts.min()) <= 1
    edges = width + torch.cat([torch.zeros(1), sketch.counts.cumsum(0)])
    assert bool(((edges[:-1] <= sketch.places) & (sketch.places < edges[1:])).all())


def test_widths_by_hand() -> None:
    sketching = Sketching(size=8, lookahead=4, margin=10)
    tokens = torch.full((4, LENGTH), MASK)
    tokens[1, :5] = 1
    tokens[2, 30] = 1
    tokens[3, :40] = 1
    canvas = Canvas.from_tokens(tokens, torch.ones_like(tokens, dtype=torch.bool), MASK)
    # 4 + 10; 5 + 4 + 10; the one that stands at 31; 40 + 4 + 10 to 56, where 8 positions are left.
    assert sketching.widths(canvas).tolist() == [16, 24, 32, 64]


def test_sizes_that_are_no_multiple_of_8_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"sketch=12 is no multiple of 8"):
        replace(PLAIN, sketch=12)
    with pytest.raises(ConfigError, match="sketch=0"):
        replace(PLAIN, sketch=0)
