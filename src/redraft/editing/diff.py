"""A unified diff of an edit, from what the edit says of itself: nothing is searched for, so long texts cost nothing."""

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from redraft.editing.result import EditResult

__all__ = ["unified_diff"]

_CONTEXT = 3
"""Lines around a change, as everywhere."""


@dataclass(frozen=True, slots=True)
class _Region:
    """Lines that give way to others."""

    old: tuple[int, int]
    new: tuple[int, int]


def unified_diff(result: EditResult, name: str) -> str:
    """What ``patch -p1`` takes.

    Args:
        result: The edit.
        name: What the file is called.

    Returns:
        The diff; empty if nothing changed.
    """
    old, new = _lines(result.original), _lines(result.text)
    regions = _regions(result, old, new)
    if not regions:
        return ""
    plain = name.lstrip("/").replace("\n", " ").replace("\r", " ") or "text"
    parts = [f"--- a/{plain}\n+++ b/{plain}\n"]
    for group in _groups(regions):
        parts += _hunk(group, old, new)
    return "".join(parts)


def _lines(text: str) -> list[str]:
    """Lines with their ends; only line feeds end one."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _regions(result: EditResult, old: Sequence[str], new: Sequence[str]) -> list[_Region]:
    """Changed lines, as few as the changes allow."""
    old_starts, new_starts = _starts(result.original), _starts(result.text)
    merged: list[_Region] = []
    for change in result.changes:
        if change.kind == "kept":
            continue
        region = _Region(
            _whole_lines(old_starts, change.start, change.end, len(old)),
            _whole_lines(new_starts, change.new_start, change.new_end, len(new)),
        )
        if merged and (region.old[0] < merged[-1].old[1] or region.new[0] < merged[-1].new[1]):
            last = merged.pop()
            region = _Region((last.old[0], region.old[1]), (last.new[0], region.new[1]))
        merged.append(region)
    trimmed = (_trimmed(region, old, new) for region in merged)
    return [region for region in trimmed if region.old[0] < region.old[1] or region.new[0] < region.new[1]]


def _starts(text: str) -> list[int]:
    """Offsets behind line feeds, and that of the beginning."""
    return [0, *(place + 1 for place, character in enumerate(text) if character == "\n")]


def _whole_lines(starts: Sequence[int], start: int, end: int, num_lines: int) -> tuple[int, int]:
    """The lines from the one that holds the beginning of a part to the one that holds its end."""
    first, last = bisect.bisect_right(starts, start) - 1, bisect.bisect_right(starts, end) - 1
    return min(first, num_lines), min(last + 1, num_lines)


def _trimmed(region: _Region, old: Sequence[str], new: Sequence[str]) -> _Region:
    """A region without equal lines at its ends."""
    (old_start, old_end), (new_start, new_end) = region.old, region.new
    while old_start < old_end and new_start < new_end and old[old_start] == new[new_start]:
        old_start, new_start = old_start + 1, new_start + 1
    while old_start < old_end and new_start < new_end and old[old_end - 1] == new[new_end - 1]:
        old_end, new_end = old_end - 1, new_end - 1
    return _Region((old_start, old_end), (new_start, new_end))


def _groups(regions: Sequence[_Region]) -> Iterator[list[_Region]]:
    """Regions so near to each other that their context would overlap."""
    group: list[_Region] = []
    for region in regions:
        if group and region.old[0] - group[-1].old[1] > 2 * _CONTEXT:
            yield group
            group = []
        group.append(region)
    yield group


def _hunk(group: Sequence[_Region], old: Sequence[str], new: Sequence[str]) -> list[str]:
    """One hunk of the diff."""
    start = max(0, group[0].old[0] - _CONTEXT)
    end = min(len(old), group[-1].old[1] + _CONTEXT)
    new_start = group[0].new[0] - (group[0].old[0] - start)
    new_end = group[-1].new[1] + end - group[-1].old[1]
    parts = [f"@@ -{_range(start, end)} +{_range(new_start, new_end)} @@\n"]
    place = start
    for region in group:
        parts += [_marked(" ", line) for line in old[place : region.old[0]]]
        parts += [_marked("-", line) for line in old[slice(*region.old)]]
        parts += [_marked("+", line) for line in new[slice(*region.new)]]
        place = region.old[1]
    return parts + [_marked(" ", line) for line in old[place:end]]


def _range(start: int, end: int) -> str:
    """Lines as a diff counts them: from 1, and before the first one where there are none."""
    return f"{start + 1 if end > start else start},{end - start}"


def _marked(mark: str, line: str) -> str:
    return f"{mark}{line}" if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"
