"""A denoiser's belief about clean tokens, and what the token that it saw says about it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from redraft.errors import InputError
from redraft.types import Confidence, Probs, TokenMask, Tokens

__all__ = ["AlphaColumn", "Evidence", "VocabProbs", "normalised", "weigh"]

VocabProbs = Float[Tensor, " vocab"]
"""One probability per token id."""

AlphaColumn = Float[Tensor, "batch 1"]
"""One probability per row, ready to meet [batch, length]."""


def normalised(probs: Probs, *, without: int | None = None) -> Probs:
    """Scale each row to sum to one, after striking out one token.

    >>> normalised(torch.tensor([[[0.2, 0.3, 0.5]]]), without=2)
    tensor([[[0.4000, 0.6000, 0.0000]]])

    Args:
        probs: Rows of numbers, none negative.
        without: Token id that gets 0; None strikes out none.

    Returns:
        Probabilities.

    Raises:
        InputError: A row has nothing left, or holds NaN or infinity, or a negative number.
    """
    if without is not None:
        probs = probs.index_fill(-1, torch.tensor([without], device=probs.device), 0.0)
    totals = probs.sum(-1, keepdim=True)
    if not bool(((totals > 0.0) & totals.isfinite()).all()) or bool((probs < 0.0).any()):
        reason = "" if without is None else f" beside the mask (id {without})"
        raise InputError(
            f"x_0_probs has a row that is no distribution{reason} (smallest entry {probs.min().item():.3g}, smallest "
            f"sum {totals.min().item():.3g}); pass probabilities, for example logits.softmax(-1)"
        )
    return probs / totals


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What the token x_t = j seen at a position says about the belief p there, with q_k = q(x_t = j | x_0 = k).

    All q_k are alike, namely (1 - alpha_t) pi_j, but for k = j. So a sum over k of p_k / q_k needs no loop over k.
    """

    is_noise_possible: TokenMask
    """Whether j may be noise; where it can't, j is the clean token and the other fields mean nothing."""

    pi_j: Confidence
    """Probability of j under the noise."""

    clean_odds: Confidence
    """p_j / q_j."""

    doubt: Confidence
    """(1 - alpha_t) pi_j times the sum over k of p_k / q_k: 1 where p is sure that j is noise, else less."""


def weigh(x_t: Tokens, belief: Probs, *, alpha_t: AlphaColumn, noise_t: AlphaColumn, pi: VocabProbs) -> Evidence:
    """Compare the belief about x_0 with the token seen at time t.

    Args:
        x_t: Tokens at time t.
        belief: p(x_0 | x_t), without what clean text can't hold.
        alpha_t: P(token is still the clean one at t), per row.
        noise_t: 1 - alpha_t, taken before rounding to the type of ``belief``.
        pi: The noise distribution.

    Returns:
        What is needed of it in closed form.
    """
    seen = x_t.long()
    pi_j, p_j = pi[seen], belief.gather(-1, seen[..., None]).squeeze(-1)
    as_noise = noise_t * pi_j
    is_noise_possible = as_noise > 0.0
    clean_odds = p_j / torch.where(is_noise_possible, as_noise + alpha_t, 1.0)
    return Evidence(
        is_noise_possible=is_noise_possible,
        pi_j=pi_j,
        clean_odds=clean_odds,
        doubt=(1.0 - p_j) + as_noise * clean_odds,
    )
