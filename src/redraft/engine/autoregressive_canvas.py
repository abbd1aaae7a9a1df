"""A canvas that is written from left to right, as the records that watchers of any engine read."""

import torch

from redraft.sampler import SpecialIds, Step
from redraft.types import Confidence, Tokens

__all__ = ["WrittenCanvas"]


class WrittenCanvas:
    """One row, filled slot by slot.

    Args:
        length: Its slots.
        special: [MASK] stands where nothing is written; the end of text fills what lies behind the last slot.
        device: Where its tensors are wanted.
    """

    def __init__(self, length: int, special: SpecialIds, device: torch.device) -> None:
        assert special.mask is not None, "a native tokenizer has a mask"
        self.num_written = 0
        """Slots that hold a token, which is also the number of passes."""
        self._end_of_text = special.end_of_text
        self._tokens = torch.full((1, length), special.mask, dtype=torch.int64, device=device)
        self._confidence = torch.zeros((1, length), device=device)

    def put(self, token: Tokens, confidence: Confidence) -> None:
        """Write the next slot.

        Args:
            token: What stands there.
            confidence: Its probability.
        """
        self._tokens[:, self.num_written] = token[:, 0]
        self._confidence[:, self.num_written] = confidence[:, 0]
        self.num_written += 1

    def step(self, *, is_last: bool) -> Step:
        """The record of the pass that wrote the last slot.

        Args:
            is_last: Whether nothing follows; then all that is left is filled with the end of text.

        Returns:
            The step.
        """
        slot = torch.arange(self._tokens.shape[1], device=self._tokens.device)[None]
        is_open = slot >= self.num_written
        tokens = self._tokens.masked_fill(is_open, self._end_of_text) if is_last else self._tokens.clone()
        is_settled = torch.ones_like(is_open) if is_last else ~is_open
        return Step(
            index=self.num_written - 1,
            block=0,
            tokens=tokens,
            proposed=tokens,
            is_settled=is_settled,
            is_masked=~is_settled,
            committed=slot == self.num_written - 1,
            revised=torch.zeros_like(is_open),
            confidence=self._confidence.masked_fill(is_open & is_settled, 1.0),
            nfe=(self.num_written,),
            is_finished=(is_last,),
            is_last=is_last,
        )
