"""Canvases that grow: the draft stays readable on its positions, and only what may change makes room."""

import random

import pytest
import torch

from redraft.denoiser import FakeDenoiser
from redraft.editing.edit import edit_text
from redraft.editing.growing import GROWTH, grown, open_places, places_of
from redraft.editing.sheet import lay_draft
from redraft.editing.witness import Witness
from redraft.engine import Engine
from redraft.text import Tokenizer

TEXT = "a list of words\n"
WORDS = " number" * 9


def replacing(old: str, new: str) -> Engine:
    """Return a model that wants to see other words in place of one, and wants room for them."""
    tokenizer = Tokenizer.builtin()
    special = tokenizer.special
    wanted, (word,) = tokenizer.encode(new), tokenizer.encode(old)

    def logits_of(canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        del context
        best = canvas.clone()
        for row, now in zip(best, canvas.tolist(), strict=True):
            if special.insert in now:
                marked, text = list[int](), list[int]()
                for place, token in enumerate(now):
                    if token == special.mask:
                        row[place] = text.pop(0) if text else special.null
                    elif token == special.insert:
                        text = [one for old in marked for one in (wanted if old == word else [old])]
                    marked = [] if token == special.delete else [*marked, token]
            else:
                row[row == word] = special.insert
        return torch.nn.functional.one_hot(best, tokenizer.vocab_size) * 20.0

    fake = FakeDenoiser(vocab_size=tokenizer.vocab_size, logits_of=logits_of)
    return Engine(fake, tokenizer, context_length=64, canvas_length=120, name="fake")


def test_many_words_take_the_place_of_one() -> None:
    run = edit_text(replacing(" list", WORDS), TEXT)
    tokenizer = Tokenizer.builtin()
    shown = [tokenizer.decode(step.tokens[0].tolist()) for step in run]
    result = run.result
    assert result.text == TEXT.replace(" list", WORDS)
    assert [(change.before, change.after) for change in result.changes if change.kind != "kept"] == [(" list", WORDS)]
    assert (result.nfe, len(shown)) == (3, 3), "a look, a fill, and a look at the whole"
    assert result.is_stable
    assert all(change.confidence > 0.99 for change in result.changes)


def test_a_growth_that_is_not_enough_is_followed_by_another() -> None:
    # Each time it writes a number in front of the word that it wants to see replaced, which so stays to be replaced.
    low, medium, high = (
        edit_text(replacing(" list", " number list"), TEXT, effort=effort).result
        for effort in ("low", "medium", "high")
    )
    assert [result.text.count("number") for result in (low, medium, high)] == [1, 2, 4]


@pytest.mark.parametrize("pin", [TEXT, " list"])
def test_what_is_pinned_makes_no_room(pin: str) -> None:
    start = TEXT.index(pin)
    result = edit_text(replacing(" list", WORDS), TEXT, pins=[(start, start + len(pin))]).result
    assert not result.is_changed


def test_an_instant_edit_does_not_grow() -> None:
    result = edit_text(replacing(" list", WORDS), TEXT, effort="instant").result
    assert (result.is_changed, result.nfe) == (False, 1)


def test_a_long_text_has_room_in_every_window() -> None:
    text = "a list of words that goes on for a while\n" * 8
    result = edit_text(replacing(" list", " number number"), text).result
    assert result.num_windows > 1
    assert result.text == text.replace(" list", " number number")


def test_a_canvas_without_room_stays(tokenizer: Tokenizer) -> None:
    sheet = lay_draft(tokenizer, TEXT, [], 120)
    assert sheet is not None
    content = sheet.units[-1][1]
    assert open_places(tokenizer, sheet, sheet.tokens, [], 120) is None
    for room, length in ((4, None), (5, 2), (7, 4), (40, GROWTH + 2)):
        opening = open_places(tokenizer, sheet, sheet.tokens, [(1, 2)], content + room)
        assert (opening is None) is (length is None)
        if opening is not None:
            ((start, end),) = opening.sheet.units
            assert end - start == length, "two marks, a gap longer than its place and an end"
            assert len(opening.sheet.tokens) <= content + room
    assert open_places(tokenizer, sheet, sheet.tokens, [(1, 2), (4, 5)], content + 8) is None, "room for one only"


def test_a_draft_that_grows_reads_as_before(tokenizer: Tokenizer) -> None:
    special, num_grown = tokenizer.special, 0
    for seed in range(80):
        rng = random.Random(seed)
        text = "".join(rng.choice("ab é质👧 \n") for _ in range(rng.randrange(1, 30)))
        pins = [(cut, cut + 2) for cut in [rng.randrange(len(text))] if cut + 2 <= len(text)]
        sheet = lay_draft(tokenizer, text, pins, 300)
        assert sheet is not None
        positions = sorted(rng.sample(range(len(sheet.tokens)), rng.randrange(1, min(6, len(sheet.tokens)))))
        growth = [0.9 if position in positions else 0.01 for position in range(len(sheet.tokens))]
        places = places_of(sheet, growth, 0.5)
        assert all(all(sheet.is_editable[start:end]) for start, end in places)
        free = {position for position in positions if sheet.is_editable[position]}
        assert free <= {position for start, end in places for position in range(start, end)}
        opening = open_places(tokenizer, sheet, sheet.tokens, places, 300)
        if opening is None:
            assert not places
            continue
        num_grown += 1
        assert tokenizer.decode(opening.sheet.tokens) == text, "the old text stays to be read"
        is_open = [token == special.mask for token in opening.sheet.tokens]
        assert list(opening.sheet.is_editable) == is_open
        assert sum(is_open) == sum(end - start for start, end in opening.sheet.units)
        new = [rng.randrange(300) for _ in range(sum(is_open))]
        drawn = [new.pop() if rng.random() < 0.3 else special.null for _ in range(sum(is_open))]
        filled = list(opening.sheet.tokens)
        for position in (position for position, one in enumerate(is_open) if one):
            filled[position] = drawn.pop()
        longer, tokens = grown(tokenizer, sheet, sheet.tokens, opening, filled, 300)
        assert tokenizer.decode(longer.tokens) == text
        assert [unit[0] for unit in longer.units] == [0, *(unit[1] for unit in longer.units[:-1])], "no hole"
        assert len(longer.tokens) == len(longer.is_editable) == len(tokens) <= 300
        expected, begin = list[int](), 0
        for (start, end), (first, last) in zip(places, opening.sheet.units, strict=True):
            expected += [*sheet.tokens[begin:start], *filled[first:last]]
            begin = end
        expected += sheet.tokens[begin:]
        ids = (special.null, special.end_of_text)
        assert [one for one in tokens if one not in ids] == [one for one in expected if one not in ids]
    assert num_grown > 40


def test_the_edge_of_a_place_may_be_less_sure(tokenizer: Tokenizer) -> None:
    sheet = lay_draft(tokenizer, "a list of words of a list", [(2, 6)], 120)
    assert sheet is not None
    free = [place for place, may_change in enumerate(sheet.is_editable) if may_change]
    growth = [0.0] * len(sheet.tokens)
    first, second, third, *_, last = free
    assert third > second + 1, "what is pinned lies between"
    growth[first], growth[second], growth[third], growth[last] = 0.25, 0.6, 0.3, 0.4
    assert places_of(sheet, growth, 0.5) == [(first, second + 1)], "nothing but edges is no place"
    growth[second] = 0.3
    assert places_of(sheet, growth, 0.5) == []
    pinned = sheet.is_editable.index(False)
    assert places_of(sheet, [float(place == pinned) for place in range(len(growth))], 0.5) == []


def test_a_wish_to_grow_counts_as_leaving_the_token(tokenizer: Tokenizer) -> None:
    insert, length = tokenizer.special.insert, 6
    canvas = torch.randint(20, 200, (1, length), generator=torch.Generator().manual_seed(0))
    logits = torch.randn(1, length, tokenizer.vocab_size, generator=torch.Generator().manual_seed(1))
    logits[0, 4, insert] = 12.0
    fake = FakeDenoiser(vocab_size=tokenizer.vocab_size, logits_of=lambda canvas, context: logits)
    witness = Witness(fake, insert)
    assert witness.growth() == []
    given = witness.denoise(canvas).index_fill(-1, torch.tensor([insert]), -torch.inf).softmax(dim=-1)
    said = logits.softmax(dim=-1)
    stands = canvas[0].tolist()
    for place in range(length):
        wanted = said[0, place, stands[place]] + said[0, place, insert]
        torch.testing.assert_close(given[0, place, stands[place]], wanted)
    torch.testing.assert_close(torch.tensor(witness.growth()), said[0, :, insert])
    torch.testing.assert_close(
        torch.tensor(witness.probability_of(stands)), said[0].gather(1, canvas[0][:, None])[:, 0]
    )
