"""What a watcher sees: settled, provisional and open text, told apart."""

import torch

from redraft.engine import Frame, Piece
from redraft.sampler import Step
from redraft.text import Tokenizer


def frame_of(tokenizer: Tokenizer, cells: list[tuple[int, int, bool, float]]) -> Frame:
    """Make a frame of (token, proposed, is_settled, confidence) per position."""
    tokens, proposed, is_settled, confidence = (list(column) for column in zip(*cells, strict=True))
    settled = torch.tensor([is_settled])
    nothing = torch.zeros_like(settled)
    step = Step(
        index=0,
        block=0,
        tokens=torch.tensor([tokens]),
        proposed=torch.tensor([proposed]),
        is_settled=settled,
        is_masked=~settled,
        committed=nothing,
        revised=nothing,
        confidence=torch.tensor([confidence]),
        nfe=(1,),
        is_finished=(False,),
        is_last=False,
    )
    return Frame(request_id="", step=step, tokenizer=tokenizer, text_before="", nfe=1, seconds=1.0, result=None)


def test_three_states_in_reading_order(tokenizer: Tokenizer) -> None:
    one, two, three = tokenizer.digit_token_ids[1:4]
    mask, end = tokenizer.special.mask, tokenizer.special.end_of_text
    frame = frame_of(
        tokenizer,
        [
            (one, one, True, 1.0),
            (mask, two, False, 0.8),
            (mask, three, False, 0.8),
            (mask, three, False, 0.1),
            (mask, end, False, 0.8),
            (two, two, True, 0.9),
            (end, end, True, 0.9),
            (mask, one, False, 0.9),
        ],
    )
    assert frame.pieces() == [
        Piece(text="1", state="settled"),
        Piece(text="23", state="provisional"),
        Piece(text="░░", state="open"),
        Piece(text="2", state="settled"),
    ]
    assert frame.num_settled == 2


def test_empty_slots_read_as_nothing(tokenizer: Tokenizer) -> None:
    null, end, four = tokenizer.special.null, tokenizer.special.end_of_text, tokenizer.digit_token_ids[4]
    frame = frame_of(tokenizer, [(null, null, True, 1.0), (four, four, True, 1.0), (end, end, True, 1.0)])
    assert frame.pieces() == [Piece(text="4", state="settled")]
    assert frame_of(tokenizer, [(null, null, True, 1.0)]).pieces() == []


def test_a_character_of_several_tokens_is_whole(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("🧮")
    assert len(ids) > 1
    frame = frame_of(tokenizer, [(token, token, True, 1.0) for token in ids])
    assert [piece.text for piece in frame.pieces()] == ["🧮"]
