"""What became of a text, piece by piece: told from the positions of a canvas before and after, never by guessing.

Runs of changed positions are read as characters. A run that would not be text in UTF-8 falls back to what stood there,
so that a revision of a text is always a text.
"""

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from redraft.editing.sheet import Sheet
from redraft.text import Tokenizer

__all__ = ["Piece", "cut_pieces", "join_pieces", "pieces_of"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text and what stands in its place."""

    before: str
    """The part; empty where something was put in."""
    after: str
    """What stands there now; empty where it was taken out."""
    confidence: float
    """The model's probability of its least sure token, in [0, 1]; 1 where it was not asked."""

    @property
    def is_kept(self) -> bool:
        """Whether nothing changed."""
        return self.before == self.after


def pieces_of(tokenizer: Tokenizer, sheet: Sheet, tokens: Sequence[int], confidence: Sequence[float]) -> list[Piece]:
    """Read a revised canvas.

    Args:
        tokenizer: The model's.
        sheet: The canvas before.
        tokens: The canvas after.
        confidence: Probability of each token that stands there now.

    Returns:
        Pieces that cover the whole draft, in order.
    """
    new, sure, groups = _mended(tokenizer, sheet, tokens, confidence)
    pieces: list[Piece] = []
    for start, end, is_changed in _runs(groups, sheet.tokens, new):
        old = sheet.tokens[start:end]
        if is_changed:
            lowest = min(sure[start:end])
            pieces += _refined(
                _atoms(tokenizer, old, sure[start:end]), _atoms(tokenizer, new[start:end], sure[start:end]), lowest
            )
        else:
            text = tokenizer.decode(old)
            lowest = min((sure[place] for place in range(start, end) if sheet.is_editable[place]), default=1.0)
            pieces.append(Piece(text, text, lowest))
    return join_pieces(pieces)


def join_pieces(pieces: Sequence[Piece]) -> list[Piece]:
    """Join neighbours that were both kept, or both changed; empty pieces go.

    >>> join_pieces([Piece("a", "a", 0.9), Piece("b", "b", 0.5), Piece("", "x", 1.0), Piece("", "", 0.1)])
    [Piece(before='ab', after='ab', confidence=0.5), Piece(before='', after='x', confidence=1.0)]
    """
    joined: list[Piece] = []
    for piece in pieces:
        if not (piece.before or piece.after):
            continue
        if joined and joined[-1].is_kept == piece.is_kept:
            last = joined.pop()
            piece = Piece(last.before + piece.before, last.after + piece.after, min(last.confidence, piece.confidence))
        joined.append(piece)
    return joined


def cut_pieces(pieces: Sequence[Piece], start: int, end: int) -> list[Piece]:
    """The pieces of a part of the draft whose surroundings were kept.

    >>> cut_pieces([Piece("abc", "abc", 1.0), Piece("", "x", 0.9)], 2, 3)
    [Piece(before='c', after='c', confidence=1.0), Piece(before='', after='x', confidence=0.9)]

    Args:
        pieces: All of them.
        start: Where the part begins in the draft, in characters.
        end: Where it ends.

    Returns:
        Pieces that cover it; what was put in at its borders belongs to it.
    """
    inside: list[Piece] = []
    place = 0
    for piece in pieces:
        low, high = place, place + len(piece.before)
        place = high
        if start <= low and high <= end:
            inside.append(piece)
        elif low < end and high > start:
            assert piece.is_kept, "what surrounds the part was pinned"
            text = piece.before[max(start - low, 0) : end - low]
            inside.append(Piece(text, text, piece.confidence))
    return inside


def _runs(groups: Sequence[tuple[int, int]], old: Sequence[int], new: Sequence[int]) -> Iterator[tuple[int, int, bool]]:
    """Runs of groups that changed, or did not."""
    begin, last = 0, False
    for start, end in groups:
        is_changed = tuple(new[start:end]) != tuple(old[start:end])
        if is_changed != last and start > begin:
            yield begin, start, last
            begin = start
        last = is_changed
    if groups:
        yield begin, groups[-1][1], last


def _mended(
    tokenizer: Tokenizer, sheet: Sheet, tokens: Sequence[int], confidence: Sequence[float]
) -> tuple[list[int], list[float], list[tuple[int, int]]]:
    """The new canvas with the old units wherever the new ones would be no text, and no confidence in those.

    Also the units, those together that share a character: an empty slot in the midst of it, which did not change,
    belongs to it.
    """
    new, sure, groups = list(tokens), list(confidence), list[tuple[int, int]]()
    decoder = codecs.getincrementaldecoder("utf-8")()
    begin = 0
    for start, end in sheet.units:
        raw = b"".join(map(tokenizer.token_bytes, new[start:end]))
        try:
            text = decoder.decode(raw)
            is_text = "\0" not in text or new[start:end] == list(sheet.tokens[start:end])
        except UnicodeDecodeError:
            is_text = False
        if is_text and decoder.getstate()[0] and end < sheet.units[-1][1]:
            continue  # a character that goes on in the next unit
        if not is_text or decoder.getstate()[0]:
            new[begin:end] = sheet.tokens[begin:end]
            sure[begin:end] = [0.0 if sheet.is_editable[place] else 1.0 for place in range(begin, end)]
            decoder.reset()
        groups.append((begin, end))
        begin = end
    return new, sure, groups


def _atoms(tokenizer: Tokenizer, tokens: Sequence[int], confidence: Sequence[float]) -> list[tuple[str, float]]:
    """The smallest runs of tokens that spell whole characters, with the confidence of the least sure one."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    atoms: list[tuple[str, float]] = []
    text, lowest = "", 1.0
    for token, sure in zip(tokens, confidence, strict=True):
        text += decoder.decode(tokenizer.token_bytes(token))
        lowest = min(lowest, sure)
        if text and not decoder.getstate()[0]:
            atoms.append((text, lowest))
            text, lowest = "", 1.0
    return atoms


def _refined(old: list[tuple[str, float]], new: list[tuple[str, float]], lowest: float) -> list[Piece]:
    """Tell what was only shifted from what changed."""
    pieces: list[Piece] = []
    matcher = SequenceMatcher(None, [text for text, _ in old], [text for text, _ in new], autojunk=False)
    for _, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        before = "".join(text for text, _ in old[old_start:old_end])
        after = "".join(text for text, _ in new[new_start:new_end])
        if "\r\n" not in before:  # how lines end is not the model's to say
            after = after.replace("\r\n", "\n")
        pieces.append(Piece(before, after, min((sure for _, sure in new[new_start:new_end]), default=lowest)))
    return pieces
