"""Which parts of a text are pinned: all but some lines, or whatever a regular expression matches.

Spans are pairs of character offsets, the second one exclusive.
"""

import bisect
import re
from collections.abc import Iterable, Sequence

from redraft.editing.matching import find_spans
from redraft.errors import ConfigError

__all__ = ["Span", "is_covered", "merge_spans", "pinned_spans", "spans_outside_lines"]

Span = tuple[int, int]
"""A part of a text."""

_LINES = re.compile(r"(\d{0,9})(:?)(\d{0,9})")


def pinned_spans(
    text: str, *, lines: str | None = None, keep: Sequence[str] = (), pins: Iterable[Span] = ()
) -> list[Span]:
    r"""What must stay as it is.

    >>> pinned_spans("a = 1\nb = 2\n", lines="2", keep=["="])
    [(0, 6), (8, 9), (11, 12)]

    Args:
        text: The text.
        lines: Lines that may change, ``A:B`` from 1 and both included; all others are pinned. None pins none.
        keep: Regular expressions; what they match is pinned. ``^`` and ``$`` match at every line.
        pins: Further spans.

    Returns:
        Disjoint spans in order, none of them empty.

    Raises:
        ConfigError: The lines are not there, an expression is wrong, too slow, or matches nothing.
    """
    spans = [*pins]
    for start, end in spans:
        if not 0 <= start <= end <= len(text):
            raise ConfigError(f"the pin {start}:{end} lies outside of the text, which has {len(text)} characters")
    if lines is not None:
        spans += spans_outside_lines(text, lines)
    for pattern in keep:
        found = find_spans(pattern, text)
        if not found:
            raise ConfigError(f"keep {pattern!r} matches nothing in the text, so it would pin nothing; correct it")
        spans += found
    return merge_spans(spans)


def spans_outside_lines(text: str, lines: str) -> list[Span]:
    r"""The text before and behind some lines; the last one's line feed is outside.

    >>> spans_outside_lines("a\nb\nc", "2:2")
    [(0, 2), (3, 5)]

    Args:
        text: The text.
        lines: ``A:B``, ``A:``, ``:B`` or ``A``, from 1 and both included.

    Returns:
        At most two spans.

    Raises:
        ConfigError: They are no lines of the text.
    """
    match = _LINES.fullmatch(lines.strip()) if lines.isascii() else None
    starts = [0, *(place.end() for place in re.finditer("\n", text))]
    if len(starts) > 1 and starts[-1] == len(text):
        starts.pop()
    if match is None or not (match[1] or match[3]):
        raise ConfigError(f"lines {lines!r} is not of the form A:B; write, for example, 3:7")
    first = int(match[1] or 1)
    last = int(match[3] or (len(starts) if match[2] else first))
    if not 1 <= first <= last <= len(starts):
        raise ConfigError(f"lines {lines} are no lines of the text, which has 1 to {len(starts)}")
    begin = starts[first - 1]
    end = starts[last] - 1 if last < len(starts) else len(text) - text.endswith("\n")
    return [span for span in ((0, begin), (end, len(text))) if span[0] < span[1]]


def merge_spans(spans: Iterable[Span]) -> list[Span]:
    """Spans as few as possible: empty ones left out, those that touch joined.

    >>> merge_spans([(5, 7), (0, 2), (2, 3), (4, 4)])
    [(0, 3), (5, 7)]
    """
    merged: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def is_covered(spans: Sequence[Span], start: int, end: int) -> bool:
    """Whether merged spans leave nothing of a part of the text free.

    >>> is_covered([(0, 3), (5, 9)], 5, 8), is_covered([(0, 3), (5, 9)], 2, 6)
    (True, False)

    Args:
        spans: What ``merge_spans`` returned.
        start: Where the part begins.
        end: Where it ends.

    Returns:
        Whether all of it is pinned; an empty part is.
    """
    index = bisect.bisect_right(spans, start, key=lambda span: span[0]) - 1
    return start >= end or (index >= 0 and spans[index][1] >= end)
