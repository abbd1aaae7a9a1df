"""Canvases that grow: the draft stays readable on its positions, and only what may change makes room."""

import random

import pytest
import torch

from redraft.denoiser import FakeDenoiser
from redraft.editing.edit import edit_text
from redraft.editing.growing import GROWTH, grow, spans_of
from redraft.editing.sheet import lay_draft
from redraft.editing.witness import Witness
from redraft.engine import Engine
from redraft.text import Tokenizer

TEXT = "a list of words\n"
WORDS = " number" * 9


def inserting(words: str, before: str, canvas_length: int = 120) -> Engine:
    """Return a model that wants to put words in before a token, and wants a longer canvas for them."""
    tokenizer = Tokenizer.builtin()
    special = tokenizer.special
    wanted, (word,) = tokenizer.encode(words), tokenizer.encode(before)

    def logits_of(canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        del context
        best = canvas.clone()
        for row, now in zip(best, canvas.tolist(), strict=True):
            text = [token for token in now if token not in (special.null, special.mask, special.end_of_text)]
            rest = wanted[len(wanted) if _has(text, wanted) else 0 :]
            gaps = [place for place, token in enumerate(now) if token == special.mask]
            if gaps:
                new = [*rest, word]
                for number, place in enumerate(gaps):
                    row[place] = new[number] if number < len(new) else special.null
            elif rest:
                row[now.index(word)] = special.mask
        return torch.nn.functional.one_hot(best, tokenizer.vocab_size) * 20.0

    fake = FakeDenoiser(vocab_size=tokenizer.vocab_size, logits_of=logits_of)
    return Engine(fake, tokenizer, context_length=64, canvas_length=canvas_length, name="fake")


def _has(text: list[int], part: list[int]) -> bool:
    return any(text[start : start + len(part)] == part for start in range(len(text)))


def test_words_are_put_in_where_there_is_no_slot() -> None:
    result = edit_text(inserting(WORDS, " list"), TEXT).result
    assert result.text == TEXT.replace(" list", WORDS + " list")
    assert [change.after for change in result.changes if change.kind != "kept"] == [WORDS]
    assert result.nfe == 3, "a look, a fill, and a look at it"
    assert result.is_stable
    assert all(change.confidence > 0.99 for change in result.changes)


@pytest.mark.parametrize("pin", [TEXT, " list"])
def test_what_is_pinned_makes_no_room(pin: str) -> None:
    start = TEXT.index(pin)
    result = edit_text(inserting(WORDS, " list"), TEXT, pins=[(start, start + len(pin))]).result
    assert not result.is_changed


def test_an_instant_edit_does_not_grow() -> None:
    result = edit_text(inserting(WORDS, " list"), TEXT, effort="instant").result
    assert (result.is_changed, result.nfe) == (False, 1)


def test_a_canvas_without_a_position_left_stays() -> None:
    tokenizer = Tokenizer.builtin()
    sheet = lay_draft(tokenizer, TEXT, [], 120)
    assert sheet is not None
    content = sheet.units[-1][1]
    assert grow(tokenizer, sheet, sheet.tokens, [(1, 2)], content + 1) is None
    assert grow(tokenizer, sheet, sheet.tokens, [], 120) is None
    grown = grow(tokenizer, sheet, sheet.tokens, [(1, 2), (4, 5)], content + 4)
    assert grown is not None
    assert grown[1].count(tokenizer.special.mask) == 4, "one more for each: shared out evenly"
    assert grown[1][-1] == tokenizer.special.end_of_text


def test_a_grown_draft_reads_as_before(tokenizer: Tokenizer) -> None:
    for seed in range(60):
        rng = random.Random(seed)
        text = "".join(rng.choice("ab é质👧 \n") for _ in range(rng.randrange(1, 30)))
        pins = [(cut, cut + 2) for cut in [rng.randrange(len(text))] if cut + 2 <= len(text)]
        sheet = lay_draft(tokenizer, text, pins, 200)
        assert sheet is not None
        places = sorted(rng.sample(range(len(sheet.tokens)), rng.randrange(1, min(6, len(sheet.tokens)))))
        spans = spans_of(sheet, places)
        assert all(all(sheet.is_editable[start:end]) for start, end in spans)
        free = {place for place in places if sheet.is_editable[place]}
        assert free <= {place for start, end in spans for place in range(start, end)}
        grown = grow(tokenizer, sheet, sheet.tokens, spans, 200)
        if grown is None:
            assert not spans
            continue
        longer, tokens = grown
        assert tokenizer.decode(longer.tokens) == text
        assert [unit[0] for unit in longer.units] == [0, *(unit[1] for unit in longer.units[:-1])], "no hole"
        assert len(longer.tokens) == len(longer.is_editable) == len(tokens) <= 200
        is_open = [token == tokenizer.special.mask for token in tokens]
        assert sum(is_open) == sum(end - start for start, end in spans) + len(spans) * GROWTH
        assert all(may for may, opened in zip(longer.is_editable, is_open, strict=True) if opened)
        shut = [(old, now) for old, now, opened in zip(longer.tokens, tokens, is_open, strict=True) if not opened]
        assert all(old == now for old, now in shut)


def test_a_wish_to_grow_counts_as_leaving_the_token(tokenizer: Tokenizer) -> None:
    mask, length = tokenizer.special.mask, 6
    canvas = torch.randint(20, 200, (1, length), generator=torch.Generator().manual_seed(0))
    canvas[0, 2] = mask
    logits = torch.randn(1, length, tokenizer.vocab_size, generator=torch.Generator().manual_seed(1))
    logits[0, 4, mask] = 12.0
    fake = FakeDenoiser(vocab_size=tokenizer.vocab_size, logits_of=lambda canvas, context: logits)
    witness = Witness(fake, mask)
    assert witness.grows_at(0.5) == []
    given = witness.denoise(canvas).index_fill(-1, torch.tensor([mask]), -torch.inf).softmax(dim=-1)
    said = logits.softmax(dim=-1)
    stands = canvas[0].tolist()
    for place in range(length):
        wanted = said[0, place, stands[place]] + said[0, place, mask]
        if place != 2:
            torch.testing.assert_close(given[0, place, stands[place]], wanted)
    assert bool((given[0, 2] > 0).sum() == tokenizer.vocab_size - 1)
    assert witness.grows_at(0.5) == [4]
    torch.testing.assert_close(
        torch.tensor(witness.probability_of(stands)), said[0].gather(1, canvas[0][:, None])[:, 0]
    )
