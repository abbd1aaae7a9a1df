"""A folder of texts as packed rows, and the place in the stream."""

import json
from pathlib import Path

import pytest
import torch

from redraft.errors import ConfigError
from redraft.training.adapt_config import TextRecipe
from redraft.training.corpus import Corpus
from redraft.training.packing import pack
from redraft.training.texts import TextStream


def encode(text: str) -> list[int]:
    return list(text.encode())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "more").mkdir()
    (tmp_path / "a.txt").write_text("one whole text\nof two lines")
    lines = [json.dumps({"text": f"text {index} " + "x" * index, "source": "made up"}) for index in range(20)]
    (tmp_path / "more" / "b.jsonl").write_text("\n".join(lines) + "\n\n")
    (tmp_path / "notes.md").write_text("no text of the corpus")
    return tmp_path


def stream_over(folder: Path, **changes: int) -> TextStream:
    settings = {"row_length": 16, "batch_rows": 3, "pool_documents": 4, **changes}
    recipe = TextRecipe(folder=str(folder), held_out_share=0.1, **settings)
    return TextStream(Corpus(folder, 0.1), recipe, encode, block_length=4, end=256)


def test_every_text_is_found_and_some_are_held_out(folder: Path) -> None:
    corpus = Corpus(folder, 0.1)
    assert len(corpus.dev) == 2
    texts = [corpus.text(index) for index in sorted([*corpus.dev, *corpus.train])]
    assert texts[0] == "one whole text\nof two lines"
    assert texts[1:] == [f"text {index} " + "x" * index for index in range(20)]
    assert Corpus(folder, 0.1).dev == corpus.dev
    assert Corpus(folder, 0.0).dev == []


def test_a_huge_file_is_cut_at_line_ends_and_whole_characters(tmp_path: Path) -> None:
    text = "".join(f"{index} 素数。\n" for index in range(60_000)) + "素" * 800_000
    (tmp_path / "huge.txt").write_text(text)
    corpus = Corpus(tmp_path, 0.0)
    pieces = [corpus.text(index) for index in corpus.train]
    assert "".join(pieces) == text
    assert len(pieces) > 3
    assert max(len(piece.encode()) for piece in pieces) < 2 << 20
    assert pieces[0].endswith("\n")


def test_texts_are_ended_filled_to_a_block_and_cut_at_the_row() -> None:
    batch = pack([[1, 2, 3], [4, 5, 6, 7, 8, 9]], row_length=8, block_length=4, end=0, end_tokens=1)
    assert batch.tokens.tolist() == [[1, 2, 3, 0, 4, 5, 6, 7], [8, 9, 0, 0, 0, 0, 0, 0]]
    assert batch.document.tolist() == [[0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, -1, -1, -1, -1]]
    assert batch.position.tolist() == [[0, 1, 2, 3, 0, 1, 2, 3], [0, 1, 2, 3, 0, 1, 2, 3]]
    assert batch.is_supervised.int().tolist() == [[1] * 8, [1, 1, 1, 1, 0, 0, 0, 0]]
    fewer = pack([[1]], row_length=8, block_length=8, end=0, end_tokens=2)
    assert fewer.is_supervised.int().tolist() == [[1, 1, 1, 1, 0, 0, 0, 0]]


def test_every_text_comes_once_a_pass_in_another_order(folder: Path) -> None:
    stream = stream_over(folder)
    passes: dict[int, list[int]] = {}
    while stream.state.epoch < 3:
        batch = stream.next(0.0)
        passes.setdefault(stream.state.epoch, []).extend(sorted(batch.tokens[batch.is_supervised].tolist()))
    assert sorted(passes[0]) == sorted(passes[1]) == sorted(passes[2])


def test_a_stream_put_back_goes_on_with_the_same_rows(folder: Path) -> None:
    stream = stream_over(folder)
    for _ in range(9):
        place = stream.state_dict()
        expected = stream.next(0.0)
        again = stream_over(folder)
        again.load_state_dict(json.loads(json.dumps(place)))
        assert torch.equal(again.next(0.7).tokens, expected.tokens)


def test_other_texts_are_noticed(folder: Path) -> None:
    stream = stream_over(folder)
    stream.next(0.0)
    place = stream.state_dict()
    (folder / "c.txt").write_text("new")
    with pytest.raises(ConfigError, match="has changed"):
        stream_over(folder).load_state_dict(place)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b'{"text": 3}\n', "no JSON object with a string under 'text'"),
        ("a.jsonl", b"[" * 100_000 + b"\n", "no JSON object"),
        ("a.txt", b"caf\xe9", "not UTF-8"),
    ],
)
def test_bad_files_are_one_clear_error(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        Corpus(tmp_path, 0.0).text(0)


def test_no_texts_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no text"):
        Corpus(tmp_path, 0.0)
    with pytest.raises(ConfigError, match="there is no folder"):
        Corpus(tmp_path / "absent", 0.0)
