"""Bounds that `primes` can't answer are refused in words, not answered wrongly."""

import pytest

from redraft.errors import PromptError
from redraft.tasks import Primes
from redraft.tasks.primes import MAX_BOUND, MAX_PRIMES, MAX_WIDTH, primes_between

TASK = Primes()


@pytest.mark.parametrize(("low", "high"), [(114, 126), (250, 150), (2, 1000), (900, 1001), (-5, 5), (2, 102)])
def test_bounds_out_of_range_or_without_primes_are_refused(low: int, high: int) -> None:
    with pytest.raises(PromptError, match=str(low)):
        TASK.between(low, high)


def test_only_two_pairs_of_bounds_have_a_longer_list_than_allowed() -> None:
    longest = {low: len(primes_between(low, low + MAX_WIDTH)) for low in range(2, MAX_BOUND - MAX_WIDTH + 1)}
    assert [low for low, count in longest.items() if count > MAX_PRIMES] == [2, 3]
