"""Operations are counted as the layers have them, and what is timed takes turns."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from redraft.denoiser import Transformer
from redraft.engine import Engine
from redraft.evaluation.bench.ceiling import measure_pass, pass_flops, time_each
from redraft.evaluation.bench.scaling import measure_scaling


def test_operations_are_those_that_torch_counts(tiny_model: Transformer) -> None:
    with torch.inference_mode():
        cache = tiny_model.encode(torch.randint(0, 256, (1, 10)))
        with FlopCounterMode(display=False) as counter:
            tiny_model.denoise(torch.zeros((1, 24), dtype=torch.int64), cache)
    counted = pass_flops(tiny_model.config, rows=24, context=10)
    # The counter knows no attention on a CPU: each of 24 rows meets 34 keys and values of width 32 in 2 layers.
    assert counted["weights"] == counter.get_total_flops()
    assert counted["attention"] == 2 * (2 * 24 * 34 * 32) * 2


def test_calls_take_turns_after_one_for_warming_up() -> None:
    order: list[str] = []
    taken = time_each({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, repeats=2)
    assert "".join(order) == "ababab"
    assert {name: len(values) for name, values in taken.items()} == {"a": 2, "b": 2}


def test_a_pass_is_measured_beside_the_ceiling(tiny_engine: Engine, tiny_model: Transformer) -> None:
    measured = measure_pass(tiny_engine, tiny_model.config.to_dict(), repeats=2)
    assert (measured["rows"], measured["context"]) == (24, 32), "the tiny canvas has fewer than 64 positions"
    assert 0 < measured["share_of_float32_ceiling"] < 1.5
    assert measured["ceiling_flops_per_second"]["float32"] > 1e8


def test_scaling_takes_what_the_model_takes(tiny_engine: Engine) -> None:
    grid = {"canvas": (8, 24, 64), "context": (0, 16, 4096), "batch": (1, 3)}
    scaling = measure_scaling(tiny_engine, grid, repeats=2)
    points = {line: [point["at"] for point in measured["points"]] for line, measured in scaling.items()}
    assert points == {"canvas": [8, 24], "context": [0, 16], "batch": [1, 3]}
    assert scaling["batch"]["fixed"] == {"canvas": 24, "context": 16}
    assert all(point["seconds"]["n"] == 2 for measured in scaling.values() for point in measured["points"])
