"""Processes on a vocabulary of three, against tables built here from the forward kernel alone."""

import itertools

import pytest
import torch

from redraft.noise import Cosine, Hybrid, Linear, Masked, MixtureProcess, Polynomial, Uniform

VOCAB = 3
# Each process with its noise distribution, written out by hand.
PROCESSES = {
    "masked": (Masked(schedule=Linear(), vocab_size=3, mask_token_id=2), [0.0, 0.0, 1.0]),
    "masked-first-id": (Masked(schedule=Cosine(), vocab_size=3, mask_token_id=0), [1.0, 0.0, 0.0]),
    "uniform": (Uniform(schedule=Linear(), vocab_size=3), [1 / 3, 1 / 3, 1 / 3]),
    "hybrid": (
        Hybrid(schedule=Polynomial(power=2.0), vocab_size=3, mask_token_id=2, uniform_share=0.4),
        [0.2, 0.2, 0.6],
    ),
    "hybrid-all-uniform": (
        Hybrid(schedule=Linear(), vocab_size=3, mask_token_id=1, uniform_share=1.0),
        [0.5, 0.0, 0.5],
    ),
    "hybrid-all-mask": (Hybrid(schedule=Linear(), vocab_size=3, mask_token_id=1, uniform_share=0.0), [0.0, 1.0, 0.0]),
}
EVERY = pytest.mark.parametrize(("process", "pi"), PROCESSES.values(), ids=PROCESSES)
TIMES = [(0.0, 0.3), (0.2, 0.7), (0.5, 1.0), (0.0, 1.0), (0.65, 0.66)]


def _clean_ids(process: MixtureProcess) -> list[int]:
    return [token for token in range(VOCAB) if token != getattr(process, "mask_token_id", None)]


def _alpha(process: MixtureProcess, time: float) -> float:
    return process.schedule.alpha(torch.tensor([time], dtype=torch.float64)).item()


def _kernel(process: MixtureProcess, pi: list[float], s: float, t: float) -> torch.Tensor:
    """Table [x_s, x_t] of the forward step: keep with probability alpha_t / alpha_s, else draw from pi."""
    kept = _alpha(process, t) / _alpha(process, s)
    return kept * torch.eye(VOCAB, dtype=torch.float64) + (1 - kept) * torch.tensor(pi, dtype=torch.float64)


def _posterior(process: MixtureProcess, x_t: int, belief: list[float], s: float, t: float) -> torch.Tensor:
    return process.posterior(
        torch.tensor([[x_t]]),
        torch.tensor([[belief]], dtype=torch.float64),
        torch.tensor([s], dtype=torch.float64),
        torch.tensor([t], dtype=torch.float64),
    )[0, 0]


def _one_hot(token: int) -> list[float]:
    return [float(token == other) for other in range(VOCAB)]


def _assert_drawn_from(tokens: torch.Tensor, probs: torch.Tensor) -> None:
    """Chi-square at 99.9 %; what has no probability must not occur at all."""
    counts = torch.bincount(tokens.flatten(), minlength=VOCAB).double()
    expected = probs * counts.sum()
    possible = expected > 0
    assert counts[~possible].sum() == 0
    chi_square = ((counts - expected)[possible] ** 2 / expected[possible]).sum().item()
    assert chi_square < {1: 1e-6, 2: 10.83, 3: 13.82}[int(possible.sum())]


@EVERY
def test_noise_probs_are_the_written_out_ones(process: MixtureProcess, pi: list[float]) -> None:
    torch.testing.assert_close(process.noise_probs(), torch.tensor(pi, dtype=torch.float64))


@EVERY
@pytest.mark.parametrize("time", [0.0, 0.35, 0.8, 1.0])
def test_corrupt_draws_the_marginal(process: MixtureProcess, pi: list[float], time: float) -> None:
    rng = torch.Generator().manual_seed(int(time * 100))
    for token in _clean_ids(process):
        x_t = process.corrupt(torch.full((100, 200), token), torch.full((100,), time), rng)
        _assert_drawn_from(x_t, _kernel(process, pi, 0.0, time)[token])


@EVERY
def test_corrupt_uses_the_time_of_each_row(process: MixtureProcess, pi: list[float]) -> None:
    token = _clean_ids(process)[0]
    times = torch.tensor([0.0, 0.5, 1.0])
    x_t = process.corrupt(torch.full((3, 20000), token), times, torch.Generator().manual_seed(8))
    for row, time in zip(x_t, times.tolist(), strict=True):
        _assert_drawn_from(row, _kernel(process, pi, 0.0, time)[token])


@EVERY
def test_prior_is_pure_noise(process: MixtureProcess, pi: list[float]) -> None:
    x_1 = process.prior(100, 200, torch.Generator().manual_seed(4))
    assert x_1.shape == (100, 200)
    _assert_drawn_from(x_1, torch.tensor(pi, dtype=torch.float64))


@EVERY
@pytest.mark.parametrize(("s", "t"), TIMES)
def test_posterior_is_bayes_for_a_known_clean_token(
    process: MixtureProcess, pi: list[float], s: float, t: float
) -> None:
    num_checked = 0
    for x_0, x_t in itertools.product(_clean_ids(process), range(VOCAB)):
        joint = _kernel(process, pi, 0.0, s)[x_0] * _kernel(process, pi, s, t)[:, x_t]
        if joint.sum() > 0:
            torch.testing.assert_close(_posterior(process, x_t, _one_hot(x_0), s, t), joint / joint.sum())
            num_checked += 1
    assert num_checked >= 2


@EVERY
@pytest.mark.parametrize(("s", "t"), TIMES)
def test_posterior_mixes_over_the_belief(process: MixtureProcess, pi: list[float], s: float, t: float) -> None:
    first, *_, last = _clean_ids(process)
    belief = [0.0] * VOCAB
    belief[first], belief[last] = 0.3, 0.7
    for x_t in range(VOCAB):
        possible = [x_0 for x_0 in _clean_ids(process) if _kernel(process, pi, 0.0, t)[x_0, x_t] > 0]
        if set(possible) == set(_clean_ids(process)):
            expected = sum(
                (belief[x_0] * _posterior(process, x_t, _one_hot(x_0), s, t) for x_0 in possible), torch.zeros(())
            )
        else:
            expected = torch.tensor(_one_hot(x_t))
        torch.testing.assert_close(_posterior(process, x_t, belief, s, t), expected, check_dtype=False)


@EVERY
@pytest.mark.parametrize(("s", "t"), TIMES)
def test_two_steps_equal_one(process: MixtureProcess, pi: list[float], s: float, t: float) -> None:
    for x_0 in _clean_ids(process):
        marginal_t = _kernel(process, pi, 0.0, t)[x_0]
        back = torch.stack([_posterior(process, x_t, _one_hot(x_0), s, t) for x_t in range(VOCAB)])
        torch.testing.assert_close(marginal_t @ back, _kernel(process, pi, 0.0, s)[x_0])


@EVERY
def test_posterior_frequencies_of_a_simulated_chain(process: MixtureProcess, pi: list[float]) -> None:
    # Corrupt to s, take the forward step to t by hand, and look back from each x_t.
    s, t, rng = 0.4, 0.7, torch.Generator().manual_seed(21)
    x_0 = _clean_ids(process)[-1]
    x_s = process.corrupt(torch.full((1, 60000), x_0), torch.tensor([s]), rng)[0]
    x_t = torch.multinomial(_kernel(process, pi, s, t)[x_s], 1, generator=rng)[:, 0]
    seen = [token for token in range(VOCAB) if (x_t == token).sum() > 1000]
    assert len(seen) >= 2
    for token in seen:
        _assert_drawn_from(x_s[x_t == token], _posterior(process, token, _one_hot(x_0), s, t))


@EVERY
@pytest.mark.parametrize(("s", "t"), TIMES)
def test_exact_belief_gives_the_exact_reverse_step(
    process: MixtureProcess, pi: list[float], s: float, t: float
) -> None:
    # Two dependent tokens of a known joint distribution: p(x_s at one place | whole x_t) by summing over everything.
    ids = _clean_ids(process)
    joint = torch.zeros(VOCAB, VOCAB, dtype=torch.float64)
    values = torch.rand(len(ids), len(ids), generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    joint[torch.tensor(ids)[:, None], torch.tensor(ids)] = values / values.sum()
    to_s, s_to_t, to_t = (_kernel(process, pi, *pair) for pair in ((0.0, s), (s, t), (0.0, t)))
    for x_t in itertools.product(range(VOCAB), repeat=2):
        weights_0 = joint * to_t[:, x_t[0], None] * to_t[None, :, x_t[1]]
        if weights_0.sum() == 0:
            continue
        belief = (weights_0 / weights_0.sum()).sum(1)
        weights_s = torch.einsum("ab,ai,bj->ij", joint, to_s, to_s) * s_to_t[:, x_t[0], None] * s_to_t[None, :, x_t[1]]
        expected = (weights_s / weights_s.sum()).sum(1)
        torch.testing.assert_close(_posterior(process, x_t[0], belief.tolist(), s, t), expected)
