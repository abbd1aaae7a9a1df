"""`extract`: a sentence or a form and some keys; the JSON object with just these keys, values and types exact."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redraft.tasks.dials import check_range, read_dials
from redraft.tasks.extract.schemas import ENGLISH_SCHEMAS, FieldSpec, Schema
from redraft.tasks.extract.schemas_chinese import CHINESE_SCHEMAS
from redraft.tasks.extract.values import Value, draw
from redraft.tasks.extract.wordings import MISSING, WORDINGS
from redraft.tasks.extract.writing import as_form, as_sentences
from redraft.tasks.holdout import split_of
from redraft.tasks.problem import MAX_LENGTH, Dials, Language, Order, Problem, Split, Verdict, rough_length
from redraft.text.slots import COPIED_MULTIPLE, Field

__all__ = ["Extract", "ExtractDials"]

MAX_ATTEMPTS = 10_000
"""Draws before a split is reported as unreachable; one record in twenty is held out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtractDials:
    """How much is asked for and how it is told."""

    min_keys: int = 2
    """Fewest keys that are asked for."""
    max_keys: int = 5
    """Most of them; the number is uniform between the two, but no record has more than six fields."""
    form_percent: int = 40
    """Share of forms; the others are sentences."""
    missing_percent: int = 8
    """Share of asked fields that the text doesn't tell: null."""
    max_characters: int = 420
    """Longest prompt; a Chinese character counts as three."""

    def __post_init__(self) -> None:
        check_range("extract keys", self.min_keys, self.max_keys, least=2, most=6)
        check_range("extract form_percent", 0, self.form_percent, least=0, most=100)
        check_range("extract missing_percent", 0, self.missing_percent, least=0, most=90)
        check_range("extract max_characters", 200, self.max_characters, least=200, most=4000)


class Extract:
    """Generator and verifier; see ``docs/tasks.md`` for the distribution."""

    name = "extract"

    def make_dials(self, **table: object) -> ExtractDials:
        """The generator's settings from a recipe's table."""
        return read_dials(ExtractDials, table, self.name)

    def generate(
        self,
        rng: random.Random,
        *,
        split: Split | None = "train",
        order: Order = "answer_first",
        language: Language | None = None,
        dials: Dials | None = None,
    ) -> Problem:
        """A random problem of one split (None: of any); the order says nothing here, as there is no derivation."""
        dials = dials or ExtractDials()
        assert isinstance(dials, ExtractDials), f"not ExtractDials but {type(dials).__name__}"
        language = language or rng.choice(("en", "en", "zh"))
        for _ in range(MAX_ATTEMPTS):
            schema = rng.choice(ENGLISH_SCHEMAS if language == "en" else CHINESE_SCHEMAS)
            count = min(rng.randint(dials.min_keys, dials.max_keys), len(schema.fields))
            asked = rng.sample(schema.fields, count)
            record = {field.key: draw(field.kind, rng, language) for field in schema.fields}
            first = schema.fields[0].key
            untold = {f.key for f in asked if f.key != first and rng.random() * 100 < dials.missing_percent}
            names = _names(asked, rng, language)
            wanted = {names[f.key]: None if f.key in untold else record[f.key] for f in asked}
            key = f"{self.name}:{json.dumps(wanted, ensure_ascii=False, sort_keys=True)}"
            if (split is not None and split_of(key) != split) or _says_too_much(record):
                continue
            told = _told(schema, asked, untold, rng)
            prompt = _prompt(schema, record, told, names, rng, language, dials)
            if rough_length(prompt) <= dials.max_characters:
                return Problem(
                    task=self.name,
                    key=key,
                    prompt=prompt,
                    fields=_fields(wanted),
                    language=language,
                    order=order,
                    num_steps=count,
                )
        raise AssertionError(f"no problem of the split {split} in {MAX_ATTEMPTS} draws")

    def verify(self, problem: Problem, text: str) -> Verdict:
        """Judges any text whatever: a JSON object with these keys in any order, and each value of the same type."""
        wanted = json.loads(problem.key.removeprefix(f"{self.name}:"))
        found, reason = _parsed(text)
        right = [name for name, value in wanted.items() if name in found and _same(found[name], value)]
        is_correct = not reason and len(right) == len(wanted) == len(found)
        if not reason and not is_correct:
            wrong = [name for name in wanted if name not in right] + [name for name in found if name not in wanted]
            reason = f"wrong, missing or too many: {', '.join(wrong)[:80]}"
        return Verdict(
            answer_is_correct=is_correct,
            is_derivation_valid=is_correct,
            num_lines=len(wanted),
            num_true_lines=len(right),
            reason=reason,
        )


def _fields(wanted: Mapping[str, Value | None]) -> tuple[Field, ...]:
    """The JSON in pieces, each with a slot of its own: a key and its colon, a value or item and what closes it."""
    pieces: list[str] = []
    for name, value in wanted.items():
        pieces.append(f"{' ' if pieces else '{'}{_json(name)}:")
        texts = [_json(value)]
        if isinstance(value, list) and value:
            texts = [_json(item) for item in value]
            texts[0] = f"[{texts[0]}"
            texts[-1] = f"{texts[-1]}]"
        pieces += [f" {text}," for text in texts]
    pieces[-1] = pieces[-1].removesuffix(",") + "}"
    return tuple(Field(piece, multiple=COPIED_MULTIPLE) for piece in pieces)


def _json(value: Value | None) -> str:
    return json.dumps(value, ensure_ascii=False)


def _names(asked: Sequence[FieldSpec], rng: random.Random, language: Language) -> dict[str, str]:
    """What each field is called in the JSON: Chinese records take English keys half of the time."""
    is_english = language == "zh" and rng.random() < 0.5
    return {field.key: field.english_key if is_english else field.key for field in asked}


def _says_too_much(record: dict[str, Value]) -> bool:
    """Whether two fields have the same text, so that a reader couldn't tell which is meant."""
    texts = [value for value in record.values() if isinstance(value, str)]
    return len(set(texts)) < len(texts)


def _told(schema: Schema, asked: Sequence[FieldSpec], untold: set[str], rng: random.Random) -> list[str]:
    """The fields that the text tells: the first, all that are asked for but the missing, and now and then another."""
    keys = {field.key for field in asked}
    others = [field.key for field in schema.fields[1:] if field.key not in keys and rng.random() < 0.3]
    first = schema.fields[0].key
    return [first, *(field.key for field in asked if field.key != first and field.key not in untold), *others]


def _prompt(
    schema: Schema,
    record: dict[str, Value],
    told: Sequence[str],
    names: dict[str, str],
    rng: random.Random,
    language: Language,
    dials: ExtractDials,
) -> str:
    write = as_form if rng.random() * 100 < dials.form_percent else as_sentences
    text = write(schema, record, told, rng, language)
    kinds = {field.key: field.kind for field in schema.fields}
    # The text may write a date in any way; JSON has one way, so the request says which.
    keys = [f"{name} (YYYY-MM-DD)" if kinds[key] == "date" else name for key, name in names.items()]
    listed = (", " if language == "en" else "、").join(keys)
    request = rng.choice(WORDINGS[language]).format(keys=listed, text=text)
    if rng.random() < 0.3:
        request = rng.choice(MISSING[language]) + (" " if language == "en" else "") + request
    return request


def _parsed(text: str) -> tuple[dict[str, Any], str]:
    """The object that a text spells, and what is wrong with it."""
    try:
        found = json.loads(text[:MAX_LENGTH], object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        return {}, f"no JSON: {str(error)[:60]}"
    return (found, "") if isinstance(found, dict) else ({}, "not a JSON object")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are all different."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _same(found: Any, wanted: Any) -> bool:
    """Equal with the same type, so that 1, 1.0, true and "1" are four things."""
    if type(found) is not type(wanted):
        return False
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(_same, found, wanted))
    return bool(found == wanted)
