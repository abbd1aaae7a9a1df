"""What holds for any text whatever."""

import re

from hypothesis import given
from hypothesis import strategies as st

from redraft.text import SPECIAL_TEXTS, Field, Segment, Tokenizer, encode_segment, lay_out

TOKENIZER = Tokenizer.builtin()
SPELLED, APART = TOKENIZER.by_character(), TOKENIZER.by_word()
TURNED_BACK = [SPELLED.by_piece(), APART.by_piece()]

SNIPPETS = (
    "\r\n",
    "\n    ",
    "\0",
    "\u0301",
    "🧮",
    "👩‍👩‍👧",
    "12",
    " + ",
    "²",
    "<div",
    "</",
    "a_b.c",
    "质数",
    "\u2028",
    "\t",
    "  ",
    "\ufffd",
)
any_text = st.text(st.characters(exclude_categories=("Cs",)))
rough_text = st.lists(
    st.sampled_from(SNIPPETS + SPECIAL_TEXTS) | st.text(st.characters(codec="ascii"), max_size=5) | any_text,
    max_size=20,
).map("".join)


@given(any_text | rough_text)
def test_a_text_comes_back_unchanged(text: str) -> None:
    ids = TOKENIZER.encode(text)
    assert TOKENIZER.decode(ids) == text
    assert all(0 <= i < TOKENIZER.special.first for i in ids)


@given(rough_text)
def test_by_character_no_token_holds_more_than_one(text: str) -> None:
    ids = SPELLED.encode(text)
    assert SPELLED.decode(ids) == text
    pieces = [SPELLED.encode(character) for character in text]
    assert ids == [token for piece in pieces for token in piece]


@given(rough_text)
def test_cut_another_way_and_back_it_is_the_same(text: str) -> None:
    assert SPELLED.has_ids_of(TOKENIZER)
    assert APART.has_ids_of(TOKENIZER)
    for back in TURNED_BACK:
        assert back.encode(text) == TOKENIZER.encode(text)


@given(rough_text, st.text("abcdefghijklmnopqrstuvwxyzABCDEÄéß", min_size=1, max_size=12), st.sampled_from(" \n(\"'>["))
def test_by_word_a_word_has_the_same_pieces_wherever_it_stands(text: str, word: str, mark: str) -> None:
    assert APART.decode(APART.encode(text)) == text
    pieces = APART.encode(word)
    for whole in (f"{mark}{word}", f"{mark}{word} {mark}", f"one {word}, two"):
        ids = APART.encode(whole)
        assert any(ids[start : start + len(pieces)] == pieces for start in range(len(ids)))


@given(st.text("天地书店山水猫岁马", max_size=8))
def test_by_word_each_ideogram_is_cut_off(text: str) -> None:
    assert APART.encode(text) == [token for ideogram in text for token in APART.encode(ideogram)]


@given(rough_text)
def test_no_token_holds_a_digit_and_more(text: str) -> None:
    tokens = [TOKENIZER.token_text(i) for i in TOKENIZER.encode(text)]
    assert [token for token in tokens if re.search("[0-9]", token)] == re.findall("[0-9]", text)


@given(st.text("0123456789+-−*×/÷=^()√²³· ,\n", max_size=60))
def test_maths_symbols_are_never_glued(text: str) -> None:
    operators = {"**", "//", "->", "()", "+=", "-=", "*=", "/=", "==", "/>"}
    for token in (TOKENIZER.token_text(i) for i in TOKENIZER.encode(text)):
        symbol = token.strip(" \n")
        assert len(symbol) <= 1 or symbol in operators


@given(st.lists(st.integers(0, TOKENIZER.vocab_size - 1), max_size=30))
def test_any_ids_decode(ids: list[int]) -> None:
    ordinary = [i for i in ids if i < TOKENIZER.special.first]
    assert TOKENIZER.decode(ids) == TOKENIZER.decode(ordinary)


@given(st.sampled_from(["system", "user", "assistant"]), rough_text)
def test_a_segment_has_one_special_token(role: str, text: str) -> None:
    ids = encode_segment(TOKENIZER, Segment(role, text))  # type: ignore[arg-type]
    assert [i for i in ids if i >= TOKENIZER.special.first] == ids[:1]


@given(st.lists(st.tuples(rough_text, st.integers(0, 5)), max_size=5))
def test_slots_read_as_their_fields(parts: list[tuple[str, int]]) -> None:
    fields = [Field(text, width=max(1, len(TOKENIZER.encode(text)) + room)) for text, room in parts]
    ids = lay_out(TOKENIZER, fields)
    assert len(ids) == sum(field.width or 0 for field in fields)
    assert TOKENIZER.decode(ids) == "".join(field.text for field in fields)
