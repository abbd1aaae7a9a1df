from itertools import pairwise

import pytest

from redraft.training.schedule import lr_schedule


def test_it_rises_stays_and_falls() -> None:
    rates = [lr_schedule(step, step / 100, warmup_steps=10, cooldown=0.4, final_lr=0.1) for step in range(101)]
    assert rates[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert set(rates[10:60]) == {1.0}
    assert all(later < earlier for earlier, later in pairwise(rates[60:]))
    assert rates[100] == pytest.approx(0.1)


@pytest.mark.parametrize(("warmup", "cooldown"), [(0, 0.0), (5, 0.0), (0, 1.0)])
def test_each_part_can_be_switched_off(warmup: int, cooldown: float) -> None:
    assert lr_schedule(10, 0.0, warmup_steps=warmup, cooldown=cooldown) == 1.0
    assert lr_schedule(10, 1.0, warmup_steps=warmup, cooldown=cooldown) == (0.0 if cooldown else 1.0)
