"""The canvas: the one object that every job is drawn on.

Generation, infilling, editing and answering into a template differ only in what is filled in and what is editable:

========== ============================== =============================
job        tokens                         is_editable
========== ============================== =============================
generate   [MASK] or noise everywhere     everywhere
infill     text around a [MASK] gap       in the gap
edit       the whole text                 wherever it may change
template   the template, [MASK] in slots  in the slots
========== ============================== =============================
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from redraft.errors import ConfigError
from redraft.sampler.random import Stream, tokens_of, uniforms
from redraft.types import Confidence, TokenMask, Tokens, WholePerRow

__all__ = ["Canvas", "Counts", "SpecialIds", "allowed_ids", "ids_of"]

Counts = Int[Tensor, "batch length"]
"""A whole number per position."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpecialIds:
    """The token ids that mean something to the loop; they come from the checkpoint's tokenizer."""

    mask: int | None
    """[MASK]; never committed. None for a uniform family that has none."""
    end_of_text: int
    """Everything after the first one on a canvas is end of text too."""
    null: int | None
    """[NULL], an empty slot; an ordinary token here, named so that readers of a Step can leave it out."""
    forbidden: tuple[int, ...] = ()
    """Other ids that must never be committed, for example role markers."""
    other_ends: tuple[int, ...] = ()
    """Ids that end the text as ``end_of_text`` does, for checkpoints with several, such as an end of turn. What follows
    one of them is filled with ``end_of_text``."""

    @property
    def ends(self) -> tuple[int, ...]:
        """All ids that end the text, ``end_of_text`` first."""
        return (self.end_of_text, *(id for id in self.other_ends if id != self.end_of_text))

    @property
    def never_committed(self) -> tuple[int, ...]:
        """The mask and the forbidden ids, in order."""
        return tuple(sorted({*self.forbidden, *(() if self.mask is None else (self.mask,))}))


@dataclass(frozen=True, kw_only=True, slots=True)
class Canvas:
    """What stands at each position, and what is known about it. A pass makes a new one."""

    tokens: Tokens
    """The token ids as they are now; [MASK] or noise where open."""
    is_editable: TokenMask
    """False at pinned positions: they never change, byte for byte."""
    is_masked: TokenMask
    """True where [MASK] stands (masked family only)."""
    is_settled: TokenMask
    """True where the token stands for itself; pinned positions are settled. The others are open."""
    age: Counts
    """Passes since the token last changed."""
    confidence: Confidence
    """Settled: probability that its token had when it settled (1 if it was given). Open: that of the last proposal."""

    @classmethod
    def blank(cls, batch: int, length: int, mask_token_id: int, *, device: torch.device | str = "cpu") -> "Canvas":
        """An all-[MASK] canvas: the start of the masked family.

        >>> Canvas.blank(1, 3, 9).tokens
        tensor([[9, 9, 9]])
        """
        tokens = torch.full((batch, length), mask_token_id, dtype=torch.int64, device=device)
        return cls.from_tokens(tokens, torch.ones_like(tokens, dtype=torch.bool), mask_token_id)

    @classmethod
    def noise(
        cls,
        seeds: WholePerRow,
        length: int,
        vocab_size: int,
        *,
        special: SpecialIds,
        block: int = 0,
        device: torch.device | str = "cpu",
    ) -> "Canvas":
        """A canvas of random tokens: the start of the uniform family.

        Args:
            seeds: One per row; the same that ``sample`` gets.
            length: Number of positions.
            vocab_size: Ids below it are drawn, all equally likely, except those never committed.
            special: Says which those are.
            block: Which canvas of the request.
            device: Where the canvas lives.

        Returns:
            An open canvas, editable everywhere.
        """
        # Passes count from 0, so step -1 is the draw before the first.
        draws = uniforms(
            [int(seed) for seed in seeds], block=block, step=-1, stream=Stream.NOISE, length=length, device=device
        )
        tokens = tokens_of(draws, allowed_ids(vocab_size, special.never_committed, device=device))
        everywhere = torch.ones_like(tokens, dtype=torch.bool)
        return cls(
            tokens=tokens,
            is_editable=everywhere,
            is_masked=~everywhere,
            is_settled=~everywhere,
            age=torch.zeros_like(tokens),
            confidence=torch.zeros(tokens.shape, dtype=torch.float32, device=tokens.device),
        )

    @classmethod
    def from_tokens(cls, tokens: Tokens, is_editable: TokenMask, mask_token_id: int | None) -> "Canvas":
        """A canvas with text on it: open where an editable position holds [MASK], settled elsewhere.

        Args:
            tokens: The text, with [MASK] in the gaps.
            is_editable: False where the text is pinned.
            mask_token_id: The id of [MASK]; None for a uniform family, where all text starts settled and is judged anew
                at each pass.

        Returns:
            The canvas.

        Raises:
            ConfigError: A pinned position holds [MASK], which nothing could ever fill.

        >>> canvas = Canvas.from_tokens(torch.tensor([[5, 9, 6]]), torch.tensor([[False, True, True]]), 9)
        >>> canvas.is_settled
        tensor([[ True, False,  True]])
        """
        assert tokens.shape == is_editable.shape, f"tokens {tokens.shape} and is_editable {is_editable.shape} differ"
        is_masked = torch.zeros_like(is_editable) if mask_token_id is None else tokens == mask_token_id
        if bool((is_masked & ~is_editable).any()):
            raise ConfigError(
                "a pinned position holds the mask token, which nothing may ever fill; make that position editable, or "
                "put text there"
            )
        return cls(
            tokens=tokens,
            is_editable=is_editable,
            is_masked=is_masked,
            is_settled=~is_masked,
            age=torch.zeros_like(tokens),
            confidence=(~is_masked).to(torch.float32),
        )

    @property
    def is_open(self) -> TokenMask:
        """Positions that have not settled."""
        return ~self.is_settled

    @property
    def batch(self) -> int:
        """Number of rows."""
        return self.tokens.shape[0]

    @property
    def length(self) -> int:
        """Number of positions."""
        return self.tokens.shape[1]


def allowed_ids(vocab_size: int, never: Sequence[int], *, device: torch.device | str = "cpu") -> Tensor:
    """The ids below ``vocab_size`` that may stand on a canvas, in order."""
    is_allowed = torch.ones(vocab_size, dtype=torch.bool)
    is_allowed[list(never)] = False
    return is_allowed.nonzero().squeeze(1).to(device)


def ids_of(row: Tensor) -> list[int]:
    """The whole numbers, or truth values, of one row."""
    return row.tolist()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
