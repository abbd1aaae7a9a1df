"""An exponential moving average of the weights, which generalises better than the last weights."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

__all__ = ["Ema"]


class Ema:
    """Averaged weights of one module.

    The decay of step n is min(decay, (1 + n) / (10 + n)), so that the untrained start is forgotten soon.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module = module
        self.decay = decay
        self.averages: dict[str, Tensor] = {
            name: weight.detach().clone() for name, weight in module.named_parameters() if decay > 0
        }

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the module's weights after step ``step`` (from 0)."""
        if not self.averages:
            return
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, weight in self.module.named_parameters():
            self.averages[name].lerp_(weight.detach(), 1.0 - decay)

    @contextmanager
    @torch.no_grad()
    def applied(self) -> Iterator[nn.Module]:
        """Give the module the averaged weights for the length of a ``with`` block."""
        own = {name: weight.detach().clone() for name, weight in self.module.named_parameters() if self.averages}
        self._assign(self.averages)
        try:
            yield self.module
        finally:
            self._assign(own)

    @torch.no_grad()
    def _assign(self, weights: dict[str, Tensor]) -> None:
        for name, weight in self.module.named_parameters():
            if name in weights:
                weight.copy_(weights[name])
