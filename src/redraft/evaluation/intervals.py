"""How sure a share is."""

import math

__all__ = ["difference_interval", "wilson_interval"]

_Z_95 = 1.959963984540054
"""97.5 % quantile of the normal distribution: two-sided 95 %."""


def wilson_interval(successes: int, total: int) -> tuple[float, float]:
    """95 % interval of a share, by Wilson's score (JASA 22, 1927), which holds up at few trials and near 0 and 1.

    (p + z²/2n ± z √(p(1 - p)/n + z²/4n²)) / (1 + z²/n)

    >>> low, high = wilson_interval(9, 10)
    >>> round(low, 3), round(high, 3)
    (0.596, 0.982)

    Args:
        successes: How many of the trials.
        total: Number of trials; with none the share may be anything.

    Returns:
        Its two ends, in [0, 1].
    """
    assert 0 <= successes <= total, f"{successes} of {total} is no share"
    if total == 0:
        return 0.0, 1.0
    share, z_squared = successes / total, _Z_95**2
    middle = share + z_squared / (2 * total)
    spread = _Z_95 * math.sqrt(share * (1 - share) / total + z_squared / (4 * total**2))
    scale = 1 + z_squared / total
    # At none and at all the exact ends are 0 and 1; rounding must not say otherwise.
    low = 0.0 if successes == 0 else (middle - spread) / scale
    high = 1.0 if successes == total else (middle + spread) / scale
    return low, high


def difference_interval(one: tuple[int, int], other: tuple[int, int]) -> tuple[float, float]:
    """95 % interval of one share minus another, from their Wilson intervals (Newcombe 1998, method 10).

    For two independent samples; where both were asked the same questions it is wider than it needs to be.

    >>> low, high = difference_interval((56, 70), (48, 80))
    >>> round(low, 4), round(high, 4)
    (0.0524, 0.3339)

    Args:
        one: Successes and trials of the first.
        other: Those of the second.

    Returns:
        Its two ends, in [-1, 1].
    """
    (p, (low_p, high_p)), (q, (low_q, high_q)) = (
        (successes / total if total else 0.5, wilson_interval(successes, total)) for successes, total in (one, other)
    )
    return p - q - math.hypot(p - low_p, high_q - q), p - q + math.hypot(high_p - p, q - low_q)
