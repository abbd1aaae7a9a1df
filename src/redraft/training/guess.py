"""What noise may ask of the model that is being trained: its logits at some positions of some rows."""

from collections.abc import Callable

from jaxtyping import Bool, Float
from torch import Tensor

from redraft.types import Tokens

__all__ = ["ChosenMask", "Guess", "Rows", "WantedLogits"]

Rows = Bool[Tensor, " batch"]
"""A claim about each row."""

ChosenMask = Bool[Tensor, "chosen length"]
"""A claim about each position of some chosen rows."""

WantedLogits = Float[Tensor, "positions vocab"]
"""One row of logits per wanted position."""

Guess = Callable[[Rows, Tokens, ChosenMask], WantedLogits]
"""The model's logits of some rows: (which rows, the whole noised canvas, the positions wanted in those rows)."""
