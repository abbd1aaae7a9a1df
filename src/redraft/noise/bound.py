"""Upper bounds on the negative log-likelihood of a text, for evaluation; the training loss is in ``objective``.

Both bounds are averages over noised copies of the text, so the estimates are unbiased but noisy, and an estimate for
one text may fall below its true value. They are in nats per position: sum the positions of a row for its bound.

There is no prior term: alpha(1) = 0 makes x_1 the same noise for every text. There is no separate reconstruction term:
the step that ends at t=0 is one, since its divergence is -log p(x_0 | x_t).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F

from redraft.errors import ConfigError
from redraft.noise.belief import weigh
from redraft.noise.process import MixtureProcess, Process
from redraft.noise.schedule import loss_weight
from redraft.types import Confidence, Logits, Probs, Times, TokenMask, Tokens

__all__ = ["DenoiseFn", "continuous_bound", "continuous_rate", "discrete_bound", "step_divergence"]

DenoiseFn = Callable[[Tokens, Times], Logits]
"""Scores the clean tokens of a canvas x_t at times t: ``Denoiser.denoise``, with its context in place and t unused."""


def continuous_bound(
    process: MixtureProcess,
    denoise: DenoiseFn,
    x_0: Tokens,
    *,
    num_samples: int,
    rng: torch.Generator,
    is_scored: TokenMask | None = None,
) -> Confidence:
    """Estimate the bound of infinitely many small steps: the integral of ``continuous_rate`` over t.

    For ``Masked`` it is the bound of MDLM (arXiv 2406.07524), for ``Uniform`` that of UDLM (arXiv 2412.10193) with the
    belief p(x_0 | x_t) that cross-entropy teaches. It does not depend on the schedule.

    For ``Uniform`` and ``Hybrid`` it is infinite if the model keeps a doubt about visible tokens as t goes to 0, as one
    that does not look at t must: it would change its mind in each of infinitely many steps. An estimate is then finite
    by chance and grows with ``num_samples``; use ``discrete_bound`` for such a model.

    Args:
        process: How the text is noised.
        denoise: The model; it is called ``num_samples`` times.
        x_0: Clean texts; no mask in them.
        num_samples: Noised copies of each text, spread over all times, more of them near the clean end.
        rng: Source of every draw.
        is_scored: Positions to score; the others stay clean, so the bound is on p(scored | others). None scores all.

    Returns:
        Nats per position, 0 where not scored.

    Raises:
        ConfigError: There is no sample.
    """
    if num_samples < 1:
        raise ConfigError(f"num_samples={num_samples} estimates nothing; use 1 or more, for example 128")
    total = torch.zeros(x_0.shape, dtype=torch.float64, device=x_0.device)
    for sample in range(num_samples):
        # 1. t = u^2, with u even over this sample's slice of [0, 1]. Near t=0 the rate is about 1/t with probability t,
        #    so even times would have infinite variance. The middle of one of 2^30 cells is never 0 or 1 itself.
        cell = torch.randint(2**30, x_0.shape[:1], generator=rng, device=rng.device).to(x_0.device)
        u = (sample + (cell.double() + 0.5) / 2**30) / num_samples
        t, t_per_u = u**2, 2.0 * u
        # 2. The rate there, per unit of u.
        x_t = _noised(process, x_0, t, rng, is_scored)
        x_0_probs = denoise(x_t, t).double().softmax(-1)
        total += t_per_u[:, None] * continuous_rate(process, x_t, x_0, x_0_probs, t)
    return _only_scored(total / num_samples, is_scored)


def discrete_bound(
    process: Process,
    denoise: DenoiseFn,
    x_0: Tokens,
    *,
    num_steps: int,
    rng: torch.Generator,
    is_scored: TokenMask | None = None,
) -> Confidence:
    """Estimate the bound of a sampler that draws x_s from ``process.posterior`` in ``num_steps`` equal steps.

    sum over n of E KL(q(x_s | x_t, x_0) || p(x_s | x_t)), with t = n / num_steps and s = (n - 1) / num_steps.
    Few steps cost more, since positions that change in the same step don't see each other.

    Args:
        process: How the text is noised.
        denoise: The model; it is called ``num_steps`` times.
        x_0: Clean texts; no mask in them.
        num_steps: Steps from noise to text; each is measured on one noised copy.
        rng: Source of every draw.
        is_scored: Positions to score; the others stay clean, so the bound is on p(scored | others). None scores all.

    Returns:
        Nats per position, 0 where not scored.

    Raises:
        ConfigError: There is no step.
    """
    if num_steps < 1:
        raise ConfigError(f"num_steps={num_steps} leaves all noise in; use 1 or more, for example 128")
    total = torch.zeros(x_0.shape, dtype=torch.float64, device=x_0.device)
    for step in range(1, num_steps + 1):
        t = torch.full(x_0.shape[:1], step / num_steps, dtype=torch.float64, device=x_0.device)
        s = torch.full_like(t, (step - 1) / num_steps)
        x_t = _noised(process, x_0, t, rng, is_scored)
        x_0_probs = denoise(x_t, t).double().softmax(-1)
        total += step_divergence(process, x_t, x_0, x_0_probs, s, t)
    return _only_scored(total, is_scored)


def step_divergence(process: Process, x_t: Tokens, x_0: Tokens, x_0_probs: Probs, s: Times, t: Times) -> Confidence:
    """KL(q(x_s | x_t, x_0) || p(x_s | x_t)) at each position: what the model loses in the step from t to s.

    >>> from redraft.noise import Linear, Uniform
    >>> process = Uniform(schedule=Linear(), vocab_size=2)
    >>> x_t, x_0, x_0_probs = torch.tensor([[1]]), torch.tensor([[0]]), torch.tensor([[[0.5, 0.5]]])
    >>> step_divergence(process, x_t, x_0, x_0_probs, torch.tensor([0.0]), torch.tensor([0.5]))  # log 2
    tensor([[0.6931]])

    Args:
        process: How the text is noised.
        x_t: Tokens at time t.
        x_0: The clean tokens.
        x_0_probs: The denoiser's belief about them.
        s: Cleaner time per row, at most its t.
        t: Time of ``x_t`` per row.

    Returns:
        Nats, at least 0 up to rounding; infinite where the model rules out the truth.
    """
    truth = F.one_hot(x_0.long(), x_0_probs.shape[-1]).to(x_0_probs)
    q = process.posterior(x_t, truth, s, t)
    p = process.posterior(x_t, x_0_probs, s, t)
    return (torch.xlogy(q, q) - torch.xlogy(q, p)).sum(-1)


def continuous_rate(process: MixtureProcess, x_t: Tokens, x_0: Tokens, x_0_probs: Probs, t: Times) -> Confidence:
    """What the model loses per unit of time at t: the limit of ``step_divergence`` / (t - s) for s towards t.

    Backwards in time x_t = j jumps to another i at the rate -alpha' / (alpha (1 - alpha)) * m_i, with
    m_i = alpha p_i + (1 - alpha) pi_i * doubt (see ``Evidence``). With m for the model's belief and m* for the truth,
    the loss is -alpha' / (alpha (1 - alpha)) * sum over i != j of (m_i - m*_i + m*_i log(m*_i / m_i)). For a masked
    position that is ``loss_weight`` times the cross-entropy, for a visible one 0.

    >>> from redraft.noise import Linear, Masked
    >>> process = Masked(schedule=Linear(), vocab_size=3, mask_token_id=2)
    >>> x_t, x_0, x_0_probs = torch.tensor([[2]]), torch.tensor([[0]]), torch.tensor([[[0.5, 0.5, 0.0]]])
    >>> continuous_rate(process, x_t, x_0, x_0_probs, torch.tensor([0.25]))  # 1/t log 2
    tensor([[2.7726]])

    Args:
        process: How the text is noised.
        x_t: Tokens at time t.
        x_0: The clean tokens.
        x_0_probs: The denoiser's belief about them, best in float64.
        t: Time of ``x_t`` per row, in (0, 1).

    Returns:
        Nats per unit of time, at least 0 up to rounding; infinite where the model rules out the truth.
    """
    # 1. The two beliefs, weighed against x_t.
    belief = process.clean_probs(x_0_probs)
    truth = F.one_hot(x_0.long(), belief.shape[-1]).to(belief)
    alpha = process.schedule.alpha(t).to(belief)[:, None]
    pi = process.noise_probs().to(belief)
    model, target = (weigh(x_t, probs, alpha_t=alpha, noise_t=1.0 - alpha, pi=pi) for probs in (belief, truth))
    # 2. m_i / alpha and m*_i / alpha.
    noise = ((1.0 - alpha) / alpha)[..., None] * pi
    said, right = belief + noise * model.doubt[..., None], truth + noise * target.doubt[..., None]
    # 3. Their difference, taken from its small parts: doubt - doubt* = -alpha (clean_odds - clean_odds*).
    drop = (1.0 - alpha) * (target.clean_odds - model.clean_odds)
    gap = (belief - truth) + drop[..., None] * pi
    # 4. Each form of log(m / m*) is exact where the other loses digits: close to the truth, and far below it.
    is_jump = right > 0.0
    share = gap / torch.where(is_jump, right, 1.0)
    log_ratio = torch.where(share.abs() < 0.5, torch.log1p(share.clamp_min(-0.5)), torch.log(said) - torch.log(right))
    loss = gap - torch.where(is_jump, right * log_ratio, 0.0)
    # 5. Staying at j is no jump, and where x_t can't be noise there is none at all.
    loss = loss.scatter(-1, x_t.long()[..., None], 0.0).sum(-1)
    return torch.where(target.is_noise_possible, loss_weight(process.schedule, t).to(belief)[:, None] * loss, 0.0)


def _noised(process: Process, x_0: Tokens, t: Times, rng: torch.Generator, is_scored: TokenMask | None) -> Tokens:
    """Corrupt the scored positions only."""
    x_t = process.corrupt(x_0, t, rng)
    return x_t if is_scored is None else torch.where(is_scored, x_t, x_0)


def _only_scored(nats: Confidence, is_scored: TokenMask | None) -> Confidence:
    """Zero at the positions that aren't scored."""
    return nats if is_scored is None else nats.masked_fill(~is_scored, 0.0)
