"""How the time of one pass grows with the canvas, with the context and with the batch."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from redraft.engine import Engine
from redraft.evaluation.bench.ceiling import time_each
from redraft.evaluation.bench.spread import Spread

__all__ = ["measure_scaling"]

_ORDINARY = 256
"""Ids below this are bytes of text in every tokenizer of ours."""


@torch.inference_mode()
def measure_scaling(engine: Engine, grid: Mapping[str, Sequence[int]], *, repeats: int) -> dict[str, Any]:
    """Time one pass at each point of three lines; all points take turns in every repeat.

    Args:
        engine: The model at work.
        grid: Points of ``canvas``, ``context`` and ``batch``; what the model does not take is left out. The other
            two stand at the middle one of their points.
        repeats: How often each point is timed.

    Returns:
        By line: what stood still, and seconds by point.
    """
    limits = {"canvas": engine.canvas_length, "context": engine.context_length, "batch": 1 << 30}
    points = {line: [n for n in grid[line] if n <= limits[line]] or [limits[line]] for line in limits}
    fixed = {"canvas": _nearest(points["canvas"], 64), "context": _nearest(points["context"], 32), "batch": 1}
    calls: dict[str, Callable[[], object]] = {}
    for line, values in points.items():
        for value in values:
            calls[f"{line} {value}"] = _one_pass(engine, **{**fixed, line: value})
    taken = time_each(calls, repeats=repeats)
    return {
        line: {
            "fixed": {other: fixed[other] for other in limits if other != line},
            "points": [{"at": value, "seconds": Spread.of(taken[f"{line} {value}"]).to_dict()} for value in values],
        }
        for line, values in points.items()
    }


def _nearest(points: Sequence[int], wanted: int) -> int:
    return min(points, key=lambda point: abs(point - wanted))


def _one_pass(engine: Engine, *, canvas: int, context: int, batch: int) -> Callable[[], object]:
    """A call that scores a canvas of nothing but [MASK] behind some text."""
    rng = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, min(_ORDINARY, engine.denoiser.vocab_size), (batch, context), generator=rng)
    cache = engine.denoiser.encode(tokens) if context else None
    open_canvas = torch.full((batch, canvas), engine.special_ids.mask or 0)
    return lambda: engine.denoiser.denoise(open_canvas, cache)
