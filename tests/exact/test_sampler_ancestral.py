"""The ancestral rule on two positions over two tokens and [MASK], against enumeration of every path."""

import itertools

import pytest
import torch

from redraft.denoiser import FakeDenoiser
from redraft.noise import Cosine, Linear, NoiseSchedule
from redraft.sampler import Canvas, SamplerSettings, SpecialIds, sample
from redraft.sampler import rules as rules_module
from redraft.sampler.commit import Ancestral

MASK = 2
SPECIAL = SpecialIds(mask=MASK, end_of_text=3, null=None)  # 3 is outside the vocabulary: no text ends here
JOINT = torch.tensor([[0.60, 0.02], [0.08, 0.30]], dtype=torch.float64)
NUM_ROWS = 5_000
# A right sampler exceeds it once in a million (chi-square, 3 degrees of freedom).
TOO_FAR = 30.7


def conditional(state: tuple[int, int], place: int) -> list[float]:
    """Return the exact distribution of the token at a place, given what is visible elsewhere."""
    other = state[1 - place]
    table = JOINT if place == 0 else JOINT.T
    weights = table.sum(dim=1) if other == MASK else table[:, other]
    return (weights / weights.sum()).tolist()


def bayes() -> FakeDenoiser:
    table = torch.full((3, 3, 2, 3), -torch.inf)
    for state in itertools.product(range(3), repeat=2):
        for place in range(2):
            table[state[0], state[1], place, :2] = torch.tensor(conditional(state, place)).log()
    return FakeDenoiser(vocab_size=3, logits_of=lambda canvas, context: table[canvas[:, 0], canvas[:, 1]])


def frequencies(settings: SamplerSettings) -> torch.Tensor:
    canvas = Canvas.blank(NUM_ROWS, 2, MASK)
    steps = sample(
        bayes(), context=None, canvas=canvas, settings=settings, special=SPECIAL, seeds=torch.arange(NUM_ROWS)
    )
    *_, last = steps
    index = last.tokens[:, 0] * 2 + last.tokens[:, 1]
    return torch.bincount(index, minlength=4).double()


def chi_square(observed: torch.Tensor, probs: torch.Tensor) -> float:
    expected = probs.flatten() * observed.sum()
    return float(((observed - expected) ** 2 / expected).sum())


def enumerated(num_steps: int, schedule: NoiseSchedule) -> torch.Tensor:
    """Return the exact law of the ancestral sampler after all its steps."""
    law = {(MASK, MASK): 1.0}
    for index in range(num_steps):
        times = torch.tensor([1 - (index + 1) / num_steps, 1 - index / num_steps], dtype=torch.float64)
        alpha_s, alpha_t = schedule.alpha(times).tolist()
        settles = (alpha_s - alpha_t) / (1 - alpha_t)
        after: dict[tuple[int, int], float] = {}
        for state, mass in law.items():
            outcomes = []
            for place in range(2):
                if state[place] != MASK:
                    outcomes.append({state[place]: 1.0})
                    continue
                probs = conditional(state, place)
                outcomes.append({0: settles * probs[0], 1: settles * probs[1], MASK: 1 - settles})
            for (left, p), (right, q) in itertools.product(outcomes[0].items(), outcomes[1].items()):
                after[left, right] = after.get((left, right), 0.0) + mass * p * q
        law = after
    return torch.tensor([[law.get((a, b), 0.0) for b in range(2)] for a in range(2)], dtype=torch.float64)


@pytest.mark.slow
@pytest.mark.parametrize("num_steps", [1, 2, 5])
def test_frequencies_are_those_of_the_enumeration(num_steps: int) -> None:
    settings = SamplerSettings(commit="ancestral", max_steps=num_steps, temperature=1.0, edit_threshold=None)
    assert chi_square(frequencies(settings), enumerated(num_steps, Linear())) < TOO_FAR


@pytest.mark.slow
def test_another_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Ancestral(num_steps=3, schedule=Cosine())
    monkeypatch.setitem(rules_module._COMMIT, "ancestral", lambda settings: rule)
    settings = SamplerSettings(commit="ancestral", max_steps=3, temperature=1.0, edit_threshold=None)
    observed = frequencies(settings)
    assert chi_square(observed, enumerated(3, Cosine())) < TOO_FAR
    assert chi_square(observed, enumerated(3, Cosine())) < chi_square(observed, enumerated(3, Linear()))


def test_one_step_draws_the_positions_independently() -> None:
    settings = SamplerSettings(commit="ancestral", max_steps=1, temperature=1.0, edit_threshold=None)
    observed = frequencies(settings)
    independent = JOINT.sum(dim=1, keepdim=True) * JOINT.sum(dim=0, keepdim=True)
    assert chi_square(observed, independent) < TOO_FAR
    assert chi_square(observed, JOINT) > TOO_FAR


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        SamplerSettings(commit="left_to_right", max_steps=2, temperature=1.0, edit_threshold=None),
        SamplerSettings(commit="random", max_steps=2, temperature=1.0, edit_threshold=None),
        SamplerSettings(commit="entropy_bound", entropy_bound=0.0, temperature=1.0, edit_threshold=None),
        SamplerSettings(commit="margin", max_steps=2, temperature=1.0, edit_threshold=None),
    ],
    ids=["left_to_right", "random", "entropy_bound", "margin"],
)
def test_one_token_a_pass_draws_the_joint(settings: SamplerSettings) -> None:
    """Where the choice of the position does not depend on the token drawn for it, sequential drawing is exact."""
    assert chi_square(frequencies(settings), JOINT) < TOO_FAR


def test_choosing_by_the_drawn_token_is_not_exact() -> None:
    """Confidence is that of the token drawn, so likely tokens settle first, which distorts the joint."""
    settings = SamplerSettings(commit="most_confident", max_steps=2, temperature=1.0, edit_threshold=None)
    assert chi_square(frequencies(settings), JOINT) > TOO_FAR


def test_many_steps_come_near_the_joint() -> None:
    distances = [float((enumerated(num_steps, Linear()) - JOINT).abs().sum()) for num_steps in (1, 4, 128)]
    assert distances[0] > distances[1] > distances[2]
    assert distances[2] < 0.01
