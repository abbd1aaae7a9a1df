"""What holds for every rule, every canvas and every batch."""

from dataclasses import replace
from typing import Any

import torch
from hypothesis import given, settings, strategies

from redraft.denoiser import FakeDenoiser
from redraft.errors import ConfigError
from redraft.sampler import Canvas, SamplerSettings, SpecialIds, Step, sample
from redraft.sampler.plan import StepPlan
from redraft.sampler.random import Stream, uniforms

VOCAB, LENGTH = 10, 20
MASK, END, NULL, ROLE = 9, 8, 7, 6
SPECIAL = SpecialIds(mask=MASK, end_of_text=END, null=NULL, forbidden=(ROLE,))
DENOISERS = {
    scale: FakeDenoiser.tangled(vocab_size=VOCAB, length=LENGTH, seed=scale, scale=scale) for scale in (1, 2, 5)
}
BUDGETED = ["most_confident", "margin", "ancestral", "left_to_right", "random"]


# Plain values, because the shape checks of the tests use `random`, which hypothesis forbids inside a strategy.
MASKED = strategies.fixed_dictionaries(
    {
        "max_steps": strategies.integers(1, 12),
        "num_steps": strategies.one_of(strategies.none(), strategies.just(1)),
        "commit": strategies.sampled_from([*BUDGETED, "above_threshold", "entropy_bound"]),
        "temperature": strategies.sampled_from([0.0, 0.7, 1.0]),
        "top_p": strategies.sampled_from([0.8, 1.0]),
        "guidance_scale": strategies.sampled_from([0.0, 1.5]),
        "threshold": strategies.sampled_from([0.2, 0.9]),
        "lookahead": strategies.sampled_from([None, 1, 4]),
        "answer_slots": strategies.sampled_from([0, 3]),
        "entropy_bound": strategies.sampled_from([0.0, 0.1, 5.0]),
        "margin_threshold": strategies.sampled_from([None, 0.3]),
        "edit_threshold": strategies.sampled_from([None, 0.3, 0.9]),
        "remask_threshold": strategies.sampled_from([None, 0.1, 0.6]),
        "max_revisions": strategies.integers(0, 3),
        "verify_passes": strategies.integers(0, 3),
        "stop": strategies.sampled_from(["settled", "stable"]),
        "stop_entropy": strategies.sampled_from([0.005, 2.0]),
        "stability_threshold": strategies.integers(1, 3),
        "narrow": strategies.booleans(),
    }
)
UNIFORM = strategies.fixed_dictionaries(
    {
        "max_steps": strategies.integers(1, 10),
        "commit": strategies.sampled_from(["entropy_bound", "above_threshold"]),
        "top_p": strategies.sampled_from([0.8, 1.0]),
        "stop_entropy": strategies.sampled_from([0.005, 0.5, 2.0]),
        "stability_threshold": strategies.integers(1, 2),
    }
)
LAYOUTS = strategies.fixed_dictionaries(
    {
        "seed": strategies.integers(0, 10_000),
        "share_pinned": strategies.sampled_from([0.0, 0.2, 0.7]),
        "share_open": strategies.sampled_from([0.0, 0.5, 1.0]),
    }
)
CASES = strategies.tuples(LAYOUTS, strategies.sampled_from([1, 2, 5]))


def canvas_of(layout: dict[str, float], family: str, batch: int) -> Canvas:
    """Make canvases with pinned text, given text and gaps, anywhere."""
    rng = torch.Generator().manual_seed(int(layout["seed"]))
    shape = (batch, LENGTH)
    is_editable = torch.rand(shape, generator=rng) >= layout["share_pinned"]
    tokens = torch.randint(0, ROLE if layout["share_pinned"] else END + 1, shape, generator=rng)
    if family == "uniform":
        return Canvas.from_tokens(tokens, is_editable, None)
    is_gap = torch.rand(shape, generator=rng) < layout["share_open"]
    return Canvas.from_tokens(tokens.masked_fill(is_gap & is_editable, MASK), is_editable, MASK)


def settings_of(values: dict[str, Any], family: str) -> SamplerSettings:
    if family == "masked":
        return SamplerSettings(**values)
    return replace(SamplerSettings.for_effort("medium", "uniform"), **values)


def run(denoiser: FakeDenoiser, canvas: Canvas, chosen: SamplerSettings, seeds: list[int]) -> list[Step]:
    contexts = torch.tensor(seeds).unsqueeze(1) % VOCAB
    steps = sample(
        denoiser,
        context=denoiser.encode(contexts),
        canvas=canvas,
        settings=chosen,
        special=SPECIAL,
        seeds=torch.tensor(seeds),
        block=1,
    )
    return list(steps)


def check(canvas: Canvas, chosen: SamplerSettings, steps: list[Step]) -> None:
    pinned = ~canvas.is_editable
    tokens, is_settled = canvas.tokens, canvas.is_settled
    for step in steps:
        assert torch.equal(step.tokens[pinned], canvas.tokens[pinned]), "pinned positions never move"
        assert bool(step.is_settled[pinned].all())
        assert not bool((step.committed & is_settled).any()), "only what was open is committed"
        assert not bool((step.revised & ~is_settled).any()), "only what settled in an earlier pass is revised"
        assert not bool((step.committed & ~step.is_settled).any())
        if chosen.stop == "settled" and step.index + 1 < chosen.max_steps:
            check_turns(chosen, ~is_settled, step)
        stays = is_settled & step.is_settled & (step.tokens == tokens)
        moved = ~stays & ~step.committed & ~step.revised
        if chosen.family == "masked":
            at_rest = moved & is_settled & ~((step.tokens == END) | (tokens == END))
            assert not bool(at_rest.any()), "whatever settled and moved is reported"
            assert torch.equal(step.is_masked, step.tokens == MASK)
            assert torch.equal(step.is_masked, ~step.is_settled)
        written = step.committed | (step.revised & step.is_settled)
        assert not bool(torch.isin(step.tokens[written], torch.tensor([MASK, ROLE])).any())
        assert bool(((step.confidence >= 0) & (step.confidence <= 1.0001)).all())
        assert not bool((step.proposed == MASK).any()), "the proposal has no gaps"
        tokens, is_settled = step.tokens, step.is_settled
    last = steps[-1]
    assert last.is_last
    assert all(last.is_finished)
    assert not any(step.is_last for step in steps[:-1])
    assert len(steps) <= chosen.max_steps
    assert not bool((last.tokens == MASK).any())
    assert bool(last.is_settled.all())
    assert [step.index for step in steps] == list(range(len(steps)))


def check_turns(chosen: SamplerSettings, is_open: torch.Tensor, step: Step) -> None:
    """What may settle waits for its turn: the answer for all behind it, the rest for what is not far before it."""
    slots = chosen.answer_slots
    is_waiting = is_open[:, slots:].any(dim=1)
    assert not bool(step.committed[is_waiting, :slots].any()), "the answer waits for all behind it"
    if chosen.lookahead is not None:
        num_before = is_open.cumsum(dim=1) - is_open[:, :slots].sum(dim=1, keepdim=True)
        assert bool((num_before[:, slots:][step.committed[:, slots:]] <= chosen.lookahead).all())


def after_end(last: Step, canvas: Canvas) -> None:
    for row in range(canvas.batch):
        pinned_text = (~canvas.is_editable[row] & (canvas.tokens[row] != END)).nonzero().flatten().tolist()
        first_free = pinned_text[-1] + 1 if pinned_text else 0
        free = last.tokens[row, first_free:][canvas.is_editable[row, first_free:]].tolist()
        if END in free:
            assert set(free[free.index(END) :]) == {END}, "after an end of text there is nothing else"


@settings(deadline=None, max_examples=40)
@given(MASKED, CASES)
def test_masked_family(values: dict[str, Any], case: tuple[dict[str, float], int]) -> None:
    chosen, canvas = settings_of(values, "masked"), canvas_of(case[0], "masked", 2)
    steps = run(DENOISERS[case[1]], canvas, chosen, [3, 4])
    check(canvas, chosen, steps)
    after_end(steps[-1], canvas)
    per_pass = 2 if chosen.guidance_scale > 0 else 1
    assert all(count % per_pass == 0 and count <= per_pass * chosen.max_steps for count in steps[-1].nfe)


@settings(deadline=None, max_examples=15)
@given(UNIFORM, CASES)
def test_uniform_family(values: dict[str, Any], case: tuple[dict[str, float], int]) -> None:
    chosen, canvas = settings_of(values, "uniform"), canvas_of(case[0], "uniform", 2)
    steps = run(DENOISERS[case[1]], canvas, chosen, [3, 4])
    check(canvas, chosen, steps)
    after_end(steps[-1], canvas)


class Echo(FakeDenoiser):
    """Adds its last probabilities to its scores."""

    uses_self_conditioning = True

    def denoise(self, canvas: Any, cache: Any = None, *, self_conditioning: Any = None) -> torch.Tensor:
        logits = super().denoise(canvas, cache)
        return logits if self_conditioning is None else logits + 3 * self_conditioning


ECHOES = {scale: Echo(vocab_size=VOCAB, logits_of=denoiser.logits_of) for scale, denoiser in DENOISERS.items()}


def check_batch(family: str, chosen: SamplerSettings, canvas: Canvas, denoiser: FakeDenoiser) -> None:
    together = run(denoiser, canvas, chosen, [3, 11, 5])
    for row, seed in enumerate([3, 11, 5]):
        single = Canvas.from_tokens(
            canvas.tokens[row : row + 1], canvas.is_editable[row : row + 1], MASK if family == "masked" else None
        )
        alone = run(denoiser, single, chosen, [seed])
        for index, step in enumerate(together):
            mine = alone[min(index, len(alone) - 1)]
            assert torch.equal(step.tokens[row], mine.tokens[0])
            assert torch.equal(step.is_settled[row], mine.is_settled[0])
            assert torch.equal(step.confidence[row], mine.confidence[0])
            assert step.nfe[row] == mine.nfe[0]
            assert step.is_finished[row] == (index >= len(alone) - 1)
            if index < len(alone):
                assert torch.equal(step.proposed[row], mine.proposed[0])
                assert torch.equal(step.committed[row], mine.committed[0])
                assert torch.equal(step.revised[row], mine.revised[0])
            else:
                assert not bool(step.committed[row].any() | step.revised[row].any())


@settings(deadline=None, max_examples=60)
@given(MASKED, CASES, strategies.booleans())
def test_a_masked_row_is_the_same_alone_and_in_a_batch(
    values: dict[str, Any], case: tuple[dict[str, float], int], is_echo: bool
) -> None:
    denoiser = (ECHOES if is_echo else DENOISERS)[case[1]]
    check_batch("masked", settings_of(values, "masked"), canvas_of(case[0], "masked", 3), denoiser)


@settings(deadline=None, max_examples=20)
@given(UNIFORM, CASES, strategies.booleans())
def test_a_uniform_row_is_the_same_alone_and_in_a_batch(
    values: dict[str, Any], case: tuple[dict[str, float], int], is_echo: bool
) -> None:
    denoiser = (ECHOES if is_echo else DENOISERS)[case[1]]
    check_batch("uniform", settings_of(values, "uniform"), canvas_of(case[0], "uniform", 3), denoiser)


@settings(deadline=None, max_examples=40)
@given(strategies.integers(0, 300), strategies.integers(1, 70))
def test_budgets_sum_to_the_masks(num_open: int, num_steps: int) -> None:
    budgets = StepPlan(num_steps=num_steps).budgets(num_open)
    assert sum(budgets) == num_open
    assert len(budgets) == num_steps
    assert max(budgets) - min(budgets) <= 1
    assert list(budgets) == sorted(budgets, reverse=True)


@settings(deadline=None, max_examples=40)
@given(
    strategies.integers(-(2**63), 2**63 - 1),
    strategies.integers(0, 50),
    strategies.integers(-1, 500),
    strategies.sampled_from(list(Stream)),
    strategies.integers(1, 64),
)
def test_draws_are_a_function_of_their_place(seed: int, block: int, step: int, stream: Stream, length: int) -> None:
    place = {"block": block, "step": step, "stream": stream}
    alone = uniforms([seed], length=length, **place)
    crowd = uniforms([1, seed, 2], length=length + 9, **place)
    assert torch.equal(alone[0], crowd[1, :length])
    assert bool(((alone >= 0) & (alone < 1)).all())


@settings(deadline=None, max_examples=50)
@given(
    strategies.sampled_from(["temperature", "final_temperature", "top_p", "threshold", "edit_threshold"]),
    strategies.floats(),
)
def test_a_number_is_taken_or_refused_in_one_line(name: str, value: float) -> None:
    try:
        chosen = SamplerSettings(**({"temperature": 0.5} | {name: value}))
    except ConfigError as error:
        message = str(error)
    else:
        assert getattr(chosen, name) == value
        return
    assert name in message
    assert "\n" not in message
