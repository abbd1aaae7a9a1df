import json
import subprocess
import sys
from typing import Any

import pytest

from redraft.errors import RedraftError
from redraft.evaluation import demo
from redraft.evaluation.demo import demonstrations, judge, report
from redraft.tasks import split_of
from redraft.tasks.holdout import DEMO_KEYS

ANSWERS = [demonstration.problem.answer_text for demonstration in demonstrations()]


def result_of(text: str) -> dict[str, Any]:
    return {"text": text, "nfe": 5, "completion_tokens": 40, "seconds": {"total": 0.25}}


def answering(monkeypatch: pytest.MonkeyPatch, texts: list[str]) -> list[list[str]]:
    """Let the command answer with these texts, one after the other; return what it is called with."""
    calls: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        return subprocess.CompletedProcess(command, 0, stdout=json.dumps(result_of(texts[len(calls) - 1])), stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    return calls


def test_the_demo_is_never_trained_on() -> None:
    for demonstration in demonstrations():
        assert demonstration.problem.key in DEMO_KEYS
        assert split_of(demonstration.problem.key) == "test"


def test_the_demo_asks_in_both_languages() -> None:
    prompts = [demonstration.prompt for demonstration in demonstrations()]
    assert [prompt.isascii() or "√" in prompt for prompt in prompts] == [True, True, True, False]
    assert "等于多少" in prompts[1]
    assert "质数" in prompts[3]


def test_right_answers_pass(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    calls = answering(monkeypatch, ANSWERS)
    assert demo.main() == 0
    printed = capsys.readouterr().out
    assert printed.count("checked: the answer is right") == 4
    assert "39\n" in printed
    assert "(5 passes, 40 tokens, 0.25 s)" in printed
    assert [command[:5] for command in calls] == [[sys.executable, "-m", "redraft", "generate", "--json"]] * 4


@pytest.mark.parametrize(
    ("index", "old", "new"),
    [(0, "39\n", "38\n"), (1, "12 ÷ 4 = 3", "12 ÷ 4 = 2"), (2, "18\n", "17\n"), (3, "151, ", "151, 153, ")],
)
def test_one_wrong_answer_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], index: int, old: str, new: str
) -> None:
    texts = list(ANSWERS)
    assert old in texts[index]
    texts[index] = texts[index].replace(old, new, 1)
    answering(monkeypatch, texts)
    assert demo.main() == 1
    captured = capsys.readouterr()
    assert captured.out.count("WRONG: ") == 1
    assert "1 of 4 answers are wrong" in captured.err


def test_an_empty_answer_is_wrong() -> None:
    for demonstration in demonstrations():
        verdict = judge(demonstration, "")
        assert report(result_of(""), verdict).startswith("WRONG: ")


def test_a_failing_command_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, stdout="", stderr="no model\n")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(RedraftError, match="status 1: no model"):
        demo.main()
