"""The loop on small denoisers whose every word is written down here."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch

from redraft.denoiser import FakeCache, FakeDenoiser
from redraft.errors import ConfigError
from redraft.sampler import Canvas, SamplerSettings, SpecialIds, Step, sample

MASK, END, VOCAB = 9, 8, 10
SPECIAL = SpecialIds(mask=MASK, end_of_text=END, null=None)
SETTINGS = SamplerSettings(threshold=0.9, edit_threshold=0.9, verify_passes=1, max_steps=20)

Says = Callable[[list[int], int], list[tuple[int, float]]]
"""From the canvas of one row and the number of the call: token and probability at each position."""


def scripted(says: Says) -> FakeDenoiser:
    """Make a denoiser that gives each position one token with a probability, and shares the rest evenly."""
    calls = [0]

    def logits_of(canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        probs = torch.zeros(*canvas.shape, VOCAB)
        for row, tokens in enumerate(canvas.tolist()):
            for place, (token, prob) in enumerate(says(tokens, calls[0])[: len(tokens)]):
                probs[row, place] = (1 - prob) / (VOCAB - 2)
                probs[row, place, token] = prob
                probs[row, place, MASK] = 0.0
        calls[0] += 1
        return probs.log()

    return FakeDenoiser(vocab_size=VOCAB, logits_of=logits_of)


def run(denoiser: Any, canvas: Canvas, settings: SamplerSettings = SETTINGS, **options: Any) -> list[Step]:
    seeds = torch.arange(canvas.batch)
    options = {"context": None, "special": SPECIAL, "seeds": seeds} | options
    return list(sample(denoiser, canvas=canvas, settings=settings, **options))


def history(steps: list[Step]) -> list[list[int]]:
    return [step.tokens[0].tolist() for step in steps]


def given(tokens: list[int], pinned: str = "") -> Canvas:
    """Make a canvas with text on it; ``!`` marks a pinned position."""
    is_editable = [place >= len(pinned) or pinned[place] != "!" for place in range(len(tokens))]
    return Canvas.from_tokens(torch.tensor([tokens]), torch.tensor([is_editable]), MASK)


def test_sure_positions_settle_together_and_a_last_pass_verifies() -> None:
    steps = run(scripted(lambda tokens, call: [(1, 0.95), (2, 0.5), (3, 0.99)]), Canvas.blank(1, 3, MASK))
    assert history(steps) == [[1, MASK, 3], [1, 2, 3], [1, 2, 3]]
    assert [step.committed[0].tolist() for step in steps] == [[True, False, True], [False, True, False], [False] * 3]
    assert [step.nfe for step in steps] == [(1,), (2,), (3,)]
    assert [step.is_last for step in steps] == [False, False, True]
    assert steps[0].proposed[0].tolist() == [1, 2, 3]
    assert steps[0].confidence[0].tolist() == pytest.approx([0.95, 0.5, 0.99])


def test_without_rules_to_revise_there_is_nothing_to_verify() -> None:
    says = scripted(lambda tokens, call: [(1, 0.95), (2, 0.95)])
    assert len(run(says, Canvas.blank(1, 2, MASK), replace(SETTINGS, edit_threshold=None))) == 1


def test_sure_tokens_end_the_canvas_unless_the_pass_revised_or_did_not_look() -> None:
    def says(tokens: list[int], call: int) -> list[tuple[int, float]]:
        return [(1, 0.95), (2, 0.95 if call else 0.5)]

    settings = replace(SETTINGS, least_commits=1, sure_threshold=0.9)
    assert len(run(scripted(says), Canvas.blank(1, 2, MASK), settings)) == 2
    for without in ({"sure_threshold": None}, {"sure_threshold": 0.96}, {"revise": "settled"}):
        assert len(run(scripted(says), Canvas.blank(1, 2, MASK), replace(settings, **without))) == 3

    def changes_its_mind(tokens: list[int], call: int) -> list[tuple[int, float]]:
        return [(5 if call else 1, 0.95), (2, 0.95 if call else 0.5)]

    steps = run(scripted(changes_its_mind), Canvas.blank(1, 2, MASK), settings)
    assert history(steps) == [[1, MASK], [5, 2], [5, 2]], "what was revised is looked at again"


def test_a_settled_token_is_edited_only_in_a_later_pass() -> None:
    def says(tokens: list[int], call: int) -> list[tuple[int, float]]:
        return [(1, 0.95), (2, 0.95)] if tokens[0] == MASK else [(5, 0.97), (2, 0.95)]

    steps = run(scripted(says), Canvas.blank(1, 2, MASK), replace(SETTINGS, verify_passes=3))
    assert history(steps) == [[1, 2], [5, 2], [5, 2]]
    assert [step.revised[0].tolist() for step in steps] == [[False, False], [True, False], [False, False]]
    assert steps[-1].confidence[0, 0] == pytest.approx(0.97)


def test_two_tokens_can_not_change_places_for_ever() -> None:
    def says(tokens: list[int], call: int) -> list[tuple[int, float]]:
        return [(2 if tokens[0] == 1 else 1, 0.99)]

    steps = run(scripted(says), Canvas.blank(1, 1, MASK), replace(SETTINGS, max_revisions=3, verify_passes=50))
    assert history(steps) == [[1], [2], [1]], "what comes back would come back for ever"
    steps = run(scripted(says), given([1]), replace(SETTINGS, verify_passes=50))
    assert history(steps) == [[2], [1]]


def test_a_token_that_finds_no_rest_runs_out_of_revisions() -> None:
    def says(tokens: list[int], call: int) -> list[tuple[int, float]]:
        return [(call, 0.99)]

    steps = run(scripted(says), Canvas.blank(1, 1, MASK), replace(SETTINGS, max_revisions=3, verify_passes=50))
    assert history(steps) == [[0], [1], [2], [3], [3]]


def test_editing_a_given_text_goes_on_until_nothing_changes() -> None:
    """Each pass mends the leftmost mistake, as a denoiser would that sees one at a time."""

    def says(tokens: list[int], call: int) -> list[tuple[int, float]]:
        wrong = [place for place, token in enumerate(tokens) if token != place]
        return [(place if place in wrong[:1] else token, 0.99) for place, token in enumerate(tokens)]

    steps = run(scripted(says), given([0, 7, 2, 7, 7]), replace(SETTINGS, verify_passes=8))
    assert history(steps)[-1] == [0, 1, 2, 3, 4]
    assert len(steps) == 4
    pinned = run(scripted(says), given([0, 7, 2, 7, 7], ".!."), replace(SETTINGS, verify_passes=8))
    assert history(pinned) == [[0, 7, 2, 7, 7]], "the only mistake that it sees is pinned"


def test_remask_reopens_what_has_become_unlikely() -> None:
    def says(tokens: list[int], call: int) -> list[tuple[int, float]]:
        if tokens == [MASK, MASK]:
            return [(1, 0.95), (2, 0.3)]
        return [(3, 0.6), (2, 0.95)]

    settings = replace(SETTINGS, edit_threshold=None, remask_threshold=0.2, verify_passes=2)
    steps = run(scripted(says), Canvas.blank(1, 2, MASK), settings)
    assert history(steps) == [[1, MASK], [MASK, 2], [3, 2], [3, 2]]
    assert steps[1].revised[0].tolist() == [True, False]


def test_end_of_text_settles_its_tail_for_nothing() -> None:
    steps = run(
        scripted(lambda tokens, call: [(1, 0.5), (END, 0.95), (3, 0.99), (4, 0.5)]),
        Canvas.blank(1, 4, MASK),
        replace(SETTINGS, edit_threshold=None),
    )
    assert history(steps) == [[MASK, END, END, END], [1, END, END, END]]
    assert steps[0].committed[0].tolist() == [False, True, False, False]
    assert not bool(steps[0].revised.any())
    assert steps[0].is_settled[0].tolist() == [False, True, True, True]


def test_a_tail_that_covers_settled_text_revises_it() -> None:
    def says(tokens: list[int], call: int) -> list[tuple[int, float]]:
        return [(1, 0.55 + call / 10), (END, 0.4 + call / 5), (3, 0.99)]

    steps = run(scripted(says), Canvas.blank(1, 3, MASK), replace(SETTINGS, edit_threshold=None, threshold=0.75))
    assert history(steps) == [[MASK, MASK, 3], [1, MASK, 3], [1, END, END]]
    assert steps[-1].revised[0].tolist() == [False, False, True]
    assert steps[-1].committed[0].tolist() == [False, True, False]


def test_a_revised_end_of_text_opens_its_tail_again() -> None:
    def says(tokens: list[int], call: int) -> list[tuple[int, float]]:
        if call == 0:
            return [(1, 0.95), (END, 0.95)] + [(3, 0.5)] * 18
        return [(1, 0.95), (2, 0.95)] + [(4, 0.95)] * 6 + [(5, 0.95)] * 12

    steps = run(scripted(says), Canvas.blank(1, 20, MASK))
    end = [END] * 18
    assert history(steps)[:3] == [[1, END, *end], [1, 2] + [MASK] * 18, [1, 2] + [4] * 6 + [5] * 12]
    assert steps[1].revised[0].sum() == 1, "the tail followed from the end and is not counted"
    assert bool(steps[1].is_masked[0, 2:].all())
    assert steps[2].committed[0].tolist() == [False] * 2 + [True] * 18


def test_the_last_pass_does_not_revise_an_end_of_text_away() -> None:
    def says(tokens: list[int], call: int) -> list[tuple[int, float]]:
        return [(END, 0.95), (1, 0.5)] if call == 0 else [(2, 0.95), (3, 0.95)]

    steps = run(scripted(says), Canvas.blank(1, 2, MASK), replace(SETTINGS, max_steps=2))
    assert history(steps) == [[END, END], [END, END]]


def test_a_text_may_end_in_several_ways_and_its_tail_is_filled_with_the_first() -> None:
    special = SpecialIds(mask=MASK, end_of_text=END, null=None, other_ends=(7, END))
    assert special.ends == (END, 7)
    settings = replace(SETTINGS, edit_threshold=None)
    steps = run(scripted(lambda tokens, call: [(1, 0.95), (7, 0.95), (3, 0.5)]), Canvas.blank(1, 3, MASK), settings)
    assert history(steps) == [[1, 7, MASK], [1, 7, 3]], "elsewhere 7 is a token like any other"
    says = scripted(lambda tokens, call: [(1, 0.95), (7, 0.95), (3, 0.5)])
    assert history(run(says, Canvas.blank(1, 3, MASK), settings, special=special)) == [[1, 7, END]]
    says = scripted(lambda tokens, call: [(7, 0.95)] * 3)
    tokens = run(says, given([MASK, 5, MASK], ".!."), settings, special=special)[-1].tokens[0].tolist()
    assert tokens[0] not in special.ends, "none of them before pinned text"
    assert tokens[1:] == [5, 7]


def test_a_uniform_text_ends_at_any_end_once_it_is_finished() -> None:
    special = SpecialIds(mask=None, end_of_text=END, null=None, other_ends=(7,))
    settings = replace(SamplerSettings.for_effort("low", "uniform"), temperature=0.5, final_temperature=None)
    denoiser = scripted(lambda tokens, call: [(1, 0.99999), (7, 0.99999), (3, 0.99999), (2, 0.99999)])
    canvas = Canvas.noise(torch.tensor([0]), 4, VOCAB, special=special)
    steps = run(denoiser, canvas, settings, special=special)
    assert history(steps) == [[1, 7, 3, 2], [1, 7, END, END]], "open until then: it could still change"


def test_text_does_not_end_before_pinned_text() -> None:
    steps = run(scripted(lambda tokens, call: [(END, 0.95)] * 4), given([MASK, MASK, 5, MASK], "..!."))
    tokens = steps[-1].tokens[0].tolist()
    assert tokens[2:] == [5, END]
    assert END not in tokens[:2]


def test_narrowing_shows_the_denoiser_less_and_changes_no_width_of_a_step() -> None:
    widths: list[int] = []

    def says(tokens: list[int], call: int) -> list[tuple[int, float]]:
        widths.append(len(tokens))
        return [(1, 0.95), (2, 0.5), (3, 0.4), (END, 0.95)] + [(5, 0.3)] * 20

    steps = run(scripted(says), Canvas.blank(1, 24, MASK))
    assert widths == [24, 8, 8, 8]
    assert all(step.tokens.shape == (1, 24) for step in steps)
    wide = run(scripted(says), Canvas.blank(1, 24, MASK), replace(SETTINGS, narrow=False))
    assert widths[4:] == [24, 24, 24, 24]
    assert history(wide) == history(steps)


@dataclass
class Recorder:
    """Passes calls on, and keeps what was asked."""

    inner: FakeDenoiser
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    uses_self_conditioning: bool = False
    vocab_size: int = VOCAB

    def encode(self, *arguments: Any, **options: Any) -> FakeCache:
        return self.inner.encode(*arguments, **options)

    def denoise(self, canvas: torch.Tensor, cache: Any = None, *, self_conditioning: Any = None) -> torch.Tensor:
        self.asked.append((canvas.clone(), cache, self_conditioning))
        return self.inner.denoise(canvas, cache)


def test_finished_rows_are_not_scored_again() -> None:
    tokens = torch.full((3, 2), MASK)
    tokens[1] = torch.tensor([4, MASK])
    canvas = Canvas.from_tokens(tokens, tokens == MASK, MASK)
    inner = scripted(lambda tokens, call: [(1, 0.5), (2, 0.4)])
    denoiser = Recorder(inner)
    context = FakeCache(torch.tensor([[0], [1], [2]]))
    steps = run(denoiser, canvas, replace(SETTINGS, edit_threshold=None), context=context)
    assert [canvas.shape[0] for canvas, _, _ in denoiser.asked] == [3, 2]
    assert denoiser.asked[0][1] is context
    assert denoiser.asked[1][1].tokens.tolist() == [[0], [2]]
    assert [step.is_finished for step in steps] == [(False, True, False), (True, True, True)]
    assert [step.nfe for step in steps] == [(1, 1, 1), (2, 1, 2)]
    assert steps[-1].tokens.tolist() == [[1, 2], [4, 2], [1, 2]]


def test_rows_of_different_widths_go_separately() -> None:
    tokens = torch.full((2, 16), MASK)
    tokens[1, 0] = END
    canvas = Canvas.from_tokens(tokens, torch.ones_like(tokens, dtype=torch.bool), MASK)
    inner = scripted(lambda tokens, call: [(END if tokens[0] == END else 1, 0.97)] + [(2, 0.95)] * 15)
    denoiser = Recorder(inner)
    run(denoiser, canvas, context=FakeCache(torch.tensor([[0], [1]])))
    assert [tuple(canvas.shape) for canvas, _, _ in denoiser.asked] == [(2, 16), (1, 16), (1, 8)]
    assert [cache.tokens.tolist() for _, cache, _ in denoiser.asked[1:]] == [[[0]], [[1]]]


def test_guidance_asks_twice_and_pushes_away_from_the_unconditional() -> None:
    scores = {1: torch.tensor([0.0, 1.0, 0.9]), 2: torch.tensor([0.0, 1.0, 0.2])}

    def logits_of(canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        assert context is not None
        return scores[int(context[0, 0])].expand(1, 2, 3)

    denoiser = FakeDenoiser(vocab_size=3, logits_of=logits_of)
    options = {
        "context": FakeCache(torch.tensor([[1]])),
        "unconditional": FakeCache(torch.tensor([[2]])),
        "special": SpecialIds(mask=0, end_of_text=9, null=None),
    }
    plain = run(denoiser, Canvas.blank(1, 2, 0), **options)
    guided = run(denoiser, Canvas.blank(1, 2, 0), replace(SETTINGS, guidance_scale=1.0), **options)
    assert plain[-1].tokens.tolist() == [[1, 1]]
    assert guided[-1].tokens.tolist() == [[2, 2]], "0.2 + 2 (0.9 - 0.2) is more than 1"
    assert guided[0].nfe == (2,)


@pytest.mark.parametrize("family", ["masked", "uniform"])
def test_self_conditioning_gets_the_last_probabilities_of_its_own_rows(family: str) -> None:
    inner = FakeDenoiser.tangled(vocab_size=VOCAB, length=6, seed=3, scale=2)
    denoiser = Recorder(inner, uses_self_conditioning=True)
    seeds = torch.tensor([0, 1])
    if family == "masked":
        tokens = torch.full((2, 6), MASK)
        tokens[0, 1:] = 2
        canvas = Canvas.from_tokens(tokens, tokens == MASK, MASK)
        settings = replace(SETTINGS, edit_threshold=None)
    else:
        canvas = Canvas.noise(seeds, 6, VOCAB, special=SPECIAL)
        settings = replace(SamplerSettings.for_effort("low", "uniform"), max_steps=3)
    run(denoiser, canvas, settings)
    (first_canvas, _, before_first), (canvas_seen, _, conditioning) = denoiser.asked[:2]
    assert before_first is None
    temperature = 1.0 if family == "masked" else settings.temperature
    logits = inner.denoise(first_canvas).index_fill(-1, torch.tensor([MASK]), -torch.inf)
    assert torch.allclose(conditioning, (logits / temperature).softmax(-1)[-len(canvas_seen) :], atol=1e-6)


def test_self_conditioned_rows_are_never_narrowed() -> None:
    inner = scripted(lambda tokens, call: [(1, 0.95), (END, 0.95)] + [(5, 0.3)] * 14)
    denoiser = Recorder(inner, uses_self_conditioning=True)
    run(denoiser, Canvas.blank(1, 16, MASK))
    assert [tuple(canvas.shape) for canvas, _, _ in denoiser.asked] == [(1, 16), (1, 16)]


def test_a_denoiser_that_does_not_ask_gets_no_probabilities() -> None:
    denoiser = Recorder(FakeDenoiser.tangled(vocab_size=VOCAB, length=4, seed=3))
    run(denoiser, Canvas.blank(1, 4, MASK))
    assert all(conditioning is None for _, _, conditioning in denoiser.asked)


def test_nothing_to_edit_takes_no_pass() -> None:
    denoiser = FakeDenoiser.tangled(vocab_size=VOCAB, length=2, seed=0)
    (step,) = run(denoiser, given([1, 2], "!!"))
    assert (step.is_last, step.nfe, step.tokens.tolist()) == (True, (0,), [[1, 2]])
    assert denoiser.nfe == 0


def test_the_stable_stop_takes_the_likeliest_canvas() -> None:
    settings = replace(SETTINGS, stop="stable", stop_entropy=3.0, threshold=1.0, edit_threshold=None)
    steps = run(scripted(lambda tokens, call: [(place, 0.6) for place in range(6)]), Canvas.blank(1, 6, MASK), settings)
    assert len(steps) == 2
    assert history(steps)[-1] == [0, 1, 2, 3, 4, 5]


def test_each_row_counts_its_own_stable_passes() -> None:
    """Row r, which pins its number, changes its mind until pass 2 r; two quiet passes later it is done."""
    tokens = torch.tensor([[0, 5], [1, 5], [2, 5]])
    canvas = Canvas.from_tokens(tokens, torch.tensor([[False, True]] * 3), None)
    settings = replace(
        SamplerSettings.for_effort("low", "uniform"), temperature=0.5, stop_entropy=3.0, stability_threshold=2
    )
    denoiser = scripted(lambda tokens, call: [(7, 0.9), (min(call, 2 * tokens[0]), 0.9)])
    steps = run(denoiser, canvas, settings)
    ends = [next(step.index for step in steps if step.is_finished[row]) for row in range(3)]
    assert ends == [2, 4, 6]
    assert steps[-1].tokens.tolist() == [[0, 0], [1, 2], [2, 4]]


def test_an_infinite_logit_does_no_harm() -> None:
    """Some families give tokens that they rule out minus infinity."""

    def logits_of(canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        return torch.full((*canvas.shape, VOCAB), -torch.inf).index_fill(-1, torch.tensor([2]), 1.0)

    settings = replace(SETTINGS, commit="entropy_bound", stop="stable", temperature=0.7)
    steps = run(FakeDenoiser(vocab_size=VOCAB, logits_of=logits_of), Canvas.blank(1, 3, MASK), settings)
    assert history(steps)[0] == [2, 2, 2]


def test_steps_are_not_written_to_again() -> None:
    canvas = Canvas.blank(2, 6, MASK)
    before = canvas.tokens.clone()
    denoiser = FakeDenoiser.tangled(vocab_size=VOCAB, length=6, seed=1, scale=4)
    copies, steps = [], []
    settings = replace(SETTINGS, edit_threshold=0.2, remask_threshold=0.1, verify_passes=3)
    for step in sample(
        denoiser, context=None, canvas=canvas, settings=settings, special=SPECIAL, seeds=torch.arange(2)
    ):
        steps.append(step)
        copies.append([getattr(step, name).clone() for name in ("tokens", "proposed", "is_settled", "confidence")])
    for step, copy in zip(steps, copies, strict=True):
        for name, tensor in zip(("tokens", "proposed", "is_settled", "confidence"), copy, strict=True):
            assert torch.equal(getattr(step, name), tensor)
    assert torch.equal(canvas.tokens, before)


def test_a_canvas_of_the_other_family_is_refused() -> None:
    denoiser = FakeDenoiser.tangled(vocab_size=VOCAB, length=2, seed=0)
    uniform = SamplerSettings.for_effort("low", "uniform")
    noise = Canvas.noise(torch.tensor([1]), 2, VOCAB, special=SPECIAL)
    with pytest.raises(ConfigError, match=r"start from Canvas\.noise"):
        run(denoiser, Canvas.blank(1, 2, MASK), uniform)
    with pytest.raises(ConfigError, match=r"start from Canvas\.blank"):
        run(denoiser, noise)
    with pytest.raises(ConfigError, match="no \\[MASK\\]"):
        run(denoiser, noise, special=SpecialIds(mask=None, end_of_text=END, null=None))


def test_blocks_settle_from_the_left() -> None:
    says = scripted(lambda tokens, call: [(1, 0.5), (2, 0.95), (3, 0.99), (4, 0.99), (5, 0.99)])
    settings = replace(SETTINGS, block_length=2, edit_threshold=None)
    steps = run(says, Canvas.blank(1, 5, MASK), settings)
    assert history(steps) == [
        [MASK, 2, MASK, MASK, MASK],
        [1, 2, MASK, MASK, MASK],
        [1, 2, 3, 4, MASK],
        [1, 2, 3, 4, 5],
    ]


def test_nothing_settles_far_ahead_of_what_is_open() -> None:
    says = scripted(lambda tokens, call: [(1, 0.5), (2, 0.95), (3, 0.99), (4, 0.99), (5, 0.99)])
    settings = replace(SETTINGS, lookahead=2, edit_threshold=None)
    steps = run(says, Canvas.blank(1, 5, MASK), settings)
    assert history(steps) == [
        [MASK, 2, MASK, MASK, MASK],
        [MASK, 2, 3, MASK, MASK],
        [MASK, 2, 3, 4, MASK],
        [MASK, 2, 3, 4, 5],
        [1, 2, 3, 4, 5],
    ], "the first open one counts, whether it is sure or not"
    anywhere = run(says, Canvas.blank(1, 5, MASK), replace(settings, lookahead=None))
    assert history(run(says, Canvas.blank(1, 5, MASK), replace(settings, lookahead=5))) == history(anywhere)
    assert history(anywhere)[0] == [MASK, 2, 3, 4, 5]


def test_an_answer_in_front_settles_last() -> None:
    says = scripted(lambda tokens, call: [(1, 0.99), (2, 0.99), (3, 0.5), (4, 0.95)])
    settings = replace(SETTINGS, answer_slots=2, edit_threshold=None)
    steps = run(says, Canvas.blank(1, 4, MASK), settings)
    assert history(steps) == [[MASK, MASK, MASK, 4], [MASK, MASK, 3, 4], [1, 2, 3, 4]]
    one_by_one = run(says, Canvas.blank(1, 4, MASK), replace(settings, lookahead=1))
    assert history(one_by_one) == [[MASK, MASK, 3, MASK], [MASK, MASK, 3, 4], [1, MASK, 3, 4], [1, 2, 3, 4]]


def test_a_budget_is_spread_over_the_blocks() -> None:
    says = scripted(lambda tokens, call: [(place + 1, 0.9 - 0.1 * place) for place in range(4)])
    settings = replace(SETTINGS, commit="most_confident", block_length=2, max_steps=4, edit_threshold=None)
    steps = run(says, Canvas.blank(1, 4, MASK), settings)
    assert [int(step.committed.sum()) for step in steps] == [1, 1, 1, 1]
    assert [
        int(step.committed.sum()) for step in run(says, Canvas.blank(1, 4, MASK), replace(settings, max_steps=2))
    ] == [
        2,
        2,
    ]


def test_the_last_pass_settles_every_block() -> None:
    says = scripted(lambda tokens, call: [(place + 1, 0.5) for place in range(4)])
    steps = run(says, Canvas.blank(1, 4, MASK), replace(SETTINGS, block_length=2, max_steps=2, edit_threshold=None))
    assert history(steps)[-1] == [1, 2, 3, 4]


def test_what_lies_behind_an_end_may_be_drawn() -> None:
    says = scripted(lambda tokens, call: [(1, 0.99), (END, 0.99), (3, 0.5), (4, 0.5)])
    settings = replace(SETTINGS, fill_after_end=False, edit_threshold=None)
    steps = run(says, Canvas.blank(1, 4, MASK), settings)
    assert history(steps) == [[1, END, MASK, MASK], [1, END, 3, MASK], [1, END, 3, 4]]
    assert run(says, Canvas.blank(1, 4, MASK), replace(settings, max_steps=1))[-1].tokens.tolist() == [[1, END, 3, 4]]
    filled = run(says, Canvas.blank(1, 4, MASK), replace(SETTINGS, edit_threshold=None))
    assert history(filled) == [[1, END, END, END]]
