"""Room for a text to grow in place: [NULL] slots spread through it, which read as nothing."""

from collections.abc import Sequence

from redraft.errors import ConfigError

__all__ = ["SLACK_EVERY", "with_slack", "without_slack"]

SLACK_EVERY = 8
"""Most pieces of words between one slot and the next."""


def with_slack(tokens: Sequence[int], null: int, *, every: int = SLACK_EVERY, at_least: int = 2) -> list[int]:
    """Spread [NULL] slots evenly through a text: one before it, one behind it, and about one in ``every`` tokens.

    Slot k of n stands before token round(k · length / (n - 1)), so where the slots are follows from the length alone.

    >>> with_slack([1, 2, 3, 4, 5, 6], 0, every=3)
    [0, 1, 2, 3, 0, 4, 5, 6, 0]
    >>> with_slack([], 0)
    [0, 0]

    Args:
        tokens: The text; slots that are in it already stay and are not counted.
        null: Id of [NULL].
        every: Most tokens between one slot and the next, 1 or more.
        at_least: Least number of slots, 2 or more.

    Returns:
        The text with its slots.

    Raises:
        ConfigError: If a number is too small.
    """
    if every < 1:
        raise ConfigError(f"every={every} leaves no token between two slots; use 1 or more, for example 8")
    if at_least < 2:
        raise ConfigError(f"at_least={at_least} is too small; one slot goes before the text and one behind: use 2")
    length = len(tokens)
    num_slots = max(at_least, -(-length // every) + 1)
    slacked: list[int] = []
    begin = 0
    for slot in range(num_slots):
        # Half up in whole numbers: the same on every machine.
        end = (2 * slot * length + num_slots - 1) // (2 * (num_slots - 1))
        slacked += tokens[begin:end]
        slacked.append(null)
        begin = end
    return slacked


def without_slack(tokens: Sequence[int], null: int) -> list[int]:
    """Leave out every [NULL].

    >>> without_slack([0, 7, 0, 8], 0)
    [7, 8]
    """
    return [token for token in tokens if token != null]
