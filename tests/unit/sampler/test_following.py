"""The canvas follows the predicted end: narrower where the end is in sight, whole again where it is not."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from redraft.denoiser import FakeDenoiser
from redraft.sampler import Canvas, SamplerSettings, SpecialIds, Step, sample

VOCAB, MASK, END, LENGTH = 10, 9, 8, 40
SPECIAL = SpecialIds(mask=MASK, end_of_text=END, null=None)
WHOLE = SamplerSettings(canvas_length=LENGTH, max_new_tokens=LENGTH, verify_passes=1, max_steps=40)
FOLLOWING = replace(WHOLE, follow_end=True)


class Watched:
    """Writes ``length`` digits, then ends; as sure of itself as told, and keeps the widths that it was asked about."""

    def __init__(self, length: int | Callable[[torch.Tensor], int], sure: float = 20.0, doubt: float = 20.0) -> None:
        self.length, self.sure, self.doubt = length, sure, doubt
        self.widths: list[int] = []

    def __call__(self, canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        self.widths.append(canvas.shape[1])
        length = self.length if isinstance(self.length, int) else self.length(canvas)
        logits = torch.zeros(*canvas.shape, VOCAB)
        for place in range(canvas.shape[1]):
            token = place % 7 if place < length else END
            logits[:, place, token] = self.sure if place < length else self.doubt
        return logits


def run(watched: Watched, settings: SamplerSettings, canvas: Canvas | None = None) -> list[Step]:
    denoiser = FakeDenoiser(vocab_size=VOCAB, logits_of=watched)
    canvas = Canvas.blank(1, LENGTH, MASK) if canvas is None else canvas
    seeds = torch.arange(canvas.batch)
    return list(sample(denoiser, context=None, canvas=canvas, settings=settings, special=SPECIAL, seeds=seeds))


@pytest.mark.parametrize("length", [0, 3, 7, 8, 15, 16, 31, 38, 39, 40])
@pytest.mark.parametrize("first_width", [None, 8, 12, 40])
def test_the_text_is_the_same_where_the_model_is_certain(length: int, first_width: int | None) -> None:
    settings = replace(FOLLOWING, first_width=first_width)
    whole, found = run(Watched(length), WHOLE)[-1], run(Watched(length), settings)[-1]
    assert torch.equal(found.tokens, whole.tokens)
    assert bool(found.is_settled.all())


def test_the_next_pass_is_narrower_before_the_end_has_settled() -> None:
    # 0.24 for the end at each position: below the threshold, so that only one of them settles in a pass.
    doubtful = Watched(11, sure=1.0, doubt=1.0)
    run(doubtful, FOLLOWING)
    assert doubtful.widths[:2] == [40, 16]
    assert max(doubtful.widths[1:-1]) == 16
    whole = Watched(11, sure=1.0, doubt=1.0)
    run(whole, WHOLE)
    assert sum(doubtful.widths) < sum(whole.widths)


def test_a_short_first_pass_grows_where_no_end_is_in_sight() -> None:
    watched = Watched(30)
    steps = run(watched, replace(FOLLOWING, first_width=8))
    assert watched.widths[:2] == [8, 40]
    assert steps[-1].tokens[0, :31].tolist() == [place % 7 for place in range(30)] + [END]


def test_an_end_that_does_not_come_is_waited_for_on_the_whole_canvas() -> None:
    # It predicts an end at 10 until something stands at 9, then at 35.
    watched = Watched(lambda canvas: 35 if int(canvas[0, 9]) != MASK else 10, sure=20.0, doubt=1.0)
    steps = run(watched, FOLLOWING)
    assert watched.widths[0] == 40
    assert 40 in watched.widths[1:]
    assert steps[-1].tokens[0, :36].tolist() == [place % 7 for place in range(35)] + [END]


def test_nothing_is_left_open_by_the_last_pass() -> None:
    for max_steps in (1, 2, 3, 5):
        watched = Watched(11, sure=1.0, doubt=1.0)
        last = run(watched, replace(FOLLOWING, max_steps=max_steps, first_width=8))[-1]
        assert bool(last.is_settled.all())
        assert MASK not in last.tokens[0].tolist()
        assert last.is_last


def test_pinned_text_is_always_on_the_canvas() -> None:
    tokens = torch.full((1, LENGTH), MASK)
    tokens[0, 25:30] = 5
    is_editable = torch.ones(1, LENGTH, dtype=torch.bool)
    is_editable[0, 25:30] = False
    watched = Watched(3)
    run(watched, replace(FOLLOWING, first_width=8), Canvas.from_tokens(tokens, is_editable, MASK))
    assert min(watched.widths) >= 30


def test_rows_follow_their_own_ends() -> None:
    tangled = FakeDenoiser.tangled(vocab_size=VOCAB, length=LENGTH, seed=5, scale=2)
    settings = replace(FOLLOWING, threshold=0.5, first_width=16)
    options: dict[str, Any] = {"settings": settings, "special": SPECIAL}
    context = torch.tensor([[1], [4], [6]])
    blank = Canvas.blank(3, LENGTH, MASK)
    together = list(sample(tangled, context=tangled.encode(context), canvas=blank, seeds=torch.arange(3), **options))
    for row in range(3):
        canvas, cache = Canvas.blank(1, LENGTH, MASK), tangled.encode(context[row : row + 1])
        *_, alone = sample(tangled, context=cache, canvas=canvas, seeds=torch.tensor([row]), **options)
        assert torch.equal(alone.tokens[0], together[-1].tokens[row])
