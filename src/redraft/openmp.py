"""How threads wait for each other, which OpenMP reads once, before torch is loaded."""

from collections.abc import MutableMapping

__all__ = ["WAITING", "wait_awake"]

WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
"""The variables that say how; a user who sets one of them is obeyed."""

_SPINS = "20000"
"""Some tens of microseconds. With 5,000 a pass takes a tenth longer, and with more it does not get any shorter."""


def wait_awake(environment: MutableMapping[str, str]) -> None:
    """Let threads wait awake between products, for a moment, unless it is said how they wait.

    A pass of a small model is a hundred small products, and waking a thread takes as long as one of them. To spin for
    long is no use either: what a thread waits for may itself be waiting for the processor. How many threads there are
    is chosen as passes go (``redraft.denoiser.threads``).

    Args:
        environment: Variables of the process; written to.
    """
    if not any(name in environment for name in WAITING):
        environment["GOMP_SPINCOUNT"] = _SPINS
