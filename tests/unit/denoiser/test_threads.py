"""How many threads a pass runs on."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch

from redraft.denoiser import ThreadTuner
from redraft.denoiser.threads import ThreadLadder


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def spend(ladder: ThreadLadder, costs: dict[int, float], passes: int) -> tuple[float, list[int]]:
    counts: list[int] = []
    for _ in range(passes):
        counts.append(ladder.count)
        ladder.note(costs[ladder.count])
    return sum(costs[count] for count in counts), counts


IDLE, BUSY = {1: 1.0, 2: 0.7}, {1: 1.0, 2: 6.0}


@pytest.mark.parametrize(("costs", "best"), [(IDLE, 2), (BUSY, 1)])
def test_soon_the_quicker_number_is_taken_and_trials_cost_little(costs: dict[int, float], best: int) -> None:
    ladder = ThreadLadder(2)
    spend(ladder, costs, 10)
    assert ladder.count == best
    total, counts = spend(ladder, costs, 3000)
    assert 0 < sum(count != best for count in counts) < 60, "trials go on, and are few"
    assert total < 1.1 * 3000 * costs[best]


def test_a_neighbour_that_comes_is_noticed_at_once_and_one_that_goes_within_seconds() -> None:
    ladder = ThreadLadder(2)
    spend(ladder, IDLE, 2000)
    spend(ladder, BUSY, 8)
    assert ladder.count == 1
    spend(ladder, BUSY, 2000)
    spend(ladder, IDLE, 520)
    assert ladder.count == 2


@pytest.mark.parametrize(("best", "tried"), [(12, {12, 8}), (2, {12, 8, 4, 2, 1})])
def test_many_threads_are_tried_step_by_step(best: int, tried: set[int]) -> None:
    ladder = ThreadLadder(12)
    costs = {count: 1.0 + abs(count - best) for count in (1, 2, 4, 8, 12)}
    assert ladder.count == 12
    _, counts = spend(ladder, costs, 600)
    assert set(counts) == tried
    assert counts.count(best) > 500


def test_a_lucky_pass_does_not_decide() -> None:
    ladder = ThreadLadder(2)
    counts: list[int] = []
    for index in range(3000):
        counts.append(ladder.count)
        lucky = index % 3 == 0
        ladder.note(1.0 if ladder.count == 1 else 0.7 if lucky else 9.0)
    assert counts.count(2) < 100


def test_with_one_thread_there_is_nothing_to_choose() -> None:
    ladder = ThreadLadder(1)
    _, counts = spend(ladder, {1: 1.0}, 50)
    assert set(counts) == {1}


def test_the_number_holds_inside_and_is_put_back() -> None:
    torch.set_num_threads(2)
    tuner = ThreadTuner()
    seen: set[int] = set()
    for _ in range(30):
        with tuner.leading():
            seen.add(torch.get_num_threads())
            tuner.note(100, {1: 1.0, 2: 6.0}[torch.get_num_threads()])
        assert torch.get_num_threads() == 2
    assert seen == {1, 2}
    with tuner.leading():
        assert torch.get_num_threads() == 1


def test_nothing_changes_as_long_as_nobody_says_how_long_passes_take() -> None:
    torch.set_num_threads(2)
    tuner = ThreadTuner()
    for _ in range(100):
        with tuner.leading():
            assert torch.get_num_threads() == 2


def test_what_torch_is_set_to_is_the_most() -> None:
    tuner = ThreadTuner()
    torch.set_num_threads(1)
    for _ in range(50):
        with tuner.leading():
            assert torch.get_num_threads() == 1
            tuner.note(100, 1.0)


def test_passes_outside_and_errors_leave_nothing_behind() -> None:
    torch.set_num_threads(2)
    tuner = ThreadTuner()
    for _ in range(100):
        tuner.note(100, 9.0)

    def fails() -> None:
        with tuner.leading():
            torch.set_num_threads(1)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fails()
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "None 20000"),
        ({"OMP_WAIT_POLICY": "passive"}, "passive None"),
        ({"GOMP_SPINCOUNT": "7"}, "None 7"),
    ],
)
def test_commands_let_threads_wait_awake_unless_they_are_told_how(environment: dict[str, str], expected: str) -> None:
    program = (
        "import os, sys; sys.modules['torch'] = os; from redraft.interfaces.start import import_torch; import_torch(); "
        "print(os.environ.get('OMP_WAIT_POLICY'), os.environ.get('GOMP_SPINCOUNT'))"
    )
    rest = {key: value for key, value in os.environ.items() if key not in {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}}
    done = subprocess.run(
        [sys.executable, "-c", program], env=rest | environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == expected
