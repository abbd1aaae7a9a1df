"""A record told in sentences or as a form."""

import random
import re
from collections.abc import Mapping, Sequence
from functools import partial

from redraft.tasks.extract.schemas import Schema
from redraft.tasks.extract.values import Value, shown, shown_in_form

__all__ = ["as_form", "as_sentences"]

_GAP = re.compile(r"\{(\w+)(?:\?([^|}]*)\|([^}]*))?\}")
_ARTICLE = re.compile(r"\b([Aa]) (?=[aeiouAEIOU])")

_ASIDES = {
    "en": (
        "Thank you for your help.",
        "Please answer soon.",
        "We hope that this is fine.",
        "All is well here.",
        "More will follow later.",
        "Good to know, isn't it?",
    ),
    "zh": ("谢谢。", "请回答。", "没有别的问题。", "其他的明天再说。"),
}


def as_sentences(
    schema: Schema, record: Mapping[str, Value], told: Sequence[str], rng: random.Random, language: str
) -> str:
    """Tell some fields of a record, each at least once, and no others.

    Args:
        schema: Kind of the record.
        record: Its values.
        told: Fields to be told.
        rng: Chooses sentences and spellings.
        language: "en" or "zh".

    Returns:
        The text.
    """
    left = set(told)
    chosen: list[str] = []
    for sentence in rng.sample(schema.sentences, len(schema.sentences)):
        gaps = {match[1] for match in _GAP.finditer(sentence)}
        if gaps <= set(told) and gaps & left:
            chosen.append(sentence)
            left -= gaps
    assert not left, f"no sentence of {schema.name} tells {sorted(left)}"
    if rng.random() < 0.25:
        chosen.insert(rng.randint(0, len(chosen)), rng.choice(_ASIDES[language]))

    fill = partial(_fill, schema=schema, record=record, rng=rng, language=language)
    text = (" " if language == "en" else "").join(_capital(_GAP.sub(fill, sentence)) for sentence in chosen)
    return _ARTICLE.sub(r"\1n ", text) if language == "en" else text


def as_form(schema: Schema, record: Mapping[str, Value], told: Sequence[str], rng: random.Random, language: str) -> str:
    """Write some fields of a record one a line, in any order."""
    separator = rng.choice((": ", ": ", " - ", " = ") if language == "en" else ("：", ": ", "："))
    between = rng.choice(("\n", "\n", "; ") if language == "en" else ("\n", "\n", "；"))
    lines = [
        f"{rng.choice(field.labels)}{separator}{shown_in_form(record[field.key], field.kind, rng, language)}"
        for field in rng.sample(schema.fields, len(schema.fields))
        if field.key in told
    ]
    return between.join(lines)


def _fill(
    match: re.Match[str], *, schema: Schema, record: Mapping[str, Value], rng: random.Random, language: str
) -> str:
    key, yes, no = match.groups()
    if yes is not None:
        return yes if record[key] else no
    return shown(record[key], next(field.kind for field in schema.fields if field.key == key), rng, language)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
