"""Slots spread through a text, and revised texts laid onto the canvas of their draft."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redraft.errors import ConfigError
from redraft.text import align, with_slack, without_slack

NULL = 0
texts = st.lists(st.integers(1, 5), max_size=40)
canvases = st.lists(st.integers(0, 3), max_size=14)


@given(tokens=texts, every=st.integers(1, 9), at_least=st.integers(2, 6))
def test_slack_keeps_the_text_and_is_spread(tokens: list[int], every: int, at_least: int) -> None:
    slacked = with_slack(tokens, NULL, every=every, at_least=at_least)
    assert without_slack(slacked, NULL) == tokens
    assert slacked[0] == slacked[-1] == NULL
    assert slacked.count(NULL) >= at_least
    runs = [
        len(list(run)) for is_slot, run in itertools.groupby(slacked, key=lambda token: token == NULL) if not is_slot
    ]
    assert all(run <= every for run in runs)
    assert not runs or max(runs) - min(runs) <= 1 or len(tokens) < at_least


def test_slack_refuses_numbers_that_mean_nothing() -> None:
    with pytest.raises(ConfigError, match="every=0"):
        with_slack([1], NULL, every=0)
    with pytest.raises(ConfigError, match="at_least=1"):
        with_slack([1], NULL, at_least=1)


def brute_force(canvas: list[int], target: list[int]) -> list[int] | None:
    """Every layout there is: the fewest changes, then a token before a slot at the first difference."""
    layouts = []
    for places in itertools.combinations(range(len(canvas)), len(target)):
        laid = [NULL] * len(canvas)
        for place, token in zip(places, target, strict=True):
            laid[place] = token
        changes = sum(new != old for new, old in zip(laid, canvas, strict=True))
        layouts.append((changes, [token == NULL for token in laid], laid))
    return min(layouts)[2] if layouts else None


@settings(max_examples=400)
@given(canvas=st.lists(st.integers(0, 2), max_size=9), target=st.lists(st.integers(1, 2), max_size=9))
def test_align_equals_brute_force(canvas: list[int], target: list[int]) -> None:
    assert align(canvas, target, NULL) == brute_force(canvas, target)


def test_align_equals_brute_force_where_much_has_to_move() -> None:
    # The first bound, 4 changes more than the slots alone ask for, proves nothing here: it has to be doubled.
    canvas = [NULL, NULL, 1, 2, 1, 2, 1, 2, NULL, 1]
    target = [2, 2, 2, 1, 1, 1, 1]
    assert align(canvas, target, NULL) == brute_force(canvas, target)


@given(canvas=canvases, target=st.lists(st.integers(0, 3), max_size=14))
def test_align_is_the_target_on_the_same_canvas(canvas: list[int], target: list[int]) -> None:
    laid = align(canvas, target, NULL)
    text = without_slack(target, NULL)
    if len(text) > len(canvas):
        assert laid is None
    else:
        assert laid is not None
        assert len(laid) == len(canvas)
        assert without_slack(laid, NULL) == text


@given(tokens=texts)
def test_what_is_right_already_stays(tokens: list[int]) -> None:
    canvas = with_slack(tokens, NULL)
    assert align(canvas, tokens, NULL) == canvas


@given(tokens=texts, data=st.data())
def test_single_changes_cost_what_they_are(tokens: list[int], data: st.DataObject) -> None:
    canvas = with_slack([9, *tokens], NULL)
    place = data.draw(st.integers(0, len(tokens)))
    replaced = [9, *tokens]
    replaced[place] = 7
    removed = [9, *tokens]
    del removed[place]
    for target, cost in ((replaced, 1), (removed, 1)):
        laid = align(canvas, target, NULL)
        assert laid is not None
        assert sum(new != old for new, old in zip(laid, canvas, strict=True)) == cost
