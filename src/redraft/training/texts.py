"""A local folder of texts as an endless stream of packed rows.

Nothing is held but where each text lies. Texts come in an order that the seed and the pass over them fix; each is
encoded, ended, filled up to a whole block and laid behind the one before, cut where a row ends. So the place in the
stream is four numbers, and a stream put back to them gives the same rows.
"""

import hashlib
import json
import random
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from redraft.errors import ConfigError
from redraft.training.adapt_config import TextRecipe
from redraft.types import TokenMask, Tokens

__all__ = ["Corpus", "TextBatch", "TextState", "TextStream", "pack"]

Encode = Callable[[str], list[int]]
"""From a text to ids of ordinary tokens."""

_MAX_TEXT_BYTES = 1 << 20
"""A longer .txt is cut at line ends, so that one file may hold a whole corpus."""

_MAX_LINE_BYTES = 64 << 20
_PADDING = -1
"""Document number of what fills a row that no text reaches the end of."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TextBatch:
    """Packed rows, on the CPU."""

    tokens: Tokens
    """Clean tokens."""

    document: Tokens
    """Number of the text within its row; -1 behind the last one."""

    position: Tokens
    """Place within the text, from 0; a text that goes on in the next row starts anew there."""

    is_supervised: TokenMask
    """Whether the loss scores a position: the text, its end, and a few ends behind it."""

    @property
    def num_rows(self) -> int:
        """Rows."""
        return self.tokens.shape[0]

    @property
    def num_tokens(self) -> int:
        """Positions of the clean copy, padding included."""
        return self.tokens.numel()

    def rows(self, begin: int, end: int) -> "TextBatch":
        """Some of the rows."""
        return self._each(lambda field: field[begin:end])

    def chosen(self, numbers: Sequence[int]) -> "TextBatch":
        """The rows with these numbers, in their order."""
        return self._each(lambda field: field[torch.tensor(numbers)])

    def to(self, device: torch.device) -> "TextBatch":
        """The same on a device."""
        return self._each(lambda field: field.to(device))

    def _each(self, change: Callable[[Tensor], Tensor]) -> "TextBatch":
        return TextBatch(**{field.name: change(getattr(self, field.name)) for field in fields(self)})


class Corpus:
    """Where the texts of a folder lie, and which of them are held out.

    Args:
        folder: Holds .txt and .jsonl files.
        held_out_share: Share of the texts in ``dev``.

    Raises:
        ConfigError: There is no such folder, no text in it, or a file can't be read.
    """

    def __init__(self, folder: Path, held_out_share: float) -> None:
        if not folder.is_dir():
            raise ConfigError(f"there is no folder of texts {str(folder)[:300]!r}; set data.folder")
        self.files = sorted(path for path in folder.rglob("*") if path.suffix in (".txt", ".jsonl") and path.is_file())
        spans = array("q")
        digest = hashlib.sha256()
        for number, path in enumerate(self.files):
            digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
            for begin, end in _spans(path):
                spans.extend((number, begin, end))
        self._spans = spans
        num_texts = len(spans) // 3
        if not num_texts:
            raise ConfigError(f"{folder} holds no text; put .txt files there, or .jsonl files with a key 'text'")
        self.digest = digest.hexdigest()
        num_held_out = max(1, round(held_out_share * num_texts)) if held_out_share > 0 and num_texts > 1 else 0
        shuffled = list(range(num_texts))
        random.Random(f"{self.digest}/held-out").shuffle(shuffled)
        self.dev: Sequence[int] = sorted(shuffled[:num_held_out])
        self.train: Sequence[int] = sorted(shuffled[num_held_out:])

    def text(self, index: int) -> str:
        """Read one text.

        Args:
            index: Its number.

        Returns:
            The text.

        Raises:
            ConfigError: It is no UTF-8, or a line of a .jsonl is no object with a text.
        """
        number, begin, end = self._spans[3 * index : 3 * index + 3]
        path = self.files[number]
        try:
            with path.open("rb") as file:
                file.seek(begin)
                raw = file.read(end - begin).decode()
        except OSError as error:
            raise ConfigError(f"can't read {path}: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path} is not UTF-8 text (byte {begin + error.start})") from error
        if path.suffix == ".txt":
            return raw
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            value = None
        text = value.get("text") if isinstance(value, dict) else None
        if not isinstance(text, str):
            raise ConfigError(f"{path}: the line at byte {begin} is no JSON object with a string under 'text'")
        return text


def _spans(path: Path) -> Iterator[tuple[int, int]]:
    """Begin and end of every text of a file: lines of a .jsonl, pieces of a .txt."""
    limit = _MAX_LINE_BYTES if path.suffix == ".jsonl" else _MAX_TEXT_BYTES
    begin = place = 0
    try:
        with path.open("rb") as file:
            while line := file.readline(limit):
                place += len(line)
                if path.suffix == ".jsonl":
                    if len(line) == limit and not line.endswith(b"\n"):
                        raise ConfigError(f"{path}: the line at byte {begin} is longer than {limit} bytes")
                    if line.strip():
                        yield begin, place
                    begin = place
                elif place - begin >= limit // 2 and (line.endswith(b"\n") or place - begin >= limit):
                    place -= _torn_bytes(line)
                    file.seek(place)
                    yield begin, place
                    begin = place
    except OSError as error:
        raise ConfigError(f"can't read {path}: {error.strerror or error}") from error
    if place > begin:
        yield begin, place


def _torn_bytes(line: bytes) -> int:
    """Bytes of a character of UTF-8 at the end of which the rest is missing; a line that is whole has none."""
    for count in range(1, min(4, len(line)) + 1):
        byte = line[-count]
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return count if length > count else 0
        if byte < 0x80:
            return 0
    return 0


def pack(texts: Sequence[list[int]], *, row_length: int, block_length: int, end: int, end_tokens: int) -> TextBatch:
    """Lay ended texts one behind the other, each from a block of its own on, cut where a row ends.

    Args:
        texts: Ids of each text, without its end.
        row_length: Tokens of a row, a multiple of ``block_length``.
        block_length: Positions of a block.
        end: Id of the end of text, which also fills up blocks and the last row.
        end_tokens: Ends after the first that are supervised, as far as the block has room for them.

    Returns:
        All rows; the last one may be partly empty.
    """
    tokens, document, position, is_supervised = [], [], [], []
    number = 0
    for text in texts:
        length = len(text) + 1
        padded = -(-length // block_length) * block_length
        ids = text + [end] * (padded - len(text))
        scored = [place < length + end_tokens for place in range(padded)]
        begin = 0
        while begin < padded:
            room = row_length - len(tokens) % row_length
            taken = min(room, padded - begin)
            tokens += ids[begin : begin + taken]
            is_supervised += scored[begin : begin + taken]
            document += [number] * taken
            position += range(taken)
            number = 0 if taken == room else number + 1
            begin += taken
    left = -len(tokens) % row_length
    tokens += [end] * left
    document += [_PADDING] * left
    position += range(left)
    is_supervised += [False] * left
    return TextBatch(
        tokens=torch.tensor(tokens).view(-1, row_length),
        document=torch.tensor(document).view(-1, row_length),
        position=torch.tensor(position).view(-1, row_length),
        is_supervised=torch.tensor(is_supervised).view(-1, row_length),
    )


@dataclass(kw_only=True, slots=True)
class TextState:
    """Where the stream stands: enough to give the same batches again."""

    epoch: int = 0
    """Passes over the texts that are done."""

    pool_start: int = 0
    """Place of the pool's first text in the order of this pass."""

    next_batch: int = 0
    """Batches of the pool already taken."""

    examples_seen: int = 0
    """Rows in all batches taken."""


class TextStream:
    """Yields batch after batch; can be put back to where it was.

    Args:
        corpus: The texts.
        recipe: Shape of the batches, and the seed.
        encode: The tokenizer.
        block_length: Positions of a block.
        end: Id of the end of text.
        indices: Which texts; None takes those for training.
    """

    def __init__(
        self,
        corpus: Corpus,
        recipe: TextRecipe,
        encode: Encode,
        *,
        block_length: int,
        end: int,
        indices: Sequence[int] | None = None,
    ) -> None:
        self.corpus = corpus
        self.recipe = recipe
        self.state = TextState()
        self._encode = encode
        self._block_length = block_length
        self._end = end
        self._indices = corpus.train if indices is None else indices
        self._pool: TextBatch | None = None
        self._order: list[int] = []

    def next(self, progress: float) -> TextBatch:
        """Take the next batch; the run's progress changes nothing here."""
        del progress
        if self._pool is None:
            self._fill()
        elif self.state.next_batch * self.recipe.batch_rows >= len(self._order):
            self.state.next_batch = 0
            self.state.pool_start += self.recipe.pool_documents
            if self.state.pool_start >= len(self._indices):
                self.state.pool_start = 0
                self.state.epoch += 1
            self._fill()
        assert self._pool is not None, "filled just now"
        begin = self.state.next_batch * self.recipe.batch_rows
        chosen = self._order[begin : begin + self.recipe.batch_rows]
        self.state.next_batch += 1
        self.state.examples_seen += len(chosen)
        return self._pool.chosen(chosen)

    def state_dict(self) -> dict[str, Any]:
        """The place in the stream, ready for JSON, and what pins the texts."""
        return {**asdict(self.state), "corpus": self.corpus.digest}

    def load_state_dict(self, values: Mapping[str, Any]) -> None:
        """Go back to a place in the stream.

        Args:
            values: What ``state_dict`` gave.

        Raises:
            ConfigError: The folder holds other texts now.
        """
        values = dict(values)
        if values.pop("corpus") != self.corpus.digest:
            raise ConfigError("the folder of texts has changed since the run began; restore it, or start a new run")
        self.state = TextState(**values)
        self._pool = None
        if self.state.next_batch:
            self._fill()

    def _fill(self) -> None:
        recipe, state = self.recipe, self.state
        order = list(self._indices)
        random.Random(f"{recipe.seed}/texts/{state.epoch}").shuffle(order)
        chosen = order[state.pool_start : state.pool_start + recipe.pool_documents]
        self._pool = pack(
            [self._encode(self.corpus.text(index)) for index in chosen],
            row_length=recipe.row_length,
            block_length=self._block_length,
            end=self._end,
            end_tokens=recipe.end_tokens,
        )
        self._order = list(range(self._pool.num_rows))
        random.Random(f"{recipe.seed}/rows/{state.epoch}/{state.pool_start}").shuffle(self._order)
