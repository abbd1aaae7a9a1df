"""Which problems may be trained on: a hash of the canonical problem decides, so no wording can leak one.

The two demo problems of the README are never in `train`, however they are spelled: their keys are listed here, and the
tests derive the same keys from many spellings and phrasings.
"""

import hashlib
from collections.abc import Callable
from typing import TypeVar

from redraft.errors import ConfigError
from redraft.tasks.problem import Split

__all__ = ["DEMO_KEYS", "DEV_SHARE", "SPLITS", "TEST_SHARE", "draw_from_split", "split_of"]

Drawn = TypeVar("Drawn")

SPLITS: tuple[Split, ...] = ("train", "dev", "test")
"""All parts, in the order people name them."""

TEST_SHARE = 0.05
"""Share of all keys that only the final evaluation sees."""

DEV_SHARE = 0.02
"""Share of all keys that validation during training sees."""

DEMO_KEYS = frozenset(
    {
        "arithmetic:((((2/3)*(sqrt(81)))^2)+((15-3)/(2^2)))",
        # Without the brackets around 2/3 the product comes first, (√81 × 2) ÷ 3. It asks the same of a reader.
        "arithmetic:(((((sqrt(81))*2)/3)^2)+((15-3)/(2^2)))",
        # All bounds around 150 and 250 with the same primes between them share this key.
        "primes:151-241",
    }
)
"""Keys that `split_of` always puts into the test split."""

_HASH_RANGE = 1 << 64


def split_of(key: str) -> Split:
    """The part of the data that a canonical key belongs to.

    >>> split_of("primes:151-241")
    'test'
    """
    if key in DEMO_KEYS:
        return "test"
    digest = hashlib.sha256(key.encode("utf-8")).digest()
    place = int.from_bytes(digest[:8], "big") / _HASH_RANGE
    if place < TEST_SHARE:
        return "test"
    if place < TEST_SHARE + DEV_SHARE:
        return "dev"
    return "train"


def draw_from_split(
    draw: Callable[[], Drawn | None], key_of: Callable[[Drawn], str], split: Split | None, *, attempts: int = 1000
) -> Drawn:
    """Draw until something belongs to a split.

    Args:
        draw: One draw; None: it came to nothing.
        key_of: Canonical key of what was drawn.
        split: The split; None: any.
        attempts: Most draws. One in twenty problems is held out, so only dials that leave a few problems need so many.

    Returns:
        The first that belongs there.

    Raises:
        ConfigError: If there was none.
    """
    for _ in range(attempts):
        drawn = draw()
        if drawn is not None and (split is None or split_of(key_of(drawn)) == split):
            return drawn
    raise ConfigError(f"these dials leave no problem of the split {split}: none in {attempts} draws; widen the dials")
