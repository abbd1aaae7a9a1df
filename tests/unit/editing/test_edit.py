"""Edits and infills from end to end: on a tiny model that does wild things, and on one that knows what it wants."""

import random
import re
from collections.abc import Callable

import pytest
import torch

from redraft.denoiser import Cache, FakeDenoiser
from redraft.denoiser.fake import FakeCache
from redraft.editing.edit import edit_text
from redraft.editing.infill import infill_text
from redraft.editing.pins import merge_spans
from redraft.engine import Engine
from redraft.errors import ConfigError, ContextLengthError, PromptError
from redraft.text import Tokenizer, encode_request

WILD = {"edit_threshold": 0.0, "effort": "instant"}


def engine_with(logits_of: Callable[..., torch.Tensor], canvas_length: int = 64) -> Engine:
    tokenizer = Tokenizer.builtin()
    fake = FakeDenoiser(vocab_size=tokenizer.vocab_size, logits_of=logits_of)
    return Engine(fake, tokenizer, context_length=64, canvas_length=canvas_length, name="fake")


def swapping(old: str, new: str, canvas_length: int = 64, sure: float = 20.0) -> Engine:
    """Return a model that wants to see one token in place of another, and all else as it is."""
    tokenizer = Tokenizer.builtin()
    (before,), (after,) = tokenizer.encode(old), tokenizer.encode(new)

    def logits_of(canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        del context
        wanted = torch.where(canvas == before, after, canvas)
        return torch.nn.functional.one_hot(wanted, tokenizer.vocab_size) * sure

    return engine_with(logits_of, canvas_length)


def random_text(rng: random.Random) -> str:
    alphabets = ["abc def\n", " \t\n", "質数é慮", "👩‍👩‍👧‍👦🧮\u0335", "1 + 2 = 3\n", "<|user|>[MASK][NULL]"]
    characters = rng.choice(alphabets) + rng.choice(alphabets)
    text = "".join(
        rng.choice(characters)
        if rng.random() < 0.9
        else chr(rng.choice((rng.randrange(0xD800), rng.randrange(0xE000, 0x110000))))
        for _ in range(rng.randrange(1, 60))
    )
    kind = rng.random()
    return text.replace("\n", "\r\n") if kind < 0.2 else text + "\n" if kind < 0.6 else text


def check_random_edit(engine: Engine, seed: int) -> None:
    rng = random.Random(seed)
    text = random_text(rng)
    body = text.removeprefix("\ufeff")
    if not body:
        return
    is_crlf = "\n" in body and body.count("\n") == body.count("\r\n") and "\r\r\n" not in body
    body = body.replace("\r\n", "\n") if is_crlf else body
    cuts = sorted(rng.randrange(len(body) + 1) for _ in range(2 * rng.randrange(4)))
    pins = [*zip(cuts[::2], cuts[1::2], strict=True)]
    # At low effort a canvas grows wherever the model says so, which at threshold 0 is everywhere.
    changes = {**WILD, "effort": rng.choice(["instant", "low"])}
    result = edit_text(engine, text, rng.choice([None, "x"]), pins=pins, seed=seed, **changes).result
    assert result.original == text
    assert "".join(change.before for change in result.changes) == text.removeprefix("\ufeff")
    restored = [
        body[start:end].replace("\n", "\r\n") if is_crlf else body[start:end] for start, end in merge_spans(pins)
    ]
    assert re.search(".*".join(map(re.escape, restored)), result.text, re.DOTALL)
    spans = merge_spans(pins)
    if spans and spans[0][0] == 0:
        assert result.text.removeprefix("\ufeff").startswith(restored[0])
    if spans and spans[-1][1] == len(body):
        assert result.text.endswith(restored[-1])
    for change in result.changes:
        assert result.original[change.start : change.end] == change.before
        assert result.text[change.new_start : change.new_end] == change.after
        assert 0.0 <= change.confidence <= 1.0
    result.text.encode()


@pytest.mark.slow
def test_pinned_parts_are_the_same_after_random_edits(tiny_engine: Engine) -> None:
    for seed in range(150):
        check_random_edit(tiny_engine, seed)


def test_the_wild_model_is_wild(tiny_engine: Engine) -> None:
    result = edit_text(tiny_engine, "def f(x): return 1", **WILD).result
    assert result.is_changed
    assert not result.is_stable
    assert result.nfe == 1


def test_what_must_change_changes_and_nothing_else() -> None:
    text = "a list,\r\n\ta list\r\n"
    run = edit_text(swapping(" list", " number"), text)
    steps = [*run]
    result = run.result
    assert result.text == "a number,\r\n\ta number\r\n"
    assert [(change.kind, change.before, change.after) for change in result.changes][:3] == [
        ("kept", "a", "a"),
        ("changed", " list", " number"),
        ("kept", ",\r\n\ta", ",\r\n\ta"),
    ]
    assert (result.nfe, len(steps), result.is_stable) == (2, 2, True)
    assert all(change.confidence > 0.99 for change in result.changes)
    assert run.result is result


def test_lines_and_expressions_pin() -> None:
    engine = swapping(" list", " number")
    text = "a list\nb list\nc list\n"
    assert edit_text(engine, text, lines="2:2").result.text == "a list\nb number\nc list\n"
    assert edit_text(engine, text, keep=["a list", "c"]).result.text == "a list\nb number\nc number\n"
    assert edit_text(engine, text, pins=[(0, len(text))]).result.nfe == 0


def test_what_is_right_stays() -> None:
    result = edit_text(swapping(" list", " number"), "nothing to do").result
    assert (result.is_changed, result.nfe) == (False, 1)
    assert [change.kind for change in result.changes] == ["kept"]


@pytest.mark.parametrize(
    "text", ["line of text with a list\n" * 60, "a list " * 300, "a list\n" * 3 + "word " * 200 + "list"]
)
def test_a_long_text_is_edited_window_by_window(text: str) -> None:
    result = edit_text(swapping(" list", " number", canvas_length=40), text).result
    assert result.text == text.replace(" list", " number")
    assert result.num_windows > 3
    assert result.is_stable


class Reading(FakeDenoiser):
    """Keeps what it was given to read."""

    read: list[list[int]]

    def encode(
        self, tokens: torch.Tensor, cache: Cache | None = None, *, is_valid: torch.Tensor | None = None
    ) -> FakeCache:
        self.read.append(tokens[0].tolist())
        return FakeDenoiser.encode(self, tokens, cache, is_valid=is_valid)


def test_a_model_that_reads_drafts_is_shown_each_window_beside_the_instruction() -> None:
    tokenizer = Tokenizer.builtin()
    plain = swapping(" list", " number", canvas_length=40)
    assert isinstance(plain.denoiser, FakeDenoiser)
    reader = Reading(vocab_size=plain.denoiser.vocab_size, logits_of=plain.denoiser.logits_of)
    reader.read = []
    engine = Engine(reader, tokenizer, context_length=64, canvas_length=40, name="reader", shows_draft=True)
    text = "line of text with a list\n" * 12
    for instruction in ("Count.", None):
        reader.read.clear()
        result = edit_text(engine, text, instruction).result
        assert result.text == text.replace(" list", " number")
        assert result.num_windows == len(reader.read) > 2
        asked = encode_request(tokenizer, instruction)
        assert result.prompt_tokens == len(asked)
        for number, ids in enumerate(reader.read):
            assert ids[: len(asked)] == asked
            assert ids[len(asked)] == tokenizer.special.assistant
            shown = tokenizer.decode(ids[len(asked) + 1 :])
            # The lines before a window are shown as they are by now, it and those behind it as they came.
            assert shown.rstrip("\n").endswith("a list"), number
            assert set(shown.splitlines()) <= {"line of text with a list", "line of text with a number"}
    with pytest.raises(ContextLengthError, match=r"takes \d\d beside a text"):
        edit_text(engine, "a list", "long " * 40)
    edit_text(swapping(" list", " number", canvas_length=40), "a list", "long " * 40)


def test_windows_without_work_take_no_pass() -> None:
    text = "line of text with a list\n" * 60
    result = edit_text(swapping(" list", " number", canvas_length=40), text, lines="31").result
    assert result.text.splitlines().index("line of text with a number") == 30
    assert result.text.count("number") == 1
    assert result.num_windows == 1


def test_a_model_that_goes_round_in_circles_ends() -> None:
    tokenizer = Tokenizer.builtin()
    cat, dog = (tokenizer.encode(word)[0] for word in (" list", " number"))

    def logits_of(canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        del context
        wanted = torch.where(canvas == cat, dog, torch.where(canvas == dog, cat, canvas))
        return torch.nn.functional.one_hot(wanted, tokenizer.vocab_size) * 20.0

    result = edit_text(engine_with(logits_of), "a list", effort="high").result
    assert result.nfe == 2
    assert not result.is_stable
    assert not result.is_changed


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": ""}, PromptError),
        ({"text": "\ud800"}, PromptError),
        ({"text": "a" * 2_000_000}, PromptError),
        ({"text": "a", "instruction": " "}, ConfigError),
        ({"text": "a", "instruction": "long " * 300}, ContextLengthError),
        ({"text": "a", "effort": "maximal"}, ConfigError),
        ({"text": "a", "seed": -1}, ConfigError),
        ({"text": "a", "edit_threshold": None}, ConfigError),
        ({"text": "a", "treshold": 1}, ConfigError),
        ({"text": "a", "keep": ["b"]}, ConfigError),
        ({"text": "a", "lines": "2"}, ConfigError),
    ],
)
def test_what_can_t_be_edited_is_refused_at_once(arguments: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        edit_text(swapping(" list", " number"), **arguments)  # type: ignore[arg-type]


def filling(words: str, canvas_length: int = 64) -> Engine:
    """Return a model that knows what stands in a gap, and fills the rest of it with empty slots."""
    tokenizer = Tokenizer.builtin()
    wanted = tokenizer.encode(words)

    def logits_of(canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        del context
        best = canvas.clone()
        for row in best:
            for number, place in enumerate((row == tokenizer.special.mask).nonzero()[:, 0].tolist()):
                row[place] = wanted[number] if number < len(wanted) else tokenizer.special.null
        return torch.nn.functional.one_hot(best, tokenizer.vocab_size) * 20.0

    return engine_with(logits_of, canvas_length)


def test_a_gap_of_unknown_length() -> None:
    for words in ("", "x", "return the first of them"):
        result = infill_text(filling(words), "def f(a):\r\n\t", "\r\nend\r\n").result
        assert result.text == f"def f(a):\r\n\t{words}\r\nend\r\n"
        (fill,) = result.fills
        assert (fill.text, result.text[fill.start : fill.end], fill.is_whole) == (words, words, True)
        assert result.nfe <= 2


def test_the_space_before_a_word_is_seen_from_inside_the_gap() -> None:
    for words, prefix, text in (
        (" number", "a ", "a number"),
        ("number", "a ", "a number"),
        (" number", "a", "a number"),
        (" number", "a  ", "a   number"),
        (" number", "a:\n ", "a:\n  number"),
        (" number", " ", "  number"),
    ):
        result = infill_text(filling(words), prefix, " end").result
        assert result.text == f"{text} end"
        (fill,) = result.fills
        assert result.text[fill.start : fill.end] == fill.text
        assert result.text.startswith(prefix)
    template = infill_text(filling(" list"), template="a {{}} of {{}}s").result
    assert template.text == "a list of s", "both gaps lend their spaces, the first takes the words"


def test_a_gap_that_comes_out_full_gets_more_room() -> None:
    words = "one two three four five six"
    result = infill_text(filling(words), "a ", " b", gap_tokens=2).result
    assert result.text == f"a {words} b"
    assert result.num_windows == 4
    cut = infill_text(filling(words), "a ", " b", max_tokens=2).result
    assert (cut.fills[0].num_tokens, cut.fills[0].is_whole) == (2, False)


def test_several_gaps_and_a_long_template(tiny_engine: Engine) -> None:
    assert infill_text(filling("x"), template="a {{}} b").result.text == "a x b"
    long = "many words " * 60
    template = f"{long}@{long}@ 質 {long}"
    result = infill_text(tiny_engine, template=template, hole="@").result
    assert len(result.fills) == 2
    pieces = [*template.split("@")]
    assert result.text == pieces[0] + result.fills[0].text + pieces[1] + result.fills[1].text + pieces[2]


def test_the_text_around_gaps_stays(tiny_engine: Engine) -> None:
    for seed in range(20):
        rng = random.Random(seed)
        pieces = [random_text(rng) for _ in range(rng.randrange(2, 4))]
        result = infill_text(
            tiny_engine, template="\ufdd0".join(pieces), hole="\ufdd0", seed=seed, effort="instant"
        ).result
        rest, place = "", 0
        for fill in result.fills:
            assert result.text[fill.start : fill.end] == fill.text
            rest += result.text[place : fill.start]
            place = fill.end
        assert rest + result.text[place:] == "".join(pieces)


def test_infill_refuses_at_once(tiny_engine: Engine) -> None:
    for arguments in ({}, {"template": "x"}, {"prefix": ""}):
        with pytest.raises(PromptError):
            infill_text(tiny_engine, **arguments)  # type: ignore[arg-type]
    for arguments in (
        {"prefix": "a", "max_tokens": 0},
        {"prefix": "a", "instruction": ""},
        {"prefix": "a", "seed": -1},
    ):
        with pytest.raises(ConfigError):
            infill_text(tiny_engine, **arguments)  # type: ignore[arg-type]
