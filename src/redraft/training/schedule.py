"""The learning rate over a run."""

__all__ = ["lr_schedule"]


def lr_schedule(step: int, progress: float, *, warmup_steps: int, cooldown: float, final_lr: float = 0.0) -> float:
    """Return the learning rate as a share of its peak: warm-up, plateau, linear cooldown (WSD, arXiv 2404.06395).

    The warm-up counts steps, since it protects the optimiser's state; the cooldown follows progress, so it ends with
    the run whether that is limited by steps or by time.

    >>> [lr_schedule(s, s / 10, warmup_steps=2, cooldown=0.5) for s in (0, 1, 5, 7, 10)]
    [0.5, 1.0, 1.0, 0.6000000000000001, 0.0]

    Args:
        step: Number of the step, from 0.
        progress: Share of the run that is done, in [0, 1].
        warmup_steps: Steps until the peak.
        cooldown: Share of the run, at its end, over which the rate falls.
        final_lr: Share of the peak at the end.

    Returns:
        A factor in [0, 1].
    """
    warmup = min(1.0, (step + 1) / warmup_steps) if warmup_steps else 1.0
    left = max(0.0, 1.0 - progress)
    fall = 1.0 if left >= cooldown else final_lr + (1.0 - final_lr) * left / cooldown
    return warmup * fall
