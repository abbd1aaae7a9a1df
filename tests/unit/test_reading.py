"""Foreign JSON and file names: read strictly or refused with one clear error."""

import os
from pathlib import Path

import pytest

from redraft.errors import CheckpointError
from redraft.reading import find_inside, parse_json, read_file

PATH = Path("x.json")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe{}", "not valid JSON"),
        (b"[]", "must be an object"),
        (b"3", "must be an object"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": {"b": 1, "b": 1}}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a":' * 50_000, "deep"),
        (b'{"a":' + b"[" * 70 + b"]" * 70 + b"}", "deep"),
        (b'{"a": [' + b"0," * 1_000_000 + b"0]}", "values"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "not valid JSON"),
    ],
)
def test_bad_json_is_one_clear_error(raw: bytes, words: str) -> None:
    with pytest.raises(CheckpointError, match=words) as caught:
        parse_json(raw, PATH)
    assert len(str(caught.value)) < 300


def test_good_json() -> None:
    assert parse_json('{"a": [1, {"b": "质"}]}'.encode(), PATH) == {"a": [1, {"b": "质"}]}
    assert parse_json(b'{"a": [1, 2, 3]}', PATH, max_values=6) == {"a": [1, 2, 3]}
    with pytest.raises(CheckpointError, match="values"):
        parse_json(b'{"a": [1, 2, 3]}', PATH, max_values=4)


ODD_NAMES = [
    "",
    ".",
    "..",
    ".hidden",
    "../x",
    "a/b",
    "a\\b",
    "/etc/passwd",
    "C:x",
    "x\0",
    "x\n",
    " x",
    "x ",
    "~x",
    "*",
    "a" * 201,
    "\u202ex",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CheckpointError, match="plain file name"):
        find_inside(tmp_path, name)


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_links_stay_inside(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "real").write_text("x")
    (tmp_path / "outside").write_text("x")
    (folder / "in").symlink_to("real")
    (folder / "out").symlink_to("../outside")
    (folder / "far").symlink_to("/etc/hostname")
    (folder / "round").symlink_to("round")
    (tmp_path / "alias").symlink_to(folder)
    assert find_inside(folder, "in") == (folder / "real").resolve()
    assert find_inside(tmp_path / "alias", "real") == (folder / "real").resolve()
    assert not find_inside(folder, "nothing").exists()
    for name in ("out", "far"):
        with pytest.raises(CheckpointError, match="leads out"):
            find_inside(folder, name)
    with pytest.raises(CheckpointError):
        read_file(find_inside(folder, "round"), 10)


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_the_download_cache_of_the_hub(tmp_path: Path) -> None:
    repository = tmp_path / "models--a--b"
    snapshot = repository / "snapshots" / "0123"
    snapshot.mkdir(parents=True)
    (repository / "blobs").mkdir()
    (repository / "blobs" / "hash").write_text("{}")
    (repository / "refs").write_text("secret")
    (snapshot / "config.json").symlink_to("../../blobs/hash")
    (snapshot / "refs.json").symlink_to("../../refs")
    assert read_file(find_inside(snapshot, "config.json"), 10) == b"{}"
    with pytest.raises(CheckpointError, match="leads out"):
        find_inside(snapshot, "refs.json")


@pytest.mark.skipif(os.name == "nt", reason="needs FIFOs")
def test_only_regular_files_of_the_right_size(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "file").write_bytes(b"12345")
    assert read_file(tmp_path / "file", 5) == b"12345"
    for path, limit, expected, words in (
        (tmp_path / "fifo", 5, None, "no regular file"),
        (Path("/dev/zero"), 5, None, "no regular file"),
        (tmp_path, 5, None, "can't read|no regular file"),
        (tmp_path / "none", 5, None, "missing"),
        (tmp_path / "file", 4, None, "at most 4"),
        (tmp_path / "file", 9, 4, "manifest says 4"),
    ):
        with pytest.raises(CheckpointError, match=words):
            read_file(path, limit, expected)
