"""Cuts a long text into windows that fit a canvas: on line boundaries, each with pinned lines around it for context.

Every line is edited in one window only, and is seen from the next ones; what no window covers is never touched.
"""

from collections.abc import Callable, Sequence

from redraft.editing.pins import Span, is_covered

__all__ = ["Count", "fits", "surroundings", "windows_of"]

Count = Callable[[str], int]
"""How many tokens a text takes."""

_CONTEXT_SHARE = 4
"""One part in this many of a canvas is left to the lines around a window."""

_MOST_CHARS = 20
"""Characters of the longest token, so that no more text is counted than could fit."""


def fits(text: str, count: Count, capacity: int) -> bool:
    """Whether a text has at most so many tokens; one that is far too long isn't counted."""
    return len(text) <= capacity * _MOST_CHARS and count(text) <= capacity


def windows_of(text: str, pins: Sequence[Span], count: Count, capacity: int) -> list[Span]:
    r"""The parts of a text that may change, each short enough.

    >>> windows_of("aa\nbb\ncc\ndd\n", [(0, 3)], len, 8)
    [(3, 8), (9, 11)]

    Args:
        text: The text.
        pins: Merged spans of it that stay.
        count: Counts tokens.
        capacity: Most tokens of a canvas.

    Returns:
        Spans in order; the line feed at the end of the last line of each lies outside.
    """
    limit = capacity - capacity // _CONTEXT_SHARE
    if fits(text, count, capacity):
        limit = capacity
    windows: list[Span] = []
    start = end = size = 0
    for row_start, row_end, row_size in _rows(text, count, limit):
        if end > start and size + row_size > limit:
            windows.append((start, end))
            start = end = row_start
        if end == start:
            start, end, size = row_start, row_start, 0
            if is_covered(pins, row_start, _without_feed(text, row_start, row_end)):
                start = end = row_end
                continue
        end, size = row_end, size + row_size
    windows.append((start, end))
    trimmed = (_trimmed(text, pins, start, end) for start, end in windows)
    return [window for window in trimmed if window[0] < window[1]]


def surroundings(before: str, core: str, behind: str, count: Count, capacity: int) -> tuple[str, str]:
    r"""The whole lines around a window that fit on its canvas.

    >>> surroundings("a\nb\n", "cc", "\nd\ne", len, 8)
    ('a\nb\n', '\nd')

    Args:
        before: The text before the window.
        core: The window.
        behind: The text behind it.
        count: Counts tokens.
        capacity: Most tokens of a canvas.

    Returns:
        The end of what stands before and the beginning of what stands behind.
    """
    reach = capacity * _MOST_CHARS
    # A part of a long line goes without: what stands beside it is no line.
    earlier = [f"{row}\n" for row in before[-reach:].split("\n")[:-1]] if before.endswith("\n") else []
    if len(before) > reach and earlier:
        earlier = earlier[1:]  # the first one may be the end of a line only
    later = [f"\n{row}" for row in behind[: reach + 1].split("\n")[1:]] if behind.startswith("\n") else []
    if len(behind) > reach + 1 or (later and later[-1] == "\n"):
        later = later[:-1]
    left, right = "", ""
    while earlier or later:
        if later and (not earlier or len(right) < len(left)):
            if count(left + core + right + later[0]) <= capacity:
                right += later.pop(0)
            else:
                later = []
        elif count(earlier[-1] + left + core + right) <= capacity:
            left = earlier.pop() + left
        else:
            earlier = []
    return left, right


def _rows(text: str, count: Count, limit: int) -> list[tuple[int, int, int]]:
    """Lines with their line feeds and sizes; of a line that is too long, parts."""
    rows: list[tuple[int, int, int]] = []
    start = 0
    while start < len(text):
        feed = text.find("\n", start)
        end = len(text) if feed < 0 else feed + 1
        while start < end:
            stop = end
            size = count(text[start:stop]) if stop - start <= limit * _MOST_CHARS else limit + 1
            while size > limit and stop - start > 1:
                stop = start + max(1, min(stop - start, limit * _MOST_CHARS) * limit // (size + 1))
                space = text.rfind(" ", start + 1, stop)
                stop = space if space > start else stop
                size = count(text[start:stop])
            rows.append((start, stop, size))
            start = stop
    return rows


def _trimmed(text: str, pins: Sequence[Span], start: int, end: int) -> Span:
    """A window without pinned lines at its end and without its last line feed."""
    end = _without_feed(text, start, end)
    while start < end:
        line = text.rfind("\n", start, end) + 1 or start
        if not is_covered(pins, line, end):
            break
        end = max(start, line - 1)
    return start, end


def _without_feed(text: str, start: int, end: int) -> int:
    return end - 1 if end > start and text[end - 1] == "\n" else end
