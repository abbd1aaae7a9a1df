"""A trial: does a row score the same bits in company as alone, with this model on this machine?

A matrix product adds the same numbers in an order that a library may choose by the number of rows. Where it does, rows
that go together lose their last bits' promise. What is tried: our own models at the widths that occur, with a context.
Published models are not tried: one pass may take seconds, and experts get as many rows as they are chosen for.
"""

import torch

from redraft.denoiser import FakeDenoiser
from redraft.engine.contexts import joined
from redraft.engine.desk import Desk
from redraft.engine.layout import NativeLayout
from redraft.engine.scoring import may_share

__all__ = ["rows_are_steady"]

_NUM_ROWS = 3
_WIDTHS = (8, 40)
_SEGMENT_LENGTHS = (5, 12)


@torch.inference_mode()
def rows_are_steady(desk: Desk) -> bool:
    """Whether rows may go through a denoiser together.

    Args:
        desk: The model's.

    Returns:
        True if every bit was the same in every trial.
    """
    denoiser = desk.denoiser
    if isinstance(denoiser, FakeDenoiser):
        return True
    if not isinstance(desk.layout, NativeLayout):
        return False
    rng = torch.Generator().manual_seed(0)
    for width in {min(width, desk.canvas_length) for width in (*_WIDTHS, desk.canvas_length)}:
        if not may_share(width):
            continue
        for length in {min(length, desk.context_length) for length in _SEGMENT_LENGTHS}:
            segments = torch.randint(denoiser.vocab_size, (_NUM_ROWS, length), generator=rng)
            canvas = torch.randint(denoiser.vocab_size, (_NUM_ROWS, width), generator=rng).to(desk.device)
            contexts = [desk.encode([int(token) for token in row], None) for row in segments]
            together = denoiser.denoise(canvas, joined(contexts))
            for row, context in enumerate(contexts):
                if not torch.equal(denoiser.denoise(canvas[row : row + 1], context)[0], together[row]):
                    return False
    return True
