"""Bounds on a vocabulary of three and texts of two tokens, where every sum can be written out."""

import itertools
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from redraft.noise import (
    Cosine,
    Hybrid,
    Linear,
    Masked,
    MixtureProcess,
    NoiseSchedule,
    Polynomial,
    Uniform,
    continuous_bound,
    continuous_rate,
    discrete_bound,
    loss_weight,
    step_divergence,
)

VOCAB = 3
STATES = torch.tensor(list(itertools.product(range(VOCAB), repeat=2)))  # [9, 2], every text of two tokens


def _processes(schedule: NoiseSchedule) -> dict[str, MixtureProcess]:
    return {
        "masked": Masked(schedule=schedule, vocab_size=VOCAB, mask_token_id=2),
        "uniform": Uniform(schedule=schedule, vocab_size=VOCAB),
        "hybrid": Hybrid(schedule=schedule, vocab_size=VOCAB, mask_token_id=2, uniform_share=0.3),
    }


PROCESSES = _processes(Linear())
EVERY = pytest.mark.parametrize("process", PROCESSES.values(), ids=PROCESSES)


BeliefAt = Callable[[float], torch.Tensor]
"""A model: what it believes at time t, as a table [9, 2, 3] by the state it sees."""


def _any_belief(seed: int) -> torch.Tensor:
    """A model that has learnt nothing, and doesn't look at t."""
    return torch.randn(9, 2, VOCAB, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).softmax(-1)


class AwareModel:
    """Has learnt nothing either, but knows that at an early time what it sees is likely right.

    Without that the continuous bound of a uniform process is infinite.
    """

    def __init__(self, process: MixtureProcess, seed: int) -> None:
        self.process, self.soft = process, _any_belief(seed)

    def belief(self, state: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        alpha = self.process.schedule.alpha(t)[:, None, None]
        seen = STATES[state]
        likelihood = alpha * F.one_hot(seen, VOCAB) + (1 - alpha) * self.process.noise_probs()[seen][..., None]
        belief = self.soft[state] * likelihood + 1e-300  # the last for a state that can't occur
        return belief / belief.sum(-1, keepdim=True)

    def at(self, t: float) -> torch.Tensor:
        return self.belief(torch.arange(9), _full(t))

    def __call__(self, canvas: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return self.belief(VOCAB * canvas[:, 0] + canvas[:, 1], t).log()


def _data(process: MixtureProcess) -> torch.Tensor:
    """A joint distribution of two tokens that mostly agree, by state; a mask never occurs."""
    joint = torch.tensor([[5.0, 1.0, 0.5], [0.5, 3.0, 1.0], [1.0, 0.5, 2.0]], dtype=torch.float64).reshape(9)
    joint[(getattr(process, "mask_token_id", -1) == STATES).any(1)] = 0.0
    return joint / joint.sum()


def _marginals(process: MixtureProcess, t: float) -> torch.Tensor:
    """q(x_t | x_0) as a table [x_0, x_t] over states."""
    alpha = process.schedule.alpha(torch.tensor([t], dtype=torch.float64))
    one = alpha * torch.eye(VOCAB, dtype=torch.float64) + (1 - alpha) * process.noise_probs()
    return torch.einsum("ai,bj->abij", one, one).reshape(9, 9)


def _bayes(process: MixtureProcess, data: torch.Tensor, t: float) -> torch.Tensor:
    """The belief p(x_0 at each place | x_t) as a table [9, 2, 3]; anything where x_t can't occur."""
    joint = data[:, None] * _marginals(process, t)
    seen = joint.sum(0)
    whole = torch.where(seen > 0, joint / torch.where(seen > 0, seen, 1.0), data[:, None]).T.reshape(9, VOCAB, VOCAB)
    return torch.stack([whole.sum(2), whole.sum(1)], dim=1)


def _entropy(data: torch.Tensor) -> float:
    return -torch.xlogy(data, data).sum().item()


def _full(value: float, rows: int = 9) -> torch.Tensor:
    return torch.full((rows,), value, dtype=torch.float64)


def _over_pairs(
    process: MixtureProcess, t: float, belief: torch.Tensor, loss_of: Callable[..., torch.Tensor]
) -> torch.Tensor:
    """The expected loss of every x_0, by summing over every x_t; 0 where x_0 is no text."""
    texts = _is_text(process).nonzero().flatten()
    x_t, x_0 = STATES.repeat(len(texts), 1), STATES[texts].repeat_interleave(9, 0)
    loss = loss_of(x_t, x_0, belief.repeat(len(texts), 1, 1)).sum(1).reshape(-1, 9)
    weights = _marginals(process, t)[texts]
    return torch.zeros(9, dtype=torch.float64).index_put((texts,), torch.where(weights > 0, weights * loss, 0.0).sum(1))


def _exact_discrete(process: MixtureProcess, belief_at: BeliefAt, num_steps: int) -> torch.Tensor:
    """The bound of every x_0."""
    total = torch.zeros(9, dtype=torch.float64)
    for step in range(1, num_steps + 1):
        s, t = (step - 1) / num_steps, step / num_steps

        def loss_of(
            x_t: torch.Tensor, x_0: torch.Tensor, probs: torch.Tensor, s: float = s, t: float = t
        ) -> torch.Tensor:
            return step_divergence(process, x_t, x_0, probs, _full(s, len(x_t)), _full(t, len(x_t)))

        total += _over_pairs(process, t, belief_at(t), loss_of)
    return total


def _exact_nll(process: MixtureProcess, belief_at: BeliefAt, num_steps: int) -> torch.Tensor:
    """-log p(x_0) of the sampler that steps back from pure noise, by summing over every path."""
    pi = process.noise_probs()
    probs = torch.einsum("a,b->ab", pi, pi).reshape(9)
    for step in range(num_steps, 0, -1):
        s, t = (step - 1) / num_steps, step / num_steps
        back = process.posterior(STATES, belief_at(t), _full(s), _full(t))
        probs = probs @ torch.einsum("xa,xb->xab", back[:, 0], back[:, 1]).reshape(9, 9)
    return -probs.log()


def _exact_continuous(process: MixtureProcess, belief_at: BeliefAt, nodes: int = 160) -> torch.Tensor:
    """The bound of every x_0: the midpoint rule on t = a smooth step of u, dense at both ends."""
    total = torch.zeros(9, dtype=torch.float64)
    for node in range(nodes):
        u = (node + 0.5) / nodes
        t, stretch = u**3 * (10 - 15 * u + 6 * u**2), 30 * u**2 * (1 - u) ** 2

        def loss_of(x_t: torch.Tensor, x_0: torch.Tensor, probs: torch.Tensor, t: float = t) -> torch.Tensor:
            return continuous_rate(process, x_t, x_0, probs, _full(t, len(x_t)))

        total += _over_pairs(process, t, belief_at(t), loss_of) * stretch / nodes
    return total


def _assert_estimates(nats: torch.Tensor, exact: torch.Tensor) -> None:
    error = nats.std() / len(nats) ** 0.5
    assert (nats.mean() - exact).abs() < 4 * error
    assert 4 * error < 0.05 * exact


def _is_text(process: MixtureProcess) -> torch.Tensor:
    return _data(process) > 0


@EVERY
@pytest.mark.parametrize("num_steps", [1, 2, 5])
@pytest.mark.parametrize("seed", range(5))
def test_discrete_bound_is_above_the_true_nll(process: MixtureProcess, num_steps: int, seed: int) -> None:
    belief = _any_belief(seed)
    bound = _exact_discrete(process, lambda t: belief, num_steps)[_is_text(process)]
    nll = _exact_nll(process, lambda t: belief, num_steps)[_is_text(process)]
    assert (bound >= nll - 1e-12).all()
    if num_steps == 1 and isinstance(process, Masked):
        # One step from one possible noise: nothing is left to bound.
        torch.testing.assert_close(bound, nll)
    else:
        assert (bound > nll + 1e-4).any()


@EVERY
def test_true_nll_is_that_of_a_distribution(process: MixtureProcess) -> None:
    nll = _exact_nll(process, lambda t: _any_belief(1), 4)
    assert (-nll[_is_text(process)]).exp().sum().item() == pytest.approx(1.0, abs=1e-12)


@EVERY
def test_discrete_bound_estimates_the_sum(process: MixtureProcess) -> None:
    model, rows = AwareModel(process, 11), 20000
    exact = _exact_discrete(process, model.at, 3)
    for index in (1, 4):
        rng = torch.Generator().manual_seed(index)
        nats = discrete_bound(process, model, STATES[index].expand(rows, 2), num_steps=3, rng=rng).sum(1)
        _assert_estimates(nats, exact[index])


@EVERY
def test_with_the_exact_belief_the_discrete_bound_falls_to_the_entropy(process: MixtureProcess) -> None:
    data = _data(process)
    gaps = []
    for num_steps in (1, 4, 16, 48):
        bound = _exact_discrete(process, lambda t: _bayes(process, data, t), num_steps)
        gaps.append((data * bound).sum().item() - _entropy(data))
    assert gaps[-1] > 0
    assert all(later < 0.5 * earlier for earlier, later in itertools.pairwise(gaps))
    assert gaps[0] > 0.05
    assert gaps[-1] < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("schedule", [Linear(), Cosine(), Polynomial(power=3.0)], ids=["linear", "cosine", "cubic"])
def test_with_the_exact_belief_the_continuous_bound_is_the_entropy(name: str, schedule: NoiseSchedule) -> None:
    process = _processes(schedule)[name]
    data = _data(process)
    bound = _exact_continuous(process, lambda t: _bayes(process, data, t))
    assert (data * bound).sum().item() == pytest.approx(_entropy(data), abs=5e-4)


@pytest.mark.slow
@EVERY
def test_with_a_wrong_belief_the_continuous_bound_is_above_the_entropy(process: MixtureProcess) -> None:
    data = _data(process)
    for seed in range(2):
        bound = _exact_continuous(process, AwareModel(process, seed).at)
        assert (data * bound).sum().item() > _entropy(data) + 0.1


@pytest.mark.slow
@EVERY
def test_continuous_bound_is_the_limit_of_many_steps(process: MixtureProcess) -> None:
    belief_at = AwareModel(process, 2).at
    limit = _exact_continuous(process, belief_at)[_is_text(process)]
    coarse, fine = (_exact_discrete(process, belief_at, steps)[_is_text(process)] for steps in (20, 160))
    assert ((fine - limit).abs() < 0.3 * (coarse - limit).abs() + 1e-4).all()
    torch.testing.assert_close(fine, limit, rtol=0.02, atol=0.0)


@EVERY
def test_continuous_rate_is_the_limit_of_one_small_step(process: MixtureProcess) -> None:
    belief = _any_belief(4)
    for t in (0.1, 0.5, 0.9):
        for index in _is_text(process).nonzero().flatten().tolist():
            x_0, seen = STATES[index].expand(9, 2), _marginals(process, t)[index] > 0
            rate = continuous_rate(process, STATES, x_0, belief, _full(t))[seen]
            step = step_divergence(process, STATES, x_0, belief, _full(t - 1e-6), _full(t))[seen] / 1e-6
            torch.testing.assert_close(rate, step, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
@EVERY
def test_continuous_bound_estimates_the_integral(process: MixtureProcess) -> None:
    model, rows = AwareModel(process, 12), 20000
    exact = _exact_continuous(process, model.at)
    for index in (1, 4):
        rng = torch.Generator().manual_seed(index)
        nats = continuous_bound(process, model, STATES[index].expand(rows, 2), num_samples=4, rng=rng).sum(1)
        _assert_estimates(nats, exact[index])


@pytest.mark.parametrize("schedule", [Linear(), Cosine(), Polynomial(power=3.0)], ids=["linear", "cosine", "cubic"])
def test_masked_rate_is_the_weighted_cross_entropy(schedule: NoiseSchedule) -> None:
    process = Masked(schedule=schedule, vocab_size=VOCAB, mask_token_id=2)
    t = torch.tensor([0.3, 0.8], dtype=torch.float64)
    x_0, x_t = torch.tensor([[0, 1], [1, 0]]), torch.tensor([[2, 1], [2, 2]])
    probs = torch.tensor([0.25, 0.75, 0.0], dtype=torch.float64).expand(2, 2, 3)
    expected = -loss_weight(schedule, t)[:, None] * probs.gather(-1, x_0[..., None])[..., 0].log() * (x_t == 2)
    torch.testing.assert_close(continuous_rate(process, x_t, x_0, probs, t), expected)


def test_uniform_rate_is_the_published_one() -> None:
    # UDLM (arXiv 2412.10193) puts a belief y that has not seen x_t at its own place into the formula as one soft token.
    # By Bayes, y and ours are related by p_k ~ y_k q(x_t | x_0 = k).
    process = Uniform(schedule=Cosine(), vocab_size=VOCAB)
    soft = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    for time, seen, true in itertools.product((0.2, 0.6, 0.95), range(VOCAB), range(VOCAB)):
        t = torch.tensor([time], dtype=torch.float64)
        alpha, slope = process.schedule.alpha(t).item(), process.schedule.alpha_prime(t).item()
        right = VOCAB * alpha * torch.eye(VOCAB, dtype=torch.float64)[true] + 1 - alpha
        said = VOCAB * alpha * soft + 1 - alpha
        ratios = right / right[seen] * (said[seen] / said * right / right[seen]).log()
        published = -slope / (VOCAB * alpha) * (VOCAB / said[seen] - VOCAB / right[seen] + ratios.sum())
        likelihood = alpha * torch.eye(VOCAB, dtype=torch.float64)[seen] + (1 - alpha) / VOCAB
        belief = soft * likelihood / (soft * likelihood).sum()
        rate = continuous_rate(process, torch.tensor([[seen]]), torch.tensor([[true]]), belief.expand(1, 1, VOCAB), t)
        torch.testing.assert_close(rate[0, 0], published)
