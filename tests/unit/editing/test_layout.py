"""Text on canvases and back: windows, sheets, pieces and diffs, without a model."""

import random
import subprocess
from pathlib import Path

import pytest

from redraft.editing.diff import unified_diff
from redraft.editing.pieces import Piece, cut_pieces, join_pieces, pieces_of
from redraft.editing.result import EditResult, changes_of
from redraft.editing.sheet import Sheet, lay_draft, lay_gaps, most_tokens
from redraft.editing.source import source_of
from redraft.editing.windows import surroundings, windows_of
from redraft.text import Tokenizer


def test_windows_are_short_and_on_line_boundaries() -> None:
    rng = random.Random(0)
    for _ in range(200):
        text = "".join(rng.choice(["ab ", "c", "\n", "\n\n", "x" * 30, " "]) for _ in range(rng.randrange(60)))
        capacity = rng.randrange(8, 60)
        place = 0
        for start, end in windows_of(text, [], len, capacity):
            assert place <= start < end <= len(text)
            assert end - start <= capacity
            assert set(text[place:start]) <= {"\n"}, "what lies between windows is line feeds"
            left, right = surroundings(text[:start], text[start:end], text[end:], len, capacity)
            assert text[:start].endswith(left)
            assert text[end:].startswith(right)
            assert len(left) + end - start + len(right) <= capacity
            assert left in ("", text[:start]) or text[: start - len(left)].endswith("\n")
            place = end
        assert set(text[place:]) <= {"\n"}


def test_pinned_lines_are_in_no_window_of_their_own() -> None:
    text = "".join(f"line {i}\n" for i in range(100))
    start, end = text.index("line 40"), text.index("line 43")
    assert windows_of(text, [(0, start), (end - 1, len(text))], len, 40) == [(start, end - 1)]
    assert windows_of(text, [(0, len(text))], len, 40) == []


def test_a_draft_has_slots_and_an_end(tokenizer: Tokenizer) -> None:
    text = "def f(é): 质 return 1"
    sheet = lay_draft(tokenizer, text, [(4, 5)], 64)
    assert sheet is not None
    assert tokenizer.decode(sheet.tokens) == text
    assert len(sheet.tokens) % 8 == 0
    assert sheet.tokens[-1] == tokenizer.special.end_of_text
    assert not sheet.is_editable[-1]
    place = 0
    for start, end in sheet.units:
        here = tokenizer.decode(sheet.tokens[start:end])
        assert "\ufffd" not in here
        if place <= 4 < place + len(here):
            assert not any(sheet.is_editable[start:end])
        place += len(here)
    assert most_tokens(64, tokenizer.slack_every) >= len(tokenizer.encode(text))
    assert lay_draft(tokenizer, text * 9, [], 64) is None
    assert lay_draft(tokenizer, "a b c d", [(0, 7)], 64).has_work is False  # type: ignore[union-attr]


def test_nothing_fits_between_pinned_tokens(tokenizer: Tokenizer) -> None:
    text = "one two three four five six seven eight nine ten eleven twelve"
    sheet = lay_draft(tokenizer, text, [(0, text.index("eleven"))], 64)
    assert sheet is not None
    first = sheet.is_editable.index(True)
    assert tokenizer.decode(sheet.tokens[:first]) + tokenizer.decode(sheet.tokens[first:]) == text
    assert text.index("eleven") <= len(tokenizer.decode(sheet.tokens[:first])) + 1


def test_gaps_lie_between_pieces(tokenizer: Tokenizer) -> None:
    pieces = [tokenizer.encode(text) for text in ("a = ", " + ", "")]
    sheet = lay_gaps(tokenizer, pieces, [3, 2], 24)
    assert [end - start for start, end in sheet.units] == [3, 2]
    assert [*sheet.tokens].count(tokenizer.special.mask) == 5 == sum(sheet.is_editable)


def test_pieces_tell_what_was_kept_changed_inserted_and_deleted(tokenizer: Tokenizer) -> None:
    sheet = lay_draft(tokenizer, "one two three", [], 64)
    assert sheet is not None
    two = tokenizer.encode(" two")
    tokens = [*sheet.tokens]
    assert pieces_of(tokenizer, sheet, tokens, [0.9] * 64) == [Piece("one two three", "one two three", 0.9)]
    null = tokenizer.special.null
    gone = [null if token in two else token for token in tokens]
    pieces = pieces_of(tokenizer, sheet, gone, [0.9] * 64)
    assert [piece.after for piece in pieces] == ["one", "", " three"]
    last = max(place for place, token in enumerate(tokens) if token == null)
    tokens[last] = tokenizer.encode("!")[0]
    assert pieces_of(tokenizer, sheet, tokens, [0.9] * 64)[-1] == Piece("", "!", 0.9)


def test_a_shift_is_no_change(tokenizer: Tokenizer) -> None:
    sheet = lay_draft(tokenizer, "one two three", [], 64)
    assert sheet is not None
    null = tokenizer.special.null
    content = [token for token in sheet.tokens[: sheet.units[-1][1]] if token != null]
    shifted = [null] * (sheet.units[-1][1] - len(content)) + content + [*sheet.tokens[sheet.units[-1][1] :]]
    assert [piece.is_kept for piece in pieces_of(tokenizer, sheet, shifted, [0.5] * 64)] == [True]


def test_what_would_be_no_text_falls_back(tokenizer: Tokenizer) -> None:
    text = "a é 慮 b"
    sheet = lay_draft(tokenizer, text, [], 64)
    assert sheet is not None
    rng = random.Random(1)
    bytes_only = [i for i in range(tokenizer.special.first) if len(tokenizer.token_bytes(i)) == 1]
    for _ in range(300):
        tokens = [
            rng.choice(bytes_only) if may and rng.random() < 0.5 else token
            for token, may in zip(sheet.tokens, sheet.is_editable, strict=True)
        ]
        pieces = pieces_of(tokenizer, sheet, tokens, [0.5] * 64)
        assert "".join(piece.before for piece in pieces) == text
        after = "".join(piece.after for piece in pieces)
        assert after.encode().decode() == after
        assert "\0" not in after
        assert "\ufffd" not in after


def test_a_character_may_be_spread_around_an_empty_slot(tokenizer: Tokenizer) -> None:
    one_byte = {tokenizer.token_bytes(i): i for i in range(tokenizer.special.first)}
    lead, rest = (one_byte[bytes([byte])] for byte in "é".encode())
    a, b, null = one_byte[b"a"], one_byte[b"b"], tokenizer.special.null
    sheet = Sheet(tokens=(a, null, b), is_editable=(True,) * 3, units=((0, 1), (1, 2), (2, 3)))
    assert pieces_of(tokenizer, sheet, [lead, null, rest], [0.9, 0.8, 0.7]) == [Piece("ab", "é", 0.7)]
    # What is no text around the slot falls back, the slot included.
    assert pieces_of(tokenizer, sheet, [lead, null, b], [0.9] * 3) == [Piece("ab", "ab", 0.0)]


def test_pieces_of_a_part() -> None:
    pieces = [Piece("ab", "ab", 1.0), Piece("", "x", 0.9), Piece("c", "", 0.8), Piece("def", "def", 0.7)]
    assert cut_pieces(pieces, 2, 4) == [Piece("", "x", 0.9), Piece("c", "", 0.8), Piece("d", "d", 0.7)]
    assert join_pieces(cut_pieces(pieces, 0, 6)) == [
        Piece("ab", "ab", 1.0),
        Piece("c", "x", 0.8),
        Piece("def", "def", 0.7),
    ]


def result_of(pieces: list[Piece], text: str) -> EditResult:
    source = source_of(text)
    changes = changes_of(join_pieces(pieces), source)
    return EditResult(
        text=source.mark + "".join(change.after for change in changes),
        original=text,
        changes=changes,
        model="",
        seed=0,
        prompt_tokens=0,
        num_windows=1,
        nfe=1,
        is_stable=True,
        seconds=0.0,
    )


@pytest.mark.parametrize("seed", range(60))
def test_git_applies_the_diff(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    words = ["a", "b\n", "\n", "cc", " ", "dd\n", "é"]
    pieces = [
        Piece(before := "".join(rng.choices(words, k=rng.randrange(1, 12))), before, 1.0)
        if rng.random() < 0.6
        else Piece(
            "".join(rng.choices(words, k=rng.randrange(3))), "".join(rng.choices(words, k=rng.randrange(3))), 0.9
        )
        for _ in range(rng.randrange(1, 9))
    ]
    text = "".join(piece.before for piece in pieces) or "x"
    pieces = pieces if "".join(piece.before for piece in pieces) else [Piece("x", "y", 1.0)]
    if seed % 3 == 0:
        text = text.replace("\n", "\r\n")
    result = result_of(pieces, text)
    assert result.original == text
    diff = unified_diff(result, "dir/f.txt")
    assert bool(diff) == result.is_changed
    if not diff or not result.text:
        return
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "f.txt").write_bytes(text.encode())
    subprocess.run(["git", "apply", "-"], input=diff.encode(), cwd=tmp_path, check=True, timeout=30)
    assert (tmp_path / "dir" / "f.txt").read_bytes() == result.text.encode()
