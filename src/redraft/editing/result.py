"""What an edit or an infill ends in: the text, and what became of every part of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from redraft.editing.pieces import Piece
from redraft.editing.source import Source

__all__ = ["Change", "ChangeKind", "EditResult", "Fill", "InfillResult", "changes_of"]

ChangeKind = Literal["kept", "changed", "inserted", "deleted"]
"""What became of a part."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A part of the text and what stands in its place. Parts cover the text without a gap, in order."""

    kind: ChangeKind
    """What became of it."""
    start: int
    """Where it begins in the original, in characters."""
    end: int
    """Where it ends there."""
    new_start: int
    """Where its successor begins in the result."""
    new_end: int
    """Where that ends."""
    before: str
    """The part."""
    after: str
    """Its successor."""
    confidence: float
    """The model's probability of its least sure token; 1 where the model was not asked, as at pinned text."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values; what was kept is not spelled out."""
        values = asdict(self) | {"confidence": round(self.confidence, 6)}
        if self.kind == "kept":
            del values["before"], values["after"]
        return values


@dataclass(frozen=True, kw_only=True, slots=True)
class EditResult:
    """A revised text."""

    text: str
    """The whole revision, written as the original was."""
    original: str
    """The whole original."""
    changes: tuple[Change, ...]
    """What became of each part."""
    model: str
    """Name of the model."""
    seed: int
    """Fixes every draw."""
    prompt_tokens: int
    """Tokens of the instruction."""
    num_windows: int
    """Canvases that the text took."""
    nfe: int
    """Forward passes over all of them."""
    is_stable: bool
    """Whether the last pass over each of them changed nothing any more; if not, more effort may change more."""
    seconds: float
    """Time in the loop."""

    @property
    def is_changed(self) -> bool:
        """Whether the text is another one now."""
        return self.text != self.original

    def to_dict(self) -> dict[str, Any]:
        """The fields of the JSON output, in their documented order."""
        counts = Counter(change.kind for change in self.changes)
        return {
            "text": self.text,
            "model": self.model,
            "seed": self.seed,
            "is_changed": self.is_changed,
            "is_stable": self.is_stable,
            "counts": {kind: counts[kind] for kind in ("kept", "changed", "inserted", "deleted")},
            "changes": [change.to_dict() for change in self.changes],
            "prompt_tokens": self.prompt_tokens,
            "windows": self.num_windows,
            "nfe": self.nfe,
            "seconds": round(self.seconds, 6),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Fill:
    """What was put into one gap."""

    text: str
    """The text of the gap."""
    start: int
    """Where it begins in the result, in characters."""
    end: int
    """Where it ends."""
    num_tokens: int
    """Tokens of it."""
    confidence: float
    """Probability of its least sure token; 1 for an empty fill."""
    is_whole: bool
    """Whether the model left room in the gap; if not, it may have had more to say."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self) | {"confidence": round(self.confidence, 6)}


@dataclass(frozen=True, kw_only=True, slots=True)
class InfillResult:
    """A text whose gaps are filled."""

    text: str
    """The whole text."""
    fills: tuple[Fill, ...]
    """What was put into each gap, in order."""
    model: str
    """Name of the model."""
    seed: int
    """Fixes every draw."""
    prompt_tokens: int
    """Tokens of the instruction."""
    num_windows: int
    """Canvases that it took."""
    nfe: int
    """Forward passes over all of them."""
    seconds: float
    """Time in the loop."""

    def to_dict(self) -> dict[str, Any]:
        """The fields of the JSON output, in their documented order."""
        return {
            "text": self.text,
            "fills": [fill.to_dict() for fill in self.fills],
            "model": self.model,
            "seed": self.seed,
            "prompt_tokens": self.prompt_tokens,
            "windows": self.num_windows,
            "nfe": self.nfe,
            "seconds": round(self.seconds, 6),
        }


def changes_of(pieces: Sequence[Piece], source: Source) -> tuple[Change, ...]:
    """Say where each piece stands in the original and in the result, both as they are written.

    Args:
        pieces: They cover the text.
        source: How it was written.

    Returns:
        The changes.
    """
    changes: list[Change] = []
    place = new_place = len(source.mark)
    for piece in pieces:
        before, after = source.restore(piece.before), source.restore(piece.after)
        kind: ChangeKind = "changed"
        if piece.is_kept:
            kind = "kept"
        elif not before or not after:
            kind = "deleted" if before else "inserted"
        changes.append(
            Change(
                kind=kind,
                start=place,
                end=place + len(before),
                new_start=new_place,
                new_end=new_place + len(after),
                before=before,
                after=after,
                confidence=piece.confidence,
            )
        )
        place, new_place = place + len(before), new_place + len(after)
    return tuple(changes)
