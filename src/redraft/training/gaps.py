"""Cuts gaps into a text: the rest is pinned, and the room of a gap never tells how much is missing in it."""

import random
import re
from collections.abc import Sequence

from redraft.text import Field, Tokenizer, lay_out
from redraft.training.form_config import GapRecipe
from redraft.training.laid import Laid

__all__ = ["Span", "cut_spans", "lay_gaps"]

Span = tuple[int, int]
"""First character of a gap, and the one behind its last."""

_ATTEMPTS = 8
"""Draws of one further gap before the text is taken to have no place for it."""


def lay_gaps(
    rng: random.Random, tokenizer: Tokenizer, fields: Sequence[Field], recipe: GapRecipe, canvas_length: int
) -> Laid | None:
    """Lay a text with gaps on a canvas.

    Each piece is encoded on its own, as it is when somebody gives what stands before and behind a gap. A gap holds what
    is missing, with the slots of whole fields if the recipe says so, and then empty slots, whose number is drawn.

    Args:
        rng: Source of every draw.
        tokenizer: Of the model.
        fields: The whole text.
        recipe: How gaps are cut.
        canvas_length: Most positions, the end of text included.

    Returns:
        The canvas, or None if the text is too long for it or has nothing to cut.
    """
    text = "".join(field.text for field in fields)
    spans = cut_spans(rng, text, recipe)
    if not spans:
        return None
    pieces: list[list[int]] = []
    begin = 0
    for first, last in spans:
        missing = _within(fields, first, last) if recipe.keeps_slots else [Field(text[first:last])]
        pieces += [tokenizer.encode(text[begin:first]), lay_out(tokenizer, missing)]
        begin = last
    pieces.append(tokenizer.encode(text[begin:]))
    room = canvas_length - 1 - sum(map(len, pieces))
    if room < len(spans):
        return None
    slack = _share_slack(rng, [len(piece) for piece in pieces[1::2]], room, recipe)
    target: list[int] = []
    is_open: list[bool] = []
    for index, piece in enumerate(pieces):
        is_gap = index % 2 == 1
        target += piece + [tokenizer.special.null] * (slack[index // 2] if is_gap else 0)
        is_open += [is_gap] * (len(target) - len(is_open))
    return Laid(
        target=target,
        start=[tokenizer.special.mask if is_gap else token for token, is_gap in zip(target, is_open, strict=True)],
        is_open=is_open,
        form="gap",
    )


def _within(fields: Sequence[Field], first: int, last: int) -> list[Field]:
    """What of the fields lies between two characters; of a field that is cut only the text, as its slot is, too."""
    found: list[Field] = []
    begin = 0
    for field in fields:
        end = begin + len(field.text)
        if begin < last and end > first:
            is_whole = first <= begin and end <= last
            found.append(field if is_whole else Field(field.text[max(first - begin, 0) : last - begin]))
        begin = end
    return found


def cut_spans(rng: random.Random, text: str, recipe: GapRecipe) -> list[Span]:
    """Draw one gap or several that neither overlap nor touch, in their order."""
    num_gaps = 1 if rng.random() < 0.5 else rng.randint(1, recipe.max_gaps)
    spans: list[Span] = []
    for _ in range(num_gaps):
        for _ in range(_ATTEMPTS):
            first, last = _cut_span(rng, text, recipe)
            is_apart = all(last < other_first or other_last < first for other_first, other_last in spans)
            if is_apart and first < last:
                spans.append((first, last))
                break
    return sorted(spans)


def _cut_span(rng: random.Random, text: str, recipe: GapRecipe) -> Span:
    kind = rng.random()
    lines = [match.span() for match in re.finditer(r"[^\n]+", text)]
    if len(lines) > 1 and kind < recipe.single_line_share + recipe.several_lines_share:
        # All lines at once would leave nothing to go by.
        num_lines = 1 if kind < recipe.single_line_share or len(lines) == 2 else rng.randint(2, len(lines) - 1)
        index = rng.randint(0, len(lines) - num_lines)
        first, last = lines[index][0], lines[index + num_lines - 1][1]
        if rng.random() < 0.5:
            first += len(text[first:last]) - len(text[first:last].lstrip())
        return (first, last) if rng.random() < 0.5 else (first, min(last + 1, len(text)))
    return _anywhere(rng, text, recipe)


def _anywhere(rng: random.Random, text: str, recipe: GapRecipe) -> Span:
    """A span of any place; half of them begin and end with whole words."""
    length = rng.randint(1, max(1, int(len(text) * recipe.max_span_share)))
    first = rng.randint(0, max(0, len(text) - length))
    last = min(len(text), first + length)
    if rng.random() < 0.5:
        while first > 0 and not text[first - 1].isspace():
            first -= 1
        while last < len(text) and not text[last].isspace():
            last += 1
    return first, last


def _share_slack(rng: random.Random, needed: Sequence[int], room: int, recipe: GapRecipe) -> list[int]:
    """Empty slots for each gap: little, some or much room, in any order, at least one slot where nothing is missing."""
    slack = [0] * len(needed)
    order = list(range(len(needed)))
    rng.shuffle(order)
    for index in order:
        most = min(room, rng.choice((4, 16, recipe.max_slack)), recipe.max_slack)
        slack[index] = rng.randint(0, most)
        room -= slack[index]
    return slack
