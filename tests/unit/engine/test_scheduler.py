"""Who is drawn next: first come first served, turns where not all fit, no answer that blocks the others."""

from dataclasses import dataclass

import pytest

from redraft.engine import BatchLimits
from redraft.engine.scheduler import RequestScheduler
from redraft.errors import ConfigError


@dataclass(eq=False)
class Row:
    name: str
    num_bytes: int = 1
    num_positions: int = 10
    num_prefill_tokens: int = 5


def scheduler(rows: list[Row], **limits: int) -> RequestScheduler[Row]:
    made: RequestScheduler[Row] = RequestScheduler(BatchLimits(**limits))
    for row in rows:
        made.add(row)
    return made


def names(rows: list[Row]) -> str:
    return "".join(row.name for row in rows)


def test_rows_open_in_the_order_in_which_they_came() -> None:
    rows = [Row(name) for name in "abcde"]
    made = scheduler(rows, max_rows=3)
    assert names(made.admit_all()) == "abc"
    assert names(made.admit_all()) == ""
    made.close(rows[1])
    assert names(made.admit_all()) == "d"


def test_nobody_overtakes_a_row_that_waits_for_memory() -> None:
    rows = [Row("a", num_bytes=6), Row("b", num_bytes=6), Row("c", num_bytes=1)]
    made = scheduler(rows, max_bytes=10)
    assert names(made.admit_all()) == "a"
    made.close(rows[0])
    assert names(made.admit_all()) == "bc"
    assert made.num_bytes == 7


def test_long_prompts_are_spread_over_passes_but_one_always_goes() -> None:
    rows = [Row("a", num_prefill_tokens=90), Row("b", num_prefill_tokens=1), Row("c", num_prefill_tokens=9)]
    made = scheduler(rows, max_prefill_tokens=9)
    assert [names(made.admit_all()) for _ in range(4)] == ["a", "b", "c", ""]


def test_where_not_all_fit_into_a_pass_rows_take_turns() -> None:
    rows = [Row("a", num_positions=100), Row("b"), Row("c"), Row("d")]
    made = scheduler(rows, max_positions=20)
    made.admit_all()
    assert [names(made.turn()) for _ in range(5)] == ["a", "bc", "d", "a", "bc"]


def test_all_rows_take_part_where_they_fit() -> None:
    made = scheduler([Row("a"), Row("b")])
    made.admit_all()
    assert [names(made.turn()) for _ in range(2)] == ["ab", "ab"]


def test_a_row_between_two_canvases_gives_way_to_those_who_wait() -> None:
    rows = [Row("a"), Row("b"), Row("c")]
    made = scheduler(rows, max_rows=1)
    made.admit_all()
    assert made.give_way(rows[0])
    assert names([*made.waiting]) == "bca"
    assert names(made.admit_all()) == "b"
    made.close(rows[2])
    made.close(rows[0])
    assert not made.give_way(rows[1])
    assert names([*made.open]) == "b"
    made.close(rows[1])
    assert made.is_idle
    assert made.num_bytes == 0


def test_limits_that_leave_nothing_are_refused() -> None:
    with pytest.raises(ConfigError, match="max_rows=0 is not allowed"):
        BatchLimits(max_rows=0)
    with pytest.raises(ConfigError, match="max_cache_bytes=-1"):
        BatchLimits(max_cache_bytes=-1)
