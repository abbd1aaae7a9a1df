import pytest

from redraft.errors import ConfigError
from redraft.text import Field, Tokenizer, lay_out


@pytest.fixture
def tokenizer() -> Tokenizer:
    return Tokenizer.builtin()


def test_pads_on_the_left_and_reads_naturally(tokenizer: Tokenizer) -> None:
    fields = [Field("39", width=4), Field("\n"), Field("6", width=2), Field(" × "), Field("√(9)")]
    ids = lay_out(tokenizer, fields)
    null = tokenizer.special.null
    assert ids[:4] == [null, null, *tokenizer.encode("39")]
    assert len(ids) == 4 + 1 + 2 + 1 + 4
    assert tokenizer.decode(ids) == "39\n6 × √(9)"


def test_a_field_stands_alone_whatever_its_neighbours(tokenizer: Tokenizer) -> None:
    left, right = Field("total"), Field("ly")
    assert lay_out(tokenizer, [left, right]) == lay_out(tokenizer, [left]) + lay_out(tokenizer, [right])


def test_an_empty_field_is_all_null(tokenizer: Tokenizer) -> None:
    assert lay_out(tokenizer, [Field("", width=3), Field("")]) == [tokenizer.special.null] * 3


def test_a_field_that_just_fits_has_no_padding(tokenizer: Tokenizer) -> None:
    assert lay_out(tokenizer, [Field("1234", width=4)]) == tokenizer.encode("1234")


def test_a_field_that_is_too_long_is_refused(tokenizer: Tokenizer) -> None:
    with pytest.raises(ConfigError, match=r"'12345' needs 5 tokens, but its width is 4"):
        lay_out(tokenizer, [Field("12345", width=4)])


@pytest.mark.parametrize("width", [0, -1])
def test_a_width_below_one_is_refused(width: int) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        Field("1", width=width)


@pytest.mark.parametrize(("text", "num_tokens"), [("", 0), ("1", 4), ("1234", 4), ("12345", 8)])
def test_a_slot_without_a_width_is_rounded_up(tokenizer: Tokenizer, text: str, num_tokens: int) -> None:
    ids = lay_out(tokenizer, [Field(text, multiple=4)])
    assert len(ids) == num_tokens
    assert ids == [tokenizer.special.null] * (num_tokens - len(text)) + tokenizer.encode(text)


@pytest.mark.parametrize(("width", "multiple"), [(None, 0), (None, -4), (8, 4)])
def test_a_multiple_that_makes_no_sense_is_refused(width: int | None, multiple: int) -> None:
    with pytest.raises(ConfigError, match="multiple is"):
        Field("1", width=width, multiple=multiple)
