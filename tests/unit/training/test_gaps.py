import itertools
import random
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from redraft.errors import ConfigError
from redraft.text import Field, Tokenizer, lay_out, without_slack
from redraft.training import NoiseRecipe, Recipe
from redraft.training.corruption import TokenTable, corrupt
from redraft.training.data import Batch, BatchStream, ExampleStream
from redraft.training.form_config import GapRecipe
from redraft.training.gaps import cut_spans, lay_gaps

MIXTURE = [{"task": "arithmetic", "form": "gap", "dials": {"min_steps": 1, "max_steps": 2}}]
TEXT = "def f(x):\n    if x > 3:\n        return 1\n    return x * 2\n"


@pytest.fixture
def batch(make_recipe: Callable[..., Recipe], tokenizer: Tokenizer) -> Batch:
    recipe = make_recipe(data={"mixture": MIXTURE, "batch_tokens": 20_000, "pool_examples": 120}).data
    return BatchStream(ExampleStream(recipe, tokenizer)).next(0.0)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), text=st.text(alphabet="ab \n字é", min_size=1, max_size=60))
def test_a_text_with_its_gaps_filled_is_the_text(seed: int, text: str) -> None:
    tokenizer = Tokenizer.builtin()
    laid = lay_gaps(random.Random(seed), tokenizer, [Field(text)], GapRecipe(), 200)
    if laid is None:
        return
    assert tokenizer.decode(laid.target) == text
    assert any(laid.is_open)
    for target, start, is_open in zip(laid.target, laid.start, laid.is_open, strict=True):
        assert start == (tokenizer.special.mask if is_open else target)
    # Slots stand at the end of a gap and nowhere else.
    for place, token in enumerate(laid.target[:-1]):
        if token == tokenizer.special.null and laid.is_open[place + 1]:
            assert laid.target[place + 1] == tokenizer.special.null
    assert all(
        is_open for token, is_open in zip(laid.target, laid.is_open, strict=True) if token == tokenizer.special.null
    )


@settings(deadline=None)
@given(seed=st.integers(0, 10_000))
def test_whole_fields_keep_their_slots_inside_a_gap(seed: int) -> None:
    tokenizer = Tokenizer.builtin()
    fields = [Field(piece, multiple=4) for piece in ("total", " = sum(", "values", ")\n    return ", "amount")]
    recipe = GapRecipe(keeps_slots=True, max_gaps=1, max_slack=1)
    laid = lay_gaps(random.Random(seed), tokenizer, fields, recipe, 200)
    assert laid is not None
    assert tokenizer.decode(laid.target) == "".join(field.text for field in fields)
    missing = [token for token, is_open in zip(laid.target, laid.is_open, strict=True) if is_open]
    slots = [lay_out(tokenizer, [field]) for field in fields]
    whole = [slot for slot in slots if any(missing[at : at + len(slot)] == slot for at in range(len(missing)))]
    null = tokenizer.special.null
    assert missing.count(null) == sum(slot.count(null) for slot in whole) + missing[-1:].count(null)


@given(seed=st.integers(0, 10_000))
def test_gaps_are_apart_and_in_order(seed: int) -> None:
    spans = cut_spans(random.Random(seed), TEXT, GapRecipe(max_gaps=3))
    assert 1 <= len(spans) <= 3
    assert all(first < last <= len(TEXT) for first, last in spans)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(spans))


def test_each_kind_of_gap_is_cut() -> None:
    def cut(**shares: float) -> list[str]:
        recipe = GapRecipe(max_gaps=1, **shares)  # pyright: ignore[reportArgumentType]
        spans = [cut_spans(random.Random(seed), TEXT, recipe)[0] for seed in range(100)]
        return [TEXT[first:last] for first, last in spans]

    lines = TEXT.splitlines()
    single = cut(single_line_share=1.0, several_lines_share=0.0)
    assert {piece.strip() for piece in single} == {line.strip() for line in lines}
    assert {"return 1", "        return 1", "return 1\n"} <= set(single), "with and without indentation and its end"
    several = cut(single_line_share=0.0, several_lines_share=1.0)
    assert all("\n" in piece.strip() for piece in several)
    assert all(len(piece.strip().splitlines()) < len(lines) for piece in several)
    anywhere = cut(single_line_share=0.0, several_lines_share=0.0)
    assert len(set(anywhere)) > 40
    assert any(piece not in single + several for piece in anywhere)


def test_the_room_does_not_tell_how_much_is_missing() -> None:
    tokenizer = Tokenizer.builtin()
    text = "abc\n" * 6
    recipe = GapRecipe(max_gaps=1, single_line_share=1.0, several_lines_share=0.0)
    rooms = []
    for seed in range(300):
        laid = lay_gaps(random.Random(seed), tokenizer, [Field(text)], recipe, 200)
        assert laid is not None
        rooms.append(sum(laid.is_open))
    needed = len(tokenizer.encode("abc"))
    assert min(rooms) <= needed + 1
    assert max(rooms) >= needed + 40
    assert len(set(rooms)) > 25


def test_a_text_too_long_for_its_canvas_is_passed_over() -> None:
    assert lay_gaps(random.Random(0), Tokenizer.builtin(), [Field(TEXT * 9)], GapRecipe(), 40) is None
    assert lay_gaps(random.Random(0), Tokenizer.builtin(), [], GapRecipe(), 40) is None


def test_what_is_pinned_is_neither_noised_nor_scored(batch: Batch, tokenizer: Tokenizer) -> None:
    assert batch.forms is not None
    table = TokenTable.of(tokenizer)
    pinned = ~batch.forms.may_change
    assert bool(pinned.any())
    assert not bool((batch.is_supervised & pinned).any())
    assert bool(batch.is_supervised.any(dim=1).all())
    recipe = NoiseRecipe(corrupt_share=1.0, max_corrupt=1.0, uniform_share=0.2, line_share=0.4, result_share=0.5)
    seen_wrong = False
    for seed in range(5):
        rng = torch.Generator().manual_seed(seed)
        noised = corrupt(batch, recipe, table, rng, progress=0.0, guess=None)
        assert noised.canvas[pinned].equal(batch.canvas[pinned])
        seen_wrong |= bool(((noised.canvas != table.mask) & noised.is_corrupted).any())
        assert bool(noised.sees_context.all())
    assert seen_wrong, "inside a gap some visible tokens are wrong"


def test_a_gap_example_keeps_its_text(batch: Batch, tokenizer: Tokenizer) -> None:
    assert batch.forms is not None
    for row in range(batch.num_rows):
        content = batch.canvas[row][batch.is_content[row]].tolist()
        assert content[-1] == tokenizer.special.end_of_text
        text = tokenizer.decode(content)
        assert text == tokenizer.decode(without_slack(content, tokenizer.special.null))
        assert "=" in text


def test_gap_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match="add up to more than 1"):
        GapRecipe(single_line_share=0.8, several_lines_share=0.4)
    with pytest.raises(ConfigError, match="max_gaps=0"):
        GapRecipe(max_gaps=0)
