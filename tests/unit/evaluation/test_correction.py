"""Planted errors: where they go, and that detected, repaired and damaged are what they say."""

import random

import pytest
import torch

from redraft.denoiser import FakeDenoiser
from redraft.engine import Engine
from redraft.errors import ConfigError
from redraft.evaluation.accuracy import draw_problems
from redraft.evaluation.correction import measure_correction, measure_revisions, plant
from redraft.tasks import Problem
from redraft.text import Segment, Tokenizer, encode_segment, lay_out

CANVAS = 128


def engine_that_wants(tokenizer: Tokenizer, wanted: dict[tuple[int, ...], list[int]], sureness: float = 30.0) -> Engine:
    """An engine that wants one text per prompt, whatever stands on the canvas."""

    def logits_of(canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        assert context is not None
        rows = [wanted[tuple(row)] for row in context.tolist()]
        rows = [row + [tokenizer.special.end_of_text] * (CANVAS - len(row)) for row in rows]
        tokens = torch.tensor(rows)[:, : canvas.shape[1]]
        return torch.nn.functional.one_hot(tokens, tokenizer.vocab_size).float() * sureness

    fake = FakeDenoiser(vocab_size=tokenizer.vocab_size, logits_of=logits_of)
    return Engine(fake, tokenizer, name="fake", context_length=256, canvas_length=CANVAS)


def contexts(tokenizer: Tokenizer, problems: list[Problem]) -> list[tuple[int, ...]]:
    return [tuple(encode_segment(tokenizer, Segment("user", problem.prompt))) for problem in problems]


@pytest.fixture
def problems() -> list[Problem]:
    return draw_problems("arithmetic", count=12, seed=3)


@pytest.mark.parametrize("num_planted", [1, 2, 8])
def test_a_model_that_knows_the_answer_repairs_all_and_damages_nothing(
    tokenizer: Tokenizer, problems: list[Problem], num_planted: int
) -> None:
    answers = [lay_out(tokenizer, problem.fields) for problem in problems]
    engine = engine_that_wants(tokenizer, dict(zip(contexts(tokenizer, problems), answers, strict=True)))
    counts = measure_correction(engine, problems, num_planted=num_planted, settings=engine.settings())
    assert counts.planted == counts.detected == counts.repaired == num_planted * len(problems)
    assert counts.damaged == 0
    assert counts.restored == counts.canvases == len(problems)
    assert counts.right + counts.planted == sum(map(len, answers))
    assert counts.to_dict()["repaired"]["value"] == 1.0


def test_a_model_that_wants_another_text_damages_and_does_not_repair(
    tokenizer: Tokenizer, problems: list[Problem]
) -> None:
    answers = [lay_out(tokenizer, problem.fields) for problem in problems]
    shouting = [[tokenizer.encode("A")[0]] * len(answer) for answer in answers]
    engine = engine_that_wants(tokenizer, dict(zip(contexts(tokenizer, problems), shouting, strict=True)))
    counts = measure_correction(engine, problems, num_planted=2, settings=engine.settings())
    assert counts.detected == counts.planted, "every planted token changed ..."
    assert counts.repaired == 0, "... into another wrong one"
    assert counts.damaged == counts.right
    assert counts.restored == 0


def test_a_model_that_is_never_sure_leaves_everything(tokenizer: Tokenizer, problems: list[Problem]) -> None:
    answers = [lay_out(tokenizer, problem.fields) for problem in problems]
    unsure = dict(zip(contexts(tokenizer, problems), answers, strict=True))
    engine = engine_that_wants(tokenizer, unsure, sureness=0.1)
    settings = engine.settings(remask_threshold=None)
    counts = measure_correction(engine, problems, num_planted=3, settings=settings)
    assert counts.detected == counts.repaired == counts.damaged == 0


def test_planted_tokens_are_wrong_and_look_alike(tokenizer: Tokenizer) -> None:
    ids = lay_out(tokenizer, draw_problems("arithmetic", count=1, seed=1)[0].fields)
    places = {*tokenizer.digit_token_ids, tokenizer.special.null}
    for seed in range(30):
        wrong = plant(ids, 5, random.Random(seed), tokenizer)
        assert len(wrong) == 5
        for place, token in wrong.items():
            assert token != ids[place]
            assert (token in places) == (ids[place] in places) or token in ids
    with pytest.raises(ConfigError, match="plant fewer"):
        plant(ids, len(ids) + 1, random.Random(0), tokenizer)


def test_nothing_is_revised_where_the_model_never_changes_its_mind(
    tokenizer: Tokenizer, problems: list[Problem]
) -> None:
    answers = [lay_out(tokenizer, problem.fields) for problem in problems]
    engine = engine_that_wants(tokenizer, dict(zip(contexts(tokenizer, problems), answers, strict=True)))
    revisions = measure_revisions(engine, problems, settings=engine.settings())
    assert revisions.revised.total == revisions.answers.total == 0


def test_a_revised_token_that_ends_right_counts(tokenizer: Tokenizer, problems: list[Problem]) -> None:
    """The first pass says 7 everywhere, later ones the truth."""
    problem = problems[0]
    answer = lay_out(tokenizer, problem.fields)
    seven = tokenizer.digit_token_ids[7]

    def logits_of(canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        assert context is not None
        is_first = bool((canvas == tokenizer.special.mask).all())
        row = [seven] * len(answer) if is_first else answer
        row = row + [tokenizer.special.end_of_text] * (CANVAS - len(row))
        return torch.nn.functional.one_hot(torch.tensor([row])[:, : canvas.shape[1]], tokenizer.vocab_size) * 30.0

    fake = FakeDenoiser(vocab_size=tokenizer.vocab_size, logits_of=logits_of)
    engine = Engine(fake, tokenizer, name="fake", context_length=256, canvas_length=CANVAS)
    at_once = engine.settings(lookahead=None, answer_slots=0, sure_threshold=None)
    revisions = measure_revisions(engine, [problem], settings=at_once)
    assert revisions.revised.successes == revisions.revised.total == sum(token != seven for token in answer)
    assert (revisions.answers.successes, revisions.answers.total) == (1, 1)
