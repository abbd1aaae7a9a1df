"""One draw of `rewrite`: a text, what is asked for, the draft and the one right revision of it."""

import random
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass

from redraft.tasks.rewrite.chinese import CHINESE_AXES, CHINESE_FAULTS, chinese_text
from redraft.tasks.rewrite.code import CODE_AXES, Call, code_text
from redraft.tasks.rewrite.english import english_text
from redraft.tasks.rewrite.faults import ENGLISH_FAULTS
from redraft.tasks.rewrite.forms import ENGLISH_AXES
from redraft.tasks.rewrite.pieces import Axis, Piece, Slot, axes_of, render
from redraft.tasks.rewrite.wording_changes import change

__all__ = ["DOMAINS", "Domain", "Revision", "choose_kinds", "revise"]

_MIXES = frozenset({"date", "clock", "percent", "money", "unit", "tense"})
"""Axes whose slots need not all be in one form: some of a text may already be as asked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Domain:
    """A kind of text with all that can be asked of it."""

    name: str
    """english, chinese or code."""
    axes: Mapping[str, Axis]
    """Forms of its slots."""
    weights: Mapping[str, int]
    """How often each kind of revision is asked for."""
    targets: Mapping[str, tuple[str, ...]]
    """Forms that are asked for, where not all are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """A draft with its revision."""

    key_text: str
    """The text in its canonical form: every slot in the first form of its axis."""
    draft: str
    """What stands there."""
    target: str
    """What is asked for."""
    asked: tuple[tuple[str, dict[str, str]], ...]
    """Entries of the instructions with what they name."""


DOMAINS: dict[str, Domain] = {
    domain.name: domain
    for domain in (
        Domain(
            name="english",
            axes=ENGLISH_AXES,
            weights={
                "typos": 6,
                "marks": 3,
                "casing": 3,
                "spacing": 3,
                "date": 3,
                "clock": 2,
                "small": 2,
                "big": 1,
                "percent": 1,
                "money": 1,
                "unit": 1,
                "tone": 4,
                "tense": 3,
                "polite": 1,
                "replace": 4,
                "delete": 2,
                "insert": 2,
                "upper": 1,
                "lower": 1,
            },
            targets={"polite": ("please",), "tone": ("formal", "formal", "informal")},
        ),
        Domain(
            name="chinese",
            axes=CHINESE_AXES,
            weights={
                "typos": 3,
                "marks": 3,
                "spacing": 2,
                "replace": 2,
                "date": 2,
                "clock": 2,
                "small": 1,
                "percent": 1,
                "money": 1,
                "tone": 2,
                "polite": 1,
            },
            targets={"polite": ("please",), "tone": ("formal",)},
        ),
        Domain(
            name="code",
            axes=CODE_AXES,
            weights={"rename": 4, "order": 4, "spaces": 2, "quotes": 1, "naming": 2},
            targets={"spaces": ("pep8",)},
        ),
    )
}
"""By name."""

_FAULTS = {"english": ENGLISH_FAULTS, "chinese": CHINESE_FAULTS, "code": {}}
_TEXTS = {"english": english_text, "chinese": chinese_text, "code": code_text}
_CONFLICTS = (
    {"upper", "lower", "casing"},
    {"small", "date", "clock", "percent", "money", "unit", "big"},
    {"tone", "tense"},
    {"rename", "naming", "order"},
    {"replace", "delete", "insert"},
)
_DIGITS_ELSEWHERE = frozenset({"unit", "percent", "money", "date", "clock", "big"})


def choose_kinds(domain: Domain, rng: random.Random, count: int, *, only: Container[str] | None = None) -> list[str]:
    """Draw kinds of revision that go together, of some kinds only or of all."""
    chosen: list[str] = []
    weights = {kind: weight for kind, weight in domain.weights.items() if only is None or kind in only}
    for kind in rng.choices(list(weights), weights=list(weights.values()), k=4 * count):
        clashes = any(kind in group and group.intersection(chosen) for group in _CONFLICTS)
        if kind not in chosen and not clashes and not ("order" in chosen or (kind == "order" and chosen)):
            chosen.append(kind)
        if len(chosen) == count:
            break
    return chosen


def revise(
    domain: Domain,
    kinds: Sequence[str],
    rng: random.Random,
    *,
    num_sentences: int,
    max_faults: int,
    is_right: bool,
    accepts: Callable[[str], bool] = lambda key_text: True,
) -> Revision | None:
    """Draw a text and make its draft and its revision.

    Args:
        domain: Kind of text.
        kinds: What is asked for.
        rng: Chooses everything else.
        num_sentences: How many sentences or statements.
        max_faults: Most faults of each kind that are planted.
        is_right: Whether the draft is to be right already.
        accepts: Whether a text is wanted, judged by its canonical form before any work on it.

    Returns:
        The draw, or None if this text isn't wanted or has nothing to revise in the way that was asked for.
    """
    axes = tuple(kind for kind in kinds if kind in domain.axes)
    call = Call(rng) if "order" in kinds else None
    pieces = [] if call and rng.random() < 0.5 else _TEXTS[domain.name](rng, num_sentences, axes)
    key_text = _key_text(pieces, domain, call)
    if not accepts(key_text) or _is_ambiguous(pieces, axes):
        return None
    goals = {axis: rng.choice(domain.targets.get(axis, tuple(domain.axes[axis]))) for axis in axes}
    target_forms, source_forms = _forms(pieces, domain, goals, rng)
    target = _write(pieces, domain, target_forms)
    source = target if is_right else _write(pieces, domain, source_forms)
    if axes and source == target and not is_right:
        return None
    asked = [(_entry(domain, axis, goal), {}) for axis, goal in goals.items()]
    for kind in kinds:
        if kind in goals or kind in _FAULTS[domain.name]:
            continue
        changed = change(kind, source, target, rng, call=call, is_right=is_right)
        if changed is None:
            return None
        source, target = changed.source, changed.target
        asked.append((changed.entry, changed.named))
    asked += [(fault, {}) for fault in _FAULTS[domain.name] if fault in kinds]
    draft = source if is_right else _spoil(source, domain, kinds, rng, max_faults)
    if draft is None or (draft == target) != is_right:
        return None
    return Revision(key_text=key_text, draft=draft, target=target, asked=tuple(asked))


def _is_ambiguous(pieces: Sequence[Piece], axes: Sequence[str]) -> bool:
    """Whether other numbers in the text might be meant as well."""
    present = axes_of(pieces)
    return bool("small" in axes and present & _DIGITS_ELSEWHERE) or ("big" in axes and "date" in present)


def _spoil(text: str, domain: Domain, kinds: Sequence[str], rng: random.Random, max_faults: int) -> str | None:
    """Plant every kind of fault; None if one of them left the text as it was."""
    for fault, plant in _FAULTS[domain.name].items():
        if fault in kinds:
            spoilt = plant(text, rng, rng.randint(1, max_faults))
            if spoilt is None or spoilt == text:
                return None
            text = spoilt
    return text


def _write(pieces: Sequence[Piece], domain: Domain, forms: Sequence[str]) -> str:
    return render(pieces, domain.axes, forms, is_prose=domain.name == "english")


def _key_text(pieces: Sequence[Piece], domain: Domain, call: Call | None) -> str:
    """The text in first forms, and a call with its arguments in order of the alphabet."""
    forms = ["" if isinstance(piece, str) else next(iter(domain.axes[piece.axis])) for piece in pieces]
    text = _write(pieces, domain, forms)
    return text if call is None else f"{text}\n{call.written(sorted(call.arguments))}"


def _entry(domain: Domain, axis: str, goal: str) -> str:
    return "date/slashes_zh" if domain.name == "chinese" and goal == "slashes" else f"{axis}/{goal}"


def _forms(
    pieces: Sequence[Piece], domain: Domain, goals: Mapping[str, str], rng: random.Random
) -> tuple[list[str], list[str]]:
    """The forms of target and source; what isn't asked for has one form throughout."""
    usual = {axis: rng.choice(list(forms)) for axis, forms in domain.axes.items()}
    before = {axis: rng.choice(_sources(domain, axis, goal)) for axis, goal in goals.items()}
    targets, sources = [], []
    for piece in pieces:
        if not isinstance(piece, Slot):
            targets.append("")
            sources.append("")
            continue
        goal = goals.get(piece.axis)
        targets.append(goal or usual[piece.axis])
        if goal is None:
            sources.append(usual[piece.axis])
        elif piece.axis in _MIXES and rng.random() < 0.25:
            sources.append(goal if rng.random() < 0.4 else rng.choice(_sources(domain, piece.axis, goal)))
        else:
            sources.append(before[piece.axis])
    return targets, sources


def _sources(domain: Domain, axis: str, goal: str) -> list[str]:
    """Forms that a goal can be reached from; 03/04/2024 doesn't tell which is the day."""
    others = [form for form in domain.axes[axis] if form != goal]
    return [form for form in others if not (axis == "date" and form == "slashes" and domain.name == "english")]
