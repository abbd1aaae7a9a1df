import pytest
import torch

from redraft.sampler.guidance import LEAST
from redraft.sampler.propose import Proposal, categorical, likeliest, nucleus
from redraft.sampler.random import Draws, Stream, uniforms


def draws(seed: int = 0, length: int = 1, batch: int = 1) -> Draws:
    seeds = tuple(range(seed, seed + batch))
    return Draws(seeds=seeds, block=0, step=0, length=length, device=torch.device("cpu"))


def proposal(logits: torch.Tensor, temperature: float = 0.0, top_p: float = 1.0) -> Proposal:
    return Proposal(logits, temperature=temperature, top_p=top_p, draws=draws(0, logits.shape[1], logits.shape[0]))


LOGITS = torch.tensor([[[0.0, 2.0, 1.0, LEAST], [5.0, LEAST, LEAST, 5.0], [0.0, 0.0, 0.0, 30.0]]])


def test_scores_by_hand() -> None:
    scores = proposal(LOGITS)
    probs = LOGITS.softmax(-1)
    assert scores.tokens.tolist() == [[1, 0, 3]], "the lowest id among equals"
    assert torch.allclose(scores.confidence, probs.amax(-1))
    assert torch.allclose(scores.margin[0, :2], torch.tensor([probs[0, 0, 1] - probs[0, 0, 2], 0.0]))
    assert torch.allclose(scores.entropy, torch.special.entr(probs).sum(-1), atol=1e-6)
    assert torch.allclose(scores.probability_of(torch.tensor([[2, 3, 0]])), probs[0, [0, 1, 2], [2, 3, 0]].unsqueeze(0))


@pytest.mark.parametrize("temperature", [0.01, 0.4, 1.0, 3.0])
def test_entropy_is_that_of_the_draw_and_confidence_that_of_temperature_one(temperature: float) -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 5, 50).mul(4).index_fill(-1, torch.tensor([3, 9]), LEAST)
    scores = proposal(logits, temperature=temperature)
    warm = (logits.double() / temperature).softmax(-1)
    assert torch.allclose(scores.entropy.double(), torch.special.entr(warm).sum(-1), atol=1e-4)
    picked = logits.softmax(-1).gather(-1, scores.tokens.unsqueeze(-1)).squeeze(-1)
    assert torch.allclose(scores.confidence, picked)
    assert not bool(torch.isin(scores.tokens, torch.tensor([3, 9])).any())


def test_a_certain_position_has_no_entropy() -> None:
    assert float(proposal(torch.tensor([[[LEAST, 40.0, LEAST]]])).entropy) == 0.0


def test_draws_follow_the_distribution() -> None:
    probs = torch.tensor([0.5, 0.0, 0.2, 0.3])
    numbers = uniforms(range(50), block=0, step=0, stream=Stream.TOKEN, length=200)
    tokens = categorical(probs.expand(50, 200, 4), numbers)
    counts = torch.bincount(tokens.flatten(), minlength=4)
    assert counts[1] == 0
    expected = probs[[0, 2, 3]] * 10_000
    assert float(((counts[[0, 2, 3]] - expected) ** 2 / expected).sum()) < 28, "chi-square, once in a million"


@pytest.mark.parametrize("vocab_size", [1, 2, 63, 64, 65, 200, 2048])
def test_a_draw_is_the_inverse_of_the_running_sum(vocab_size: int) -> None:
    rng = torch.Generator().manual_seed(vocab_size)
    probs = torch.randint(0, 3, (3, 40, vocab_size), generator=rng).float()
    probs[..., 0] += 1  # no position without any weight
    numbers = torch.rand(3, 40, dtype=torch.float64, generator=rng)
    tokens = categorical(probs, numbers)
    upto = probs.double().cumsum(-1)
    plain = (upto <= (numbers * upto[..., -1]).unsqueeze(-1)).sum(-1)
    assert torch.equal(tokens, plain)
    assert bool((probs.gather(-1, tokens.unsqueeze(-1)) > 0).all())


@pytest.mark.parametrize("vocab_size", [1, 64, 65, 640])
def test_the_likeliest_is_the_first_of_the_greatest(vocab_size: int) -> None:
    rng = torch.Generator().manual_seed(vocab_size)
    scores = torch.randint(0, 9, (3, 40, vocab_size), generator=rng).float()
    assert torch.equal(likeliest(scores), scores.argmax(-1))


def test_the_largest_draw_never_falls_off_the_end() -> None:
    probs = torch.tensor([[[0.1, 0.7, 0.2, 0.0, 0.0]]])
    nearly_one = torch.tensor([[1.0 - 2.0**-53]], dtype=torch.float64)
    assert categorical(probs, nearly_one).tolist() == [[2]]
    assert categorical(probs, torch.zeros_like(nearly_one)).tolist() == [[0]]


@pytest.mark.parametrize("top_p", [0.01, 0.3, 0.5, 0.9, 0.999, 1.0])
def test_nucleus_is_what_sorting_finds(top_p: float) -> None:
    rng = torch.Generator().manual_seed(1)
    probs = torch.randn(2, 30, 100, generator=rng).mul(3).softmax(-1)
    ordered, order = probs.sort(dim=-1, descending=True)
    before = ordered.double().cumsum(-1) - ordered.double()
    kept = torch.zeros_like(probs, dtype=torch.bool).scatter(-1, order, before < top_p)
    found = nucleus(probs, top_p)
    # Sums in another order may differ in the last bit, so only the mass is held to a tolerance.
    assert torch.allclose(found.sum(-1), (probs * kept).sum(-1), atol=1e-4)
    assert bool((found.sum(-1) >= top_p - 1e-5).all())
    assert torch.equal(found[found > 0], probs[found > 0])


def test_equals_at_the_edge_of_the_nucleus_stay_together() -> None:
    found = nucleus(torch.tensor([[[0.4, 0.2, 0.2, 0.2]]]), 0.5)
    assert (found > 0).tolist() == [[[True, True, True, True]]]


def test_top_p_draws_from_the_nucleus_only() -> None:
    logits = torch.tensor([0.4, 0.3, 0.2, 0.1]).log().expand(40, 50, 4)
    tokens = proposal(logits, temperature=1.0, top_p=0.6).tokens
    assert set(tokens.unique().tolist()) == {0, 1}
