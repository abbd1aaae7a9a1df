from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redraft.errors import ConfigError
from redraft.text import Tokenizer
from redraft.training import MixtureEntry, Recipe
from redraft.training.data import LEAST_CUT, BatchStream, Example, ExampleStream, collate, cut_into_batches

MakeRecipe = Callable[..., Recipe]


@pytest.fixture
def stream(make_recipe: MakeRecipe, tokenizer: Tokenizer) -> BatchStream:
    return BatchStream(ExampleStream(make_recipe().data, tokenizer))


@given(
    st.lists(st.tuples(st.integers(1, 12).map(lambda n: 8 * n), st.integers(1, 60)), min_size=1, max_size=60),
    st.integers(200, 900),
)
def test_batches_hold_every_example_once_within_the_budget(sizes: list[tuple[int, int]], budget: int) -> None:
    batches = cut_into_batches(sizes, budget)
    assert sorted(index for batch in batches for index in batch) == list(range(len(sizes)))
    for batch in batches:
        canvas, context = (max(sizes[index][part] for index in batch) for part in (0, 1))
        assert len(batch) * (canvas + context) <= budget


def test_batches_come_out_even() -> None:
    sizes = [(8 * (1 + index % 13), 10 + index % 30) for index in range(500)]
    costs = [
        len(batch) * (max(sizes[i][0] for i in batch) + max(sizes[i][1] for i in batch))
        for batch in cut_into_batches(sizes, 3000)
    ]
    assert min(costs) > 0.75 * max(costs)


def test_an_example_is_a_function_of_seed_index_and_progress(make_recipe: MakeRecipe, tokenizer: Tokenizer) -> None:
    one, two = (ExampleStream(make_recipe().data, tokenizer) for _ in range(2))
    forwards = [one.example(index, 0.3) for index in range(20)]
    assert [two.example(index, 0.3) for index in reversed(range(20))] == forwards[::-1]
    other = ExampleStream(make_recipe(data={"seed": 9}).data, tokenizer)
    assert [other.example(index, 0.3) for index in range(20)] != forwards


def test_training_and_held_out_examples_differ(make_recipe: MakeRecipe, tokenizer: Tokenizer) -> None:
    prompts = [
        {tuple(ExampleStream(make_recipe().data, tokenizer, split=split).example(i, 0.0).context) for i in range(50)}
        for split in ("train", "dev")
    ]
    assert not prompts[0] & prompts[1]


def test_order_follows_the_entry(stream: BatchStream) -> None:
    drawn = [stream.examples.example(index, 0.0) for index in range(60)]
    assert {example.is_answer_first for example in drawn if example.entry == 0} == {True}
    assert {example.is_answer_first for example in drawn if example.entry == 1} == {False}


def test_a_batch_is_laid_out_as_promised(stream: BatchStream, tokenizer: Tokenizer) -> None:
    recipe = stream.recipe
    for _ in range(12):
        batch = stream.next(0.0)
        assert batch.num_tokens <= recipe.batch_tokens
        assert batch.canvas.shape[1] % recipe.canvas_multiple == 0
        assert not bool(batch.context_is_valid[:, :-1][~batch.context_is_valid[:, 1:]].any()), "padding is on the left"
        is_end = batch.canvas == tokenizer.special.end_of_text
        assert bool((is_end.sum(dim=1) >= 1).all())
        assert bool((batch.is_content.sum(dim=1) == (~is_end).sum(dim=1) + 1).all()), "one end of text is content"
        assert bool(batch.is_supervised[batch.is_content].all())
        beyond = (batch.is_supervised & ~batch.is_content).sum(dim=1)
        assert int(beyond.max()) <= recipe.end_tokens + recipe.far_end_tokens


def test_slack_examples_get_a_canvas_of_any_greater_length(make_recipe: MakeRecipe, tokenizer: Tokenizer) -> None:
    for share in (1.0, 0.0):
        examples = ExampleStream(make_recipe(data={"slack_share": share}).data, tokenizer)
        drawn = [examples.example(index, 0.0) for index in range(40)]
        slack = {example.canvas_length - 8 * (len(example.answer) // 8 + 1) for example in drawn}
        assert (slack > {0, 8, 16}) if share else (slack == {0})
        assert {example.canvas_length for example in drawn} <= {8, 16, 24, 32, 40, 48}
        assert all(len(example.answer) < example.canvas_length for example in drawn)
        assert all(place > len(example.answer) + 2 for example in drawn for place in example.far_ends)


def test_a_cut_canvas_ends_before_its_text(make_recipe: MakeRecipe, tokenizer: Tokenizer) -> None:
    mixture = (MixtureEntry(task="primes"),)
    data = replace(make_recipe().data, canvas_length=104, batch_tokens=400, mixture=mixture)
    whole, examples = (ExampleStream(replace(data, cut_share=share), tokenizer) for share in (0.0, 1.0))
    drawn = [examples.example(index, 0.0) for index in range(60)]
    assert [one.answer for one in drawn] == [whole.example(index, 0.0).answer for index in range(60)], "the same texts"
    cut = [one for one in drawn if one.canvas_length <= len(one.answer)]
    assert {one.canvas_length for one in cut} > {LEAST_CUT, LEAST_CUT + 8}
    assert all(len(one.answer) < LEAST_CUT for one in drawn if one not in cut), "what is short is left whole"
    assert not any(one.far_ends for one in cut)


def test_a_cut_canvas_holds_no_end(make_recipe: MakeRecipe, tokenizer: Tokenizer) -> None:
    common = {"context": [1], "far_ends": (), "is_answer_first": True, "entry": 0}
    cut = Example(answer=[7] * 20, canvas_length=8, **common)
    whole = Example(answer=[3] * 10, canvas_length=16, **common)
    batch = collate([cut, whole], tokenizer, make_recipe().data)
    # The longest canvas of a batch is everyone's: the cut text goes on in it.
    assert batch.canvas[0].tolist() == [7] * 16
    assert batch.is_content[0].all()
    assert batch.is_supervised[0].all()
    assert collate([cut], tokenizer, make_recipe().data).canvas.tolist() == [[7] * 8]


def test_collate_by_hand(make_recipe: MakeRecipe, tokenizer: Tokenizer) -> None:
    end = tokenizer.special.end_of_text
    common = {"canvas_length": 8, "is_answer_first": True, "entry": 0}
    examples = [
        Example(context=[1, 2], answer=[3], far_ends=(6,), **common),
        Example(context=[4, 5, 6], answer=[7, 8, 9, 7, 8, 9, 7], far_ends=(), **common),
    ]
    batch = collate(examples, tokenizer, make_recipe().data)
    assert batch.context_is_valid.tolist() == [[False, True, True], [True] * 3]
    assert batch.context[0, 1:].tolist() == [1, 2]
    assert batch.canvas.tolist() == [[3, *[end] * 7], [7, 8, 9, 7, 8, 9, 7, end]]
    assert batch.is_supervised.long().tolist() == [[1, 1, 1, 1, 0, 0, 1, 0], [1] * 8]


@pytest.mark.parametrize("taken", [0, 1, 3, 7])
def test_a_stream_goes_on_where_it_stood(make_recipe: MakeRecipe, tokenizer: Tokenizer, taken: int) -> None:
    def fresh() -> BatchStream:
        return BatchStream(ExampleStream(make_recipe().data, tokenizer))

    straight = fresh()
    for step in range(taken):
        straight.next(step / 20)
    resumed = fresh()
    resumed.load_state_dict(straight.state_dict())
    for step in range(taken, taken + 8):
        expected, got = straight.next(step / 20), resumed.next(step / 20)
        assert expected.canvas.equal(got.canvas)
        assert expected.context.equal(got.context)
    assert straight.state_dict() == resumed.state_dict()


def test_an_entry_that_never_fits_is_reported(make_recipe: MakeRecipe, tokenizer: Tokenizer) -> None:
    recipe = make_recipe(data={"context_length": 2}).data
    with pytest.raises(ConfigError, match="fits canvas_length=48 and context_length=2"):
        ExampleStream(recipe, tokenizer).example(0, 0.0)


def test_an_entry_may_have_a_slack_share_of_its_own(make_recipe: MakeRecipe, tokenizer: Tokenizer) -> None:
    data = make_recipe(data={"slack_share": 0.0}).data
    short = {"min_steps": 1, "max_steps": 1}
    mixture = (
        MixtureEntry(task="arithmetic", dials=short),
        MixtureEntry(task="arithmetic", dials=short, slack_share=1.0),
    )
    stream = ExampleStream(replace(data, mixture=mixture), tokenizer)
    drawn = [stream.example(index, 0.0) for index in range(60)]
    assert {example.canvas_length for example in drawn if example.entry == 1} >= {24, 32, 40, 48}
    assert {example.canvas_length for example in drawn if example.entry == 0} <= {16, 24, 32}
