"""What the machine is good at: device, number format, and how fast it multiplies."""

import ctypes
import platform
import time
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path

import torch

from redraft.denoiser import TransformerConfig
from redraft.errors import ConfigError
from redraft.version import __version__

__all__ = [
    "autocast",
    "choose_device",
    "choose_dtype",
    "describe_machine",
    "gemm_ceiling",
    "keep_freed_memory",
    "step_flops",
]

_MALLOC_OPTIONS = ((-3, 1 << 30), (-1, (1 << 31) - 1), (-2, 1 << 28))
"""M_MMAP_THRESHOLD, M_TRIM_THRESHOLD and M_TOP_PAD of malloc.h: no block of its own below 1 GiB, nothing handed back,
256 MiB more than is needed whenever more is."""


def choose_device(name: str) -> torch.device:
    """Resolve "auto", "cpu" or "cuda".

    Args:
        name: One of the three.

    Returns:
        The device.

    Raises:
        ConfigError: If CUDA is asked for and not there.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("train.device='cuda', but torch finds no CUDA device; use 'auto' or 'cpu'")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def choose_dtype(name: str, device: torch.device, *, by_autocast: bool = False) -> torch.dtype:
    """Resolve "auto", "float32" or "bfloat16".

    A CPU without bfloat16 instructions emulates them, ten times slower than float32; with AVX512_BF16 they take twice
    as long as float32 on Intel's and a third on AMD's (``docs/decisions/0006-float32-where-bf16-is-no-faster.md``).
    So "auto" asks for AMX, or for AVX512_BF16 by AMD. It does not measure: what it took would hang on what else the
    machine does, and no run could be repeated to the bit.

    Args:
        name: One of the three.
        device: Where the model lives.
        by_autocast: Whether more than products is rounded on a CPU, which takes back what AMD's gain.

    Returns:
        In which type to multiply.
    """
    if name != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]
    by_amd = not by_autocast and torch.cpu._is_avx512_bf16_supported() and _is_amd()
    is_faster = device.type == "cuda" or torch.cpu._is_amx_tile_supported() or by_amd
    return torch.bfloat16 if is_faster else torch.float32


def _is_amd() -> bool:
    """Whether the processor names AMD as its maker; where it is not told, it is taken for another's."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            return any("AuthenticAMD" in line for line in islice(lines, 8))
    except OSError:
        return "AuthenticAMD" in platform.processor()


def keep_freed_memory() -> bool:
    """Let the process keep the memory of activations that were freed, for the next ones of the same size.

    glibc hands large blocks back at once, and the system clears every page anew: a tenth of a step's time
    (``docs/log.md``). The process then holds what it needed at its peak until it ends.

    Returns:
        Whether the C library took the settings; where it is another one, nothing changes.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all(mallopt(option, value) == 1 for option, value in _MALLOC_OPTIONS)


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[object]:
    """Multiply in ``dtype`` inside a ``with`` block; the weights stay in float32."""
    if dtype == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, dtype=dtype)


def gemm_ceiling(device: torch.device, dtype: torch.dtype, size: int = 768) -> float:
    """Measure the floating-point operations per second of a plain matrix product, in a fraction of a second."""
    x = torch.randn(size, size, device=device, dtype=dtype)
    best = float("inf")
    for _ in range(6):
        start = time.perf_counter()
        y = x @ x
        if device.type == "cuda":
            y[0, 0].item()
        best = min(best, time.perf_counter() - start)
    return 2.0 * size**3 / best


def step_flops(config: TransformerConfig, num_tokens: int, num_scored: int) -> float:
    """Floating-point operations of the matrix products of one training step, attention left out.

    Six per weight and position: two forward, four backward.
    """
    per_token = (4 + 2 * config.mlp_multiple) * config.width**2 * config.num_visits
    return 6.0 * (per_token * num_tokens + config.width * config.vocab_size * num_scored)


def describe_machine(device: torch.device, dtype: torch.dtype) -> dict[str, str]:
    """Name what a run's speed and last bits depend on."""
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine(),
        "dtype": str(dtype).removeprefix("torch."),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "redraft": __version__,
    }
