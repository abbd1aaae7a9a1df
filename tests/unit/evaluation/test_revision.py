"""Problems with a draft are asked as edits: by an engine that knows each revision, and by one that changes nothing."""

import pytest
import torch

from redraft.denoiser import FakeDenoiser
from redraft.editing.sheet import lay_draft
from redraft.engine import Engine
from redraft.evaluation.accuracy import Share, draw_problems, evaluate, summarise
from redraft.tasks import Problem
from redraft.text import Tokenizer, align

CANVAS = 168


def revising(tokenizer: Tokenizer, problems: list[Problem], *, num_known: int) -> Engine:
    """Return an engine that knows some revisions, and leaves all other drafts as they are."""
    revisions = {}
    for problem in problems[:num_known]:
        sheet = lay_draft(tokenizer, problem.draft or "", (), CANVAS)
        assert sheet is not None
        ends = [token for token in sheet.tokens if token == tokenizer.special.end_of_text]
        canvas = list(sheet.tokens[: len(sheet.tokens) - len(ends)])
        after = align(canvas, tokenizer.encode(problem.answer_text), tokenizer.special.null)
        assert after is not None
        revisions[sheet.tokens] = after + ends

    def logits_of(canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        rows = [revisions.get(tuple(row), row) for row in canvas.tolist()]
        return torch.nn.functional.one_hot(torch.tensor(rows), tokenizer.vocab_size).float() * 30.0

    fake = FakeDenoiser(vocab_size=tokenizer.vocab_size, logits_of=logits_of)
    return Engine(fake, tokenizer, name="fake", context_length=256, canvas_length=CANVAS)


@pytest.mark.slow
@pytest.mark.parametrize("effort", ["instant", "medium"])
def test_known_revisions_are_right_and_untouched_drafts_wrong_but_for_those_that_are_right(
    tokenizer: Tokenizer, effort: str
) -> None:
    problems = draw_problems("rewrite", count=16, seed=3, dials={"right_percent": 0})
    problems += draw_problems("rewrite", count=4, seed=4, dials={"right_percent": 100})
    engine = revising(tokenizer, problems, num_known=12)
    ticks: list[int] = []
    settings = engine.settings(effort)
    outcomes = evaluate(engine, problems, settings=settings, effort=effort, tick=ticks.append)
    assert summarise(outcomes).answer == Share(successes=16, total=20)
    assert [outcome.verdict.is_correct for outcome in outcomes] == [True] * 12 + [False] * 4 + [True] * 4
    assert [outcome.result.text for outcome in outcomes[12:]] == [problem.draft for problem in problems[12:]]
    assert all(outcome.result.revised_tokens > 0 for outcome in outcomes[:12])
    assert all(outcome.result.revised_tokens == 0 for outcome in outcomes[12:])
    assert {outcome.result.finish_reason for outcome in outcomes[12:]} == {"stop"}
    assert ticks[-1] == 20
    assert [outcome.result.id for outcome in outcomes] == [str(index) for index in range(20)]


def test_drafts_and_prompts_may_be_mixed(tokenizer: Tokenizer) -> None:
    problems = draw_problems("rewrite", count=2, seed=3) + draw_problems("arithmetic", count=2, seed=3)
    engine = revising(tokenizer, problems[:2], num_known=2)
    outcomes = evaluate(engine, [problems[2], problems[0], problems[3], problems[1]], settings=engine.settings())
    assert [outcome.verdict.is_correct for outcome in outcomes] == [False, True, False, True]
