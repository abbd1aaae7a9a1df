"""What machine a figure is from, without its name: its processor, cores, instructions and memory."""

import os
import platform
import re
from pathlib import Path
from typing import Any

__all__ = ["describe_machine", "machine_slug", "peak_bytes", "usable_cores"]

_INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8", "amx_bf16", "avx_vnni")
"""What decides how fast products of each type are."""


def usable_cores() -> int:
    """Return the number of cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe_machine() -> dict[str, Any]:
    """Return what speed depends on, ready for JSON; no name, no address, no path."""
    facts = _processor(_read("/proc/cpuinfo"))
    memory = re.search(r"MemTotal:\s+(\d+) kB", _read("/proc/meminfo"))
    return {
        "processor": facts.get("model name") or platform.machine(),
        "family": " ".join(facts[name] for name in ("cpu family", "model") if name in facts),
        "instructions": [name for name in _INSTRUCTIONS if name in facts.get("flags", "").split()],
        "cores": usable_cores(),
        "memory_gib": round(int(memory[1]) / (1 << 20), 1) if memory else None,
        "system": platform.system(),
    }


def machine_slug(machine: dict[str, Any]) -> str:
    """Return a name for files.

    >>> machine_slug({"processor": "AMD EPYC 7B13 64-Core Processor", "cores": 2})
    'amd-epyc-7b13-64-core-processor-2-cores'
    """
    words = f"{machine['processor']} {machine['cores']} core{'s' if machine['cores'] != 1 else ''}"
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def peak_bytes() -> int:
    """Return the most memory that this process has held so far."""
    peak = re.search(r"VmHWM:\s+(\d+) kB", _read("/proc/self/status"))
    if peak is not None:
        return int(peak[1]) << 10
    import resource  # absent on Windows, where /proc is absent too

    unit = 1 if platform.system() == "Darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _processor(text: str) -> dict[str, str]:
    """Return the first processor's facts."""
    first = text.partition("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
