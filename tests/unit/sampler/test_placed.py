"""Leaving positions out of a pass changes nothing that anybody sees."""

from dataclasses import fields, replace
from typing import Any

import pytest
import torch

from redraft.denoiser import FakeDenoiser, ScoresSome
from redraft.sampler import Canvas, SamplerSettings, SpecialIds, Step, sample
from redraft.sampler.placed import Selection
from redraft.types import Logits

VOCAB, MASK, END = 9, 8, 7
SPECIAL = SpecialIds(mask=MASK, end_of_text=END, null=None)


class SomeDenoiser:
    """Scores what it is asked for, and counts it."""

    def __init__(self, whole: FakeDenoiser) -> None:
        self.whole = whole
        self.num_scored = 0

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
        assert sketch is None
        logits = self.whole.denoise(canvas, cache, self_conditioning=self_conditioning).clone()
        if places is not None:
            assert places.shape[1] % 8 == 0
            logits = logits.gather(1, places[..., None].expand(-1, -1, VOCAB))
        self.num_scored += logits.shape[0] * logits.shape[1]
        return logits


def draw(denoiser: Any, settings: SamplerSettings, canvas: Canvas) -> list[Step]:
    seeds = torch.arange(canvas.batch) + 3
    context = denoiser.encode(torch.arange(canvas.batch)[:, None] % VOCAB)
    options: dict[str, Any] = {"context": context, "canvas": canvas, "settings": settings, "special": SPECIAL}
    return list(sample(denoiser, seeds=seeds, **options))


PLAIN = SamplerSettings(canvas_length=24, max_new_tokens=24, edit_threshold=None, verify_passes=0, max_steps=30)
SETTINGS = [
    PLAIN,
    replace(PLAIN, threshold=0.5, temperature=1.0, top_p=0.9),
    replace(PLAIN, commit="most_confident", num_steps=9, temperature=0.7),
    replace(PLAIN, commit="margin", margin_threshold=0.3),
    replace(PLAIN, commit="entropy_bound", entropy_bound=1.0, guidance_scale=0.5),
    replace(PLAIN, commit="left_to_right", block_length=8, num_steps=12),
    replace(PLAIN, lookahead=6, answer_slots=2, edit_threshold=0.4, verify_passes=2),
    replace(PLAIN, edit_threshold=0.4, verify_passes=3, revise="settled"),
    replace(PLAIN, edit_threshold=0.4, verify_passes=2, revise="always", max_revisions=1),
    replace(PLAIN, remask_threshold=0.2, verify_passes=2, revise="settled"),
    replace(PLAIN, stop="stable"),
]


@pytest.mark.slow
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("has_gaps", [False, True])
def test_every_step_is_the_same(settings: SamplerSettings, has_gaps: bool) -> None:
    whole = FakeDenoiser.tangled(vocab_size=VOCAB, length=24, seed=4, scale=3)
    some = SomeDenoiser(whole)
    assert isinstance(some, ScoresSome)
    canvas = Canvas.blank(3, 24, MASK)
    if has_gaps:
        tokens = torch.randint(0, 6, (3, 24), generator=torch.Generator().manual_seed(1))
        tokens[:, 5:15] = MASK
        is_editable = torch.ones(3, 24, dtype=torch.bool)
        is_editable[:, 20:] = False
        canvas = Canvas.from_tokens(tokens, is_editable, MASK)
    expected, found = draw(whole, settings, canvas), draw(some, settings, canvas)
    assert len(expected) == len(found)
    was_open = canvas.is_open
    for one, other in zip(expected, found, strict=True):
        # What a revision lets go behind an end of text was in nobody's interest before: nothing is known of it yet.
        is_known = one.is_settled | was_open
        was_open = ~one.is_settled
        for field in fields(Step):
            left, right = getattr(one, field.name), getattr(other, field.name)
            if field.name in ("confidence", "proposed"):
                left, right = left[is_known], right[is_known]
            assert torch.equal(left, right) if isinstance(left, torch.Tensor) else left == right, field.name


def test_settled_positions_are_not_scored() -> None:
    some = SomeDenoiser(FakeDenoiser.tangled(vocab_size=VOCAB, length=24, seed=4))
    settings = replace(PLAIN, commit="left_to_right", num_steps=24, fill_after_end=False)
    draw(some, settings, Canvas.blank(1, 24, MASK))
    # 24 passes: 8 over all positions, 8 over 16 of them and 8 over 8.
    assert some.num_scored == 8 * (24 + 16 + 8)


def test_revision_waits_for_the_last_open_position() -> None:
    whole = FakeDenoiser.tangled(vocab_size=VOCAB, length=16, seed=11, scale=2)
    settings = replace(PLAIN, canvas_length=16, commit="left_to_right", num_steps=8, edit_threshold=0.3)
    settings = replace(settings, verify_passes=4, fill_after_end=False)
    canvas = Canvas.blank(2, 16, MASK)
    always, late = (draw(whole, replace(settings, revise=when), canvas) for when in ("always", "settled"))
    was_open = [torch.ones(2, dtype=torch.bool), *((~step.is_settled).any(dim=1) for step in late[:-1])]
    assert any(bool(step.revised.any()) for step in late)
    assert not any(bool((step.revised.any(dim=1) & open).any()) for step, open in zip(late, was_open, strict=True))
    assert any(bool(step.revised.any()) for step in always[:7])


def test_a_selection_takes_what_is_wanted_first() -> None:
    is_wanted = torch.zeros(2, 24, dtype=torch.bool)
    is_wanted[0, [3, 20]] = True
    is_wanted[1, 5:14] = True
    selection = Selection.of(is_wanted)
    assert selection is not None
    assert selection.count == 16
    assert selection.places[0, :2].tolist() == [3, 20]
    assert selection.places[1, :9].tolist() == list(range(5, 14))
    assert all(len(set(row)) == 16 for row in selection.places.tolist())
    assert Selection.of(torch.ones(1, 24, dtype=torch.bool)) is None
    assert Selection.of(torch.ones(1, 7, dtype=torch.bool)) is None
