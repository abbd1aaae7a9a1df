"""One tensor of a safetensors file, described."""

import math
from dataclasses import dataclass
from pathlib import Path

import torch

__all__ = ["WEIGHT_DTYPES", "StoredTensor"]

WEIGHT_DTYPES = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}
"""What weights may be stored as. Others can stand in a file, as buffers that nobody reads."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredTensor:
    """One tensor in a file; nothing of it is loaded."""

    path: Path
    """The file, resolved."""
    dtype_name: str
    """As the format writes it: F32, BF16, F16, I64 and so on."""
    shape: tuple[int, ...]
    """Its sizes."""
    begin: int
    """Its first byte, from the start of the file."""
    num_bytes: int
    """Its length."""

    @property
    def numel(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> torch.dtype | None:
        """The type as torch has it; None if it is none that weights may have."""
        return WEIGHT_DTYPES.get(self.dtype_name)
