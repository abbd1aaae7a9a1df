"""Names for tensor shapes, and the legend of letters.

Annotations only: nothing here checks anything at run time. The tests switch the checks on
(``--jaxtyping-packages=redraft,beartype.beartype``), so a ``(1,)`` time vector can't
silently broadcast over a batch of two.

Legend, also for shape-suffix names in dense model code::

    B  batch (requests)        L  length (positions of a canvas or a context)
    D  model width             H  attention heads
    V  vocabulary              K  width of one head
    S  settled context length  C  canvas length
"""

from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = [
    "Confidence",
    "ContextMask",
    "ContextTokens",
    "Hidden",
    "Logits",
    "Probs",
    "ScoredLogits",
    "Times",
    "TokenMask",
    "Tokens",
    "WholePerRow",
]

Tokens = Int[Tensor, "batch length"]
"""Token ids."""

TokenMask = Bool[Tensor, "batch length"]
"""A claim about each position."""

ContextTokens = Int[Tensor, "batch context"]
"""Token ids of a settled segment, where a canvas of another length is at hand too."""

ContextMask = Bool[Tensor, "batch context"]
"""A claim about each position of such a segment."""

Times = Float[Tensor, " batch"]
"""One noise time per row, in [0, 1]: 0 is clean data, 1 is pure noise."""

Logits = Float[Tensor, "batch length vocab"]
"""Unnormalised log-probabilities of the clean token at each position."""

Probs = Float[Tensor, "batch length vocab"]
"""Probabilities of the clean token at each position; each row sums to one."""

Confidence = Float[Tensor, "batch length"]
"""Probability of one particular token at each position, in [0, 1]."""

Hidden = Float[Tensor, "batch length width"]
"""Activations."""

ScoredLogits = Float[Tensor, "*scored vocab"]
"""Logits of a whole canvas, or of chosen positions only, one row each."""

WholePerRow = Int[Tensor, " batch"]
"""One whole number per row: a seed, a budget, a length."""
