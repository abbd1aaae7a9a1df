"""`rewrite`: one right revision per draft, found again by rules of the tests' own; texts that are right stay."""

import ast
import random
import re

import pytest

from redraft.errors import ConfigError
from redraft.tasks import Problem, Rewrite, get_task, split_of
from redraft.tasks.rewrite import english_words
from redraft.tasks.rewrite.chinese_templates import MISSPELLED
from redraft.tasks.rewrite.english import ENGLISH_LEXICON
from redraft.tasks.rewrite.faults import neighbours
from redraft.tasks.rewrite.forms import INFORMAL
from redraft.tasks.rewrite.revisions import DOMAINS, Revision, revise

TASK = Rewrite()
MAX_TRIES = 3000


def drawn(domain: str, kinds: list[str], count: int, *, is_right: bool = False, sentences: int = 2) -> list[Revision]:
    rng = random.Random(f"{domain}/{kinds}")
    found: list[Revision] = []
    for _ in range(MAX_TRIES):
        revision = revise(DOMAINS[domain], kinds, rng, num_sentences=sentences, max_faults=3, is_right=is_right)
        if revision is not None:
            found.append(revision)
        if len(found) == count:
            return found
    raise AssertionError(f"{len(found)} of {count} drawn")


def problems(count: int, seed: int, **dials: int) -> list[Problem]:
    rng = random.Random(seed)
    return [TASK.generate(rng, split=None, dials=TASK.make_dials(**dials)) for _ in range(count)]


def test_every_problem_is_answered_by_its_own_answer_and_by_no_mutation_of_it() -> None:
    rng = random.Random(1)
    for problem in problems(150, 1):
        answer = problem.answer_text
        verdict = TASK.verify(problem, answer)
        assert verdict.is_correct
        assert verdict.num_true_lines == verdict.num_lines
        assert TASK.verify(problem, answer + "\n").is_correct
        place = rng.randrange(len(answer))
        mutations = [
            answer[:place] + answer[place + 1 :],
            answer[:place] + "x" + answer[place:],
            answer[:place] + answer[place].swapcase() + answer[place + 1 :],
            " " + answer,
            answer + ".",
            problem.draft or "",
            "",
        ]
        for text in mutations:
            if text != answer:
                verdict = TASK.verify(problem, text)
                assert not verdict.is_correct, text
                assert verdict.reason


def test_the_text_stands_on_the_canvas_and_nowhere_else() -> None:
    for problem in problems(100, 2):
        assert problem.draft is not None
        assert problem.draft not in problem.prompt
        assert (problem.num_steps == 0) == (problem.draft == problem.answer_text)


@pytest.mark.parametrize("text", ["\x00", "𝕏" * 9000, "\n" * 9000, "a " * 9000, "\ud800", "{}", "%s"])
def test_any_text_gets_a_verdict(text: str) -> None:
    for problem in problems(5, 3):
        assert not TASK.verify(problem, text).is_correct


def test_misspelled_words_have_one_right_spelling() -> None:
    def corrected(match: re.Match[str]) -> str:
        word = match[0]
        if word in ENGLISH_LEXICON:
            return word
        candidates = neighbours(word)
        assert len(candidates) == 1, (word, candidates)
        return candidates.pop()

    for revision in drawn("english", ["typos"], 80):
        assert re.sub(r"(?<![A-Za-z'])[a-z]{3,}(?![A-Za-z'])", corrected, revision.draft) == revision.target


def test_spaces_are_put_right_by_rule() -> None:
    for revision in drawn("english", ["spacing"], 80):
        text = re.sub(r" +([,.?])(?= |$)", r"\1", re.sub(" +", " ", revision.draft.strip()))
        assert re.sub(r"(?<=[A-Za-z]),(?=[A-Za-z])", ", ", text) == revision.target
    for revision in drawn("chinese", ["spacing"], 100):
        assert revision.draft.replace(" ", "") == revision.target


def test_capitals_are_put_right_by_rule() -> None:
    names = {*english_words.NAMES, *english_words.CITIES, *english_words.DAYS, *english_words.MONTHS}

    def recased(match: re.Match[str]) -> str:
        word = match[0]
        is_name = word.capitalize() in names
        is_start = match.start() == 0 or match.string[match.start() - 2] in ".?"
        return word.capitalize() if is_name or is_start else word.lower() if word.lower() != "i" else "I"

    for revision in drawn("english", ["casing"], 80):
        assert re.sub(r"(?<!['A-Za-z])[A-Za-z]+", recased, revision.draft) == revision.target


def test_marks_are_put_right_by_rule() -> None:
    opening = re.compile(r"(where|why|who|is|can|what|how|did|when)\b", re.IGNORECASE)
    for revision in drawn("english", ["marks"], 80):
        text = re.sub(r"([,.?])\1+", r"\1", revision.draft)
        last = re.split(r"(?<=[.?]) ", text)[-1]
        if not text.endswith((".", "?")):
            text += "?" if opening.match(last) else "."
        assert re.sub(r"\b(ca|do|does|is|wo|did)nt\b", r"\1n't", text, flags=re.IGNORECASE) == revision.target


@pytest.mark.parametrize(
    ("axis", "pattern"),
    [
        ("date", r"\d\d\d\d-\d\d-\d\d|\d\d/\d\d/\d\d\d\d|\d+ [A-Z][a-z]+ \d\d\d\d|[A-Z][a-z]+ \d+, \d\d\d\d"),
        ("clock", r"\d+:\d\d( [ap]m)?"),
        ("percent", r"\d+(%| percent)"),
        ("money", r"\$\d+|\d+ dollars"),
        ("unit", r"\d+ \w+"),
        ("big", r"\d{4,}|\d+,\d{3}"),
    ],
)
def test_only_the_slots_of_a_form_change(axis: str, pattern: str) -> None:
    for revision in drawn("english", [axis], 100):
        assert re.sub(pattern, "#", revision.draft) == re.sub(pattern, "#", revision.target)
        assert revision.draft != revision.target


def test_formal_and_informal_words_stand_in_slots_only() -> None:
    def swapped(text: str, pairs: dict[str, str]) -> str:
        for old, new in sorted(pairs.items(), key=lambda pair: -len(pair[0])):
            text = re.sub(rf"(?<![\w'-]){re.escape(old)}(?![\w'-])", new, text)
            text = re.sub(rf"(?:^|(?<=[.?] )){re.escape(old.capitalize())}(?![\w'-])", new[0].upper() + new[1:], text)
        return text

    back = {formal: informal for informal, formal in INFORMAL.items()}
    for revision in drawn("english", ["tone"], 120):
        pairs = INFORMAL if revision.asked[0][0] == "tone/formal" else back
        assert swapped(revision.draft, pairs) == revision.target


def test_spaces_and_quotes_leave_code_as_it_is() -> None:
    for kind in ("spaces", "quotes"):
        for revision in drawn("code", [kind], 60):
            assert ast.dump(ast.parse(revision.draft)) == ast.dump(ast.parse(revision.target))
            assert revision.draft != revision.target


def test_a_variable_is_renamed_and_nothing_else() -> None:
    for revision in drawn("code", ["rename"], 60):
        named = revision.asked[0][1]
        before, after = ast.parse(revision.draft), ast.parse(revision.target)
        for node in ast.walk(before):
            for field in ("id", "arg"):
                if getattr(node, field, None) == named["a"]:
                    setattr(node, field, named["b"])
        assert ast.dump(before) == ast.dump(after)


def test_arguments_change_their_order_only() -> None:
    for revision in drawn("code", ["order"], 60):
        before, after = (list(ast.walk(ast.parse(text))) for text in (revision.draft, revision.target))
        call = re.search(rf"{revision.asked[0][1]['a']}\((.*)\)$", revision.target)
        assert call is not None
        assert sorted(call[1].split(", ")) == sorted(revision.draft.rpartition("(")[2].rstrip(")").split(", "))
        assert len(before) == len(after)
        assert revision.draft != revision.target


def test_no_right_chinese_text_holds_a_misspelled_word() -> None:
    for revision in drawn("chinese", ["spacing"], 150):
        assert [word for word in MISSPELLED.values() if word in revision.target] == []


def test_texts_that_are_right_stay_and_are_never_shown_wrong() -> None:
    rng = random.Random(4)
    right = {TASK.generate(rng, dials=TASK.make_dials(right_percent=100)).key for _ in range(50)}
    wrong = {TASK.generate(rng, dials=TASK.make_dials(right_percent=0)).key for _ in range(300)}
    assert all(key.startswith("rewrite:right:") for key in right)
    assert not any(key.startswith("rewrite:right:") for key in wrong)
    assert not {key.replace(":right", "") for key in right} & wrong


@pytest.mark.slow
def test_splits_share_no_key_and_there_are_plenty() -> None:
    rng = random.Random(5)
    keys = {split: {TASK.generate(rng, split=split).key for _ in range(200)} for split in ("dev", "test")}
    keys["train"] = {TASK.generate(rng).key for _ in range(3000)}
    for split, found in keys.items():
        assert {split_of(key) for key in found} == {split}
    assert not keys["train"] & keys["dev"] | keys["train"] & keys["test"] | keys["dev"] & keys["test"]
    # Two draws in 3,000 were alike n times: so about 3,000 ** 2 / 2n are to be had, beyond 100,000 below 45.
    assert len(keys["train"]) > 2955


def test_dials() -> None:
    for problem in problems(100, 6, chinese_percent=100, code_percent=0):
        assert re.search("[一-鿿]", problem.answer_text)
    for problem in problems(100, 7, chinese_percent=0, code_percent=100, max_characters=60):
        assert len(problem.answer_text) <= 60
    for problem in problems(100, 8, min_kinds=1, max_kinds=1, right_percent=0):
        assert problem.num_steps == 1
    for problem in problems(100, 10, copied_percent=100, right_percent=0, chinese_percent=0):
        draft, target = (set(re.findall(r"\w+", text.lower())) for text in (problem.draft or "", problem.answer_text))
        assert all(word in problem.prompt.lower() for word in draft ^ target), "all that changes is in the instruction"
    for problem in problems(60, 11, kinds=["upper", "spaces"], max_kinds=1, right_percent=0):
        is_same_but_for_spaces = set(problem.answer_text) ^ set(problem.draft or "") <= {" "}
        assert problem.answer_text.isupper() or is_same_but_for_spaces
    for table in (
        {"min_kinds": 4, "max_kinds": 2},
        {"chinese_percent": 60, "code_percent": 60},
        {"faults": 1},
        {"kinds": ["uper"]},
        {"kinds": "upper"},
        {"kinds": 3},
        {"kinds": ["order"], "code_percent": 0},
    ):
        with pytest.raises(ConfigError):
            TASK.make_dials(**table)


def test_the_same_seed_gives_the_same_problems() -> None:
    assert problems(20, 9) == problems(20, 9)
    assert get_task("rewrite").name == "rewrite"
