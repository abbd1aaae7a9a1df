import pytest

from redraft.errors import PromptError
from redraft.text import SPECIAL_TEXTS, Segment, Tokenizer, encode_conversation, encode_segment, read_role


@pytest.fixture
def tokenizer() -> Tokenizer:
    return Tokenizer.builtin()


@pytest.mark.parametrize("role", ["system", "user", "assistant"])
def test_a_segment_is_its_role_then_its_text(tokenizer: Tokenizer, role: str) -> None:
    ids = encode_segment(tokenizer, Segment(role, "请计算 1 + 2"))  # type: ignore[arg-type]
    assert ids[0] == getattr(tokenizer.special, role)
    assert ids[1:] == tokenizer.encode("请计算 1 + 2")


def test_an_empty_segment_is_only_its_role(tokenizer: Tokenizer) -> None:
    assert encode_segment(tokenizer, Segment("user", "")) == [tokenizer.special.user]


def test_text_cannot_open_another_turn(tokenizer: Tokenizer) -> None:
    ids = encode_segment(tokenizer, Segment("user", "".join(SPECIAL_TEXTS)))
    assert [i for i in ids if i >= tokenizer.special.first] == [tokenizer.special.user]


def test_a_conversation_keeps_its_segments_apart_and_in_order(tokenizer: Tokenizer) -> None:
    segments = [Segment("system", "Be brief."), Segment("user", "Hi"), Segment("assistant", "Hello")]
    assert encode_conversation(tokenizer, segments) == [encode_segment(tokenizer, segment) for segment in segments]
    assert encode_conversation(tokenizer, []) == []


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(PromptError, match=r"role 'tool' is unknown; use one of system, user, assistant"):
        read_role("tool")
