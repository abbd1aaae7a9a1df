"""Counter-based randomness: every draw is a pure function of where it is used.

A draw depends on (request seed, block, step, stream, position) and on nothing else: there is no generator state to
share, to save or to get out of order. So a request gives the same bytes alone, in any batch, and whatever its
neighbours do.

Row keys are mixed as Python whole numbers (a handful per pass); only the last mix runs over positions, as a tensor. It
is the SplitMix64 finaliser of Steele, Lea and Flood (2014) over a counter, in int64 arithmetic that wraps as uint64
would. Not for cryptography.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import torch
from jaxtyping import Float64
from torch import Tensor

from redraft.denoiser.protocol import Places
from redraft.types import Tokens

__all__ = ["Draws", "Stream", "Uniforms", "tokens_of", "uniforms"]

Uniforms = Float64[Tensor, "batch length"]
"""Numbers in [0, 1)."""

_ALL_BITS = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15  # 2^64 divided by the golden ratio, made odd: SplitMix64's counter step
_MULTIPLIER_1 = 0xBF58476D1CE4E5B9  # SplitMix64's two multipliers (Stafford's mix 13)
_MULTIPLIER_2 = 0x94D049BB133111EB


class Stream(IntEnum):
    """What a draw is for; two streams never share a number."""

    TOKEN = 1
    """Which token is drawn at each position."""
    COMMIT = 2
    """Which positions settle, for the rules that choose at random."""
    NOISE = 3
    """Which random token stands at an open position of the uniform family."""


def _mix(word: int) -> int:
    """Scramble 64 bits; one-to-one."""
    word = ((word ^ (word >> 30)) * _MULTIPLIER_1) & _ALL_BITS
    word = ((word ^ (word >> 27)) * _MULTIPLIER_2) & _ALL_BITS
    return word ^ (word >> 31)


def _signed(word: int) -> int:
    """The int64 with the same bits, because torch has no uint64 arithmetic."""
    return word - (1 << 64) if word >> 63 else word


def _row_key(seed: int, block: int, step: int, stream: Stream) -> int:
    key = _mix((seed + _GAMMA) & _ALL_BITS)
    for part in (block, step, int(stream)):
        key = _mix((key + (part + 1) * _GAMMA) & _ALL_BITS)
    return key


def _shift_right(words: Tensor, bits: int) -> Tensor:
    """Logical shift: int64's own shift drags the sign bit along, so it is cut off."""
    return (words >> bits) & ((1 << (64 - bits)) - 1)


@lru_cache(maxsize=64)
def _counters(length: int, device: torch.device) -> Tensor:
    # A product of int64 wraps exactly as that of uint64 does.
    return torch.arange(1, length + 1, dtype=torch.int64, device=device) * _signed(_GAMMA)


def uniforms(
    seeds: Sequence[int], *, block: int, step: int, stream: Stream, length: int, device: torch.device | str = "cpu"
) -> Uniforms:
    """One number in [0, 1) per row and position, 53 bits each.

    Args:
        seeds: The seed of each row's request; any whole number, its low 64 bits count.
        block: Which canvas of the request.
        step: Which pass over that canvas.
        stream: What the draw is for.
        length: Number of positions; a longer call starts with the same numbers.
        device: Where the result is wanted.

    Returns:
        The draws; row i depends on seeds[i] only.

    >>> alone = uniforms([7], block=0, step=3, stream=Stream.TOKEN, length=2)
    >>> crowd = uniforms([5, 7], block=0, step=3, stream=Stream.TOKEN, length=4)
    >>> torch.equal(alone[0], crowd[1, :2])
    True
    """
    keys = [_signed(_row_key(seed, block, step, stream)) for seed in seeds]
    device = torch.device(device)
    words = torch.tensor(keys, dtype=torch.int64, device=device).unsqueeze(1) + _counters(length, device)
    words = (words ^ _shift_right(words, 30)) * _signed(_MULTIPLIER_1)
    words = (words ^ _shift_right(words, 27)) * _signed(_MULTIPLIER_2)
    words = words ^ _shift_right(words, 31)
    return _shift_right(words, 11).to(torch.float64) * 2.0**-53


def tokens_of(draws: Uniforms, allowed: Tensor) -> Tokens:
    """Turn draws into token ids, each of ``allowed`` equally likely.

    >>> tokens_of(torch.tensor([[0.0, 0.6, 0.99]], dtype=torch.float64), torch.tensor([4, 9]))
    tensor([[4, 9, 9]])
    """
    # 53 bits times a vocabulary stays exact enough to bias no id by more than 2^-40.
    return allowed[(draws * len(allowed)).long()]


@dataclass(frozen=True, kw_only=True, slots=True)
class Draws:
    """The draws of one pass, made only where a rule asks for them."""

    seeds: tuple[int, ...]
    """One per row."""
    block: int
    """Which canvas of the request."""
    step: int
    """Which pass over that canvas."""
    length: int
    """Number of positions."""
    device: torch.device
    """Where the draws are wanted."""
    places: Places | None = None
    """The positions whose numbers are wanted; None for all, in order."""

    def uniforms(self, stream: Stream) -> Uniforms:
        """This pass's numbers for one purpose; asking twice gives the same ones."""
        drawn = uniforms(
            self.seeds, block=self.block, step=self.step, stream=stream, length=self.length, device=self.device
        )
        return drawn if self.places is None else drawn.gather(1, self.places)
