"""`extract`: JSON by parsed equality, types included; every field can be told alone; splits by what is extracted."""

import json
import random
import re

import pytest

from redraft.errors import ConfigError
from redraft.tasks import Extract, Problem, split_of
from redraft.tasks.extract.schemas import ENGLISH_SCHEMAS, Schema
from redraft.tasks.extract.schemas_chinese import CHINESE_SCHEMAS

TASK = Extract()
KEY = "extract:" + json.dumps(
    {"age": 31, "name": "Anna Cox", "paid": True, "price": 9.5, "tags": ["a", "b"], "x": None}
)
RIGHT = '{"name": "Anna Cox", "age": 31, "price": 9.5, "paid": true, "x": null, "tags": ["a", "b"]}'


def problems(count: int, seed: int, **dials: int) -> list[Problem]:
    rng = random.Random(seed)
    return [TASK.generate(rng, split=None, dials=TASK.make_dials(**dials)) for _ in range(count)]


def asked(text: str) -> Problem:
    return Problem(task="extract", key=KEY, prompt=text, fields=(), language="en", order="answer_first", num_steps=6)


@pytest.mark.parametrize(
    ("text", "is_correct", "num_right"),
    [
        (RIGHT, True, 6),
        (f"\n  {RIGHT.replace(', ', ',')}  \n", True, 6),
        (RIGHT.replace("31", "31.0"), False, 5),
        (RIGHT.replace("31", '"31"'), False, 5),
        (RIGHT.replace("9.5", "9.50"), True, 6),
        (RIGHT.replace("true", "1"), False, 5),
        (RIGHT.replace("null", '""'), False, 5),
        (RIGHT.replace('"a", "b"', '"b", "a"'), False, 5),
        (RIGHT.replace("Anna", "anna"), False, 5),
        (RIGHT.replace("}", ', "more": 1}'), False, 6),
        (RIGHT.replace("}", ', "age": 31}'), False, 0),
        (RIGHT + " ok", False, 0),
        (f"```json\n{RIGHT}\n```", False, 0),
        (RIGHT[:-1], False, 0),
        ("[1]", False, 0),
        ("[" * 7000, False, 0),
        ('{"a":' * 1500, False, 0),
        ("9" * 7000, False, 0),
        ('{"age": NaN}', False, 0),
        ("\ud800", False, 0),
        ("", False, 0),
    ],
)
def test_the_judge(text: str, is_correct: bool, num_right: int) -> None:
    verdict = TASK.verify(asked(""), text)
    assert (verdict.is_correct, verdict.num_true_lines, verdict.num_lines) == (is_correct, num_right, 6)
    assert bool(verdict.reason) != is_correct


def test_every_problem_is_answered_by_its_own_answer_and_by_no_mutation_of_it() -> None:
    for problem in problems(150, 1):
        assert TASK.verify(problem, problem.answer_text).is_correct
        wanted = json.loads(problem.answer_text)
        for name, value in wanted.items():
            wrong = not value if isinstance(value, bool) else str(value) if not isinstance(value, str) else value + " "
            assert not TASK.verify(problem, json.dumps({**wanted, name: wrong})).is_correct
            assert not TASK.verify(problem, json.dumps({k: v for k, v in wanted.items() if k != name})).is_correct


def test_the_prompt_names_every_key_and_holds_every_value() -> None:
    for problem in problems(150, 2):
        for name, value in json.loads(problem.answer_text).items():
            assert name in problem.prompt
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
                    assert text in problem.prompt


def is_told_alone(schema: Schema, key: str) -> bool:
    first = schema.fields[0].key
    gaps = [set(re.findall(r"\{(\w+)", sentence)) for sentence in schema.sentences]
    return any(key in found and found <= {key, first} for found in gaps)


@pytest.mark.parametrize("schema", [*ENGLISH_SCHEMAS, *CHINESE_SCHEMAS], ids=lambda schema: schema.fields[0].key)
def test_every_field_can_be_told_without_the_others(schema: Schema) -> None:
    assert [field.key for field in schema.fields if not is_told_alone(schema, field.key)] == []
    assert all(field.english_key for field in schema.fields) or schema in ENGLISH_SCHEMAS


def test_missing_fields_are_null_and_are_not_told() -> None:
    nulls = [problem for problem in problems(200, 3, missing_percent=60) if "null" in problem.answer_text]
    assert len(nulls) > 100


def test_splits_share_no_key() -> None:
    rng = random.Random(4)
    keys = {split: {TASK.generate(rng, split=split).key for _ in range(30)} for split in ("train", "dev", "test")}
    for split, found in keys.items():
        assert {split_of(key) for key in found} == {split}


def test_dials() -> None:
    assert all(problem.num_steps == 2 for problem in problems(50, 5, max_keys=2))
    for table in ({"min_keys": 1}, {"max_keys": 7}, {"form_percent": 101}, {"keys": 2}):
        with pytest.raises(ConfigError):
            TASK.make_dials(**table)
    assert problems(20, 6) == problems(20, 6)
