"""Where the texts of a local folder lie: each .txt is one, cut when it is huge, and each line of a .jsonl is one."""

import hashlib
import json
import random
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

from redraft.errors import ConfigError

__all__ = ["Corpus"]

_MAX_TEXT_BYTES = 1 << 20
"""A longer .txt is cut at line ends, so that one file may hold a whole corpus."""

_MAX_LINE_BYTES = 64 << 20


class Corpus:
    """The texts of a folder, and which of them are held out.

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
