"""How fast this machine multiplies matrices, and how much of that a pass of the model reaches."""

import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import torch
import torch.nn.functional as F

from redraft.denoiser import TransformerConfig
from redraft.engine import Engine
from redraft.training.hardware import gemm_ceiling

__all__ = ["ROWS", "ceilings", "measure_pass", "pass_flops", "time_each"]

ROWS = 64
"""Positions of the canvas for which the share is stated."""

_SIZES = (384, 768, 1024)
"""Of the square matrices that the ceiling is measured with; which is fastest differs by machine."""
_SMALL, _SLOW_S = 192, 2e-3
_CONTEXT = 32
"""Settled tokens before the canvas; about what a short prompt has."""


def ceilings() -> dict[str, float]:
    """Return the fastest square product of each type, in operations per second; of int8, where torch has it."""
    cpu = torch.device("cpu")
    found = {"float32": max(gemm_ceiling(cpu, torch.float32, size) for size in _SIZES)}
    int8 = _int8_ceiling()
    return found if int8 is None else {**found, "int8": int8}


def _int8_ceiling() -> float | None:
    """By torch's private product of whole numbers, which may be missing."""
    product = getattr(torch, "_int_mm", None)
    if product is None:
        return None
    best = 0.0
    for size in (_SMALL, *_SIZES):
        x = torch.randint(-127, 128, (size, size), dtype=torch.int8)
        try:
            seconds = min(time_each({"": lambda x=x: product(x, x)}, repeats=3)[""])
        except RuntimeError:
            return None
        best = max(best, 2.0 * size**3 / seconds)
        if seconds > _SLOW_S:  # without instructions for it, larger ones would take seconds and be no faster
            break
    return best


def pass_flops(config: TransformerConfig, *, rows: int, context: int) -> dict[str, float]:
    """Return the operations of one pass over a canvas, by where they are.

    Two per weight and position; attention takes two products of ``rows * (rows + context)`` per unit of width.

    Args:
        config: The model's shape.
        rows: Positions of the canvas.
        context: Settled tokens before it.

    Returns:
        Operations of the matrix products with weights, and of attention.
    """
    per_position = (4 + 2 * config.mlp_multiple) * config.width**2 * config.num_visits
    weights = 2.0 * rows * (per_position + config.width * config.vocab_size)
    return {"weights": weights, "attention": 4.0 * rows * (rows + context) * config.width * config.num_visits}


def time_each(calls: Mapping[str, Callable[[], object]], *, repeats: int) -> dict[str, list[float]]:
    """Time several calls in turn, once apart for warming up.

    Args:
        calls: By name.
        repeats: How often each.

    Returns:
        Seconds of each repeat, by name.
    """
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for repeat in range(repeats + 1):
        for name, call in calls.items():
            since = time.perf_counter()
            call()
            if repeat:
                taken[name].append(time.perf_counter() - since)
    return taken


@torch.inference_mode()
def measure_pass(engine: Engine, shape: Mapping[str, Any], *, repeats: int) -> dict[str, Any]:
    """Time a pass over 64 positions, the products of its weights alone, and the machine's best product.

    Args:
        engine: The model at work.
        shape: Its shape, as the configuration has it.
        repeats: How often each is timed.

    Returns:
        Rates in operations per second, and shares of the float32 ceiling.
    """
    config = TransformerConfig.from_dict(shape)
    rows = min(ROWS, config.canvas_length)
    mask = engine.special_ids.mask or 0
    canvas = torch.full((1, rows), mask)
    cache = engine.denoiser.encode(torch.randint(0, 256, (1, min(_CONTEXT, config.context_length))))
    x = torch.randn(rows, config.width)
    hidden = torch.randn(rows, config.mlp_multiple * config.width)
    shapes = ((3, 1), (1, 1), (config.mlp_multiple, 1), (1, config.mlp_multiple))
    weights = [torch.randn(o * config.width, i * config.width) for _ in range(config.num_visits) for o, i in shapes]
    weights.append(torch.randn(config.vocab_size, config.width))
    taken = time_each(
        {
            "pass": lambda: engine.denoiser.denoise(canvas, cache),
            "products": lambda: [F.linear(x if w.shape[1] == config.width else hidden, w) for w in weights],
        },
        repeats=repeats,
    )
    seconds = {name: median(values) for name, values in taken.items()}
    flops, ceiling = pass_flops(config, rows=rows, context=cache.length), ceilings()
    rate = sum(flops.values()) / seconds["pass"]
    return {
        "rows": rows,
        "context": cache.length,
        "pass_s": seconds["pass"],
        "products_s": seconds["products"],
        "flops": flops,
        "pass_flops_per_second": rate,
        "products_flops_per_second": flops["weights"] / seconds["products"],
        "ceiling_flops_per_second": ceiling,
        "share_of_float32_ceiling": rate / ceiling["float32"],
    }
