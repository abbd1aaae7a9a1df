"""How much memory a model may take here, before any of it is taken."""

import os
from pathlib import Path

__all__ = ["available_memory"]

_MEMORY_INFO = Path("/proc/meminfo")
_CONTROL_GROUPS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current"), Path("/sys/fs/cgroup/memory.stat")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.stat"),
    ),
)
"""Limit, use and its parts under Linux's control groups, version 2 and version 1: what a container may take."""


def available_memory() -> int | None:
    """Bytes that a new process could take without pushing others out; None where the system does not say.

    Pages of files that the system keeps only in case count as free, also inside a container.
    """
    bounds = [bound for bound in (_machine(), *(_group(*paths) for paths in _CONTROL_GROUPS)) if bound is not None]
    return min(bounds, default=None)


def _machine() -> int | None:
    for line in _read(_MEMORY_INFO).splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable" and value.split()[1:] == ["kB"]:
            return int(value.split()[0]) * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _group(limit: Path, use: Path, parts: Path) -> int | None:
    allowed, taken = _read(limit).strip(), _read(use).strip()
    if not allowed.isdecimal() or not taken.isdecimal():
        return None  # no such group, or "max"
    files = sum(
        int(line.split()[1])
        for line in _read(parts).splitlines()
        if line.startswith(("inactive_file ", "active_file ")) and line.split()[1].isdecimal()
    )
    return max(0, int(allowed) - int(taken) + files)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
