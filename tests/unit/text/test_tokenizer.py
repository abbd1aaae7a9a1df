import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from redraft.errors import CheckpointError, PromptError
from redraft.text import MAX_VOCAB_SIZE, SPECIAL_TEXTS, Tokenizer
from redraft.text.building import SINGLE_TOKENS


@pytest.fixture
def tokenizer() -> Tokenizer:
    return Tokenizer.builtin()


def test_the_vocabulary_is_full(tokenizer: Tokenizer) -> None:
    assert tokenizer.vocab_size == MAX_VOCAB_SIZE == 2048


def test_each_is_a_single_token(tokenizer: Tokenizer) -> None:
    pieces = {text: [tokenizer.token_text(i) for i in tokenizer.encode(text)] for text in SINGLE_TOKENS}
    assert {text: tokens for text, tokens in pieces.items() if tokens != [text]} == {}


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (
            "(√(81) * (2/3))² + 15",
            ["(", "√", "(", "8", "1", ")", " * ", "(", "2", "/", "3", ")", ")", "²", " + ", "1", "5"],
        ),
        ("√(81)−3³ ÷ 7·2", ["√", "(", "8", "1", ")", "−", "3", "³", " ÷ ", "7", "·", "2"]),
        ("sqrt(49)^2 = 49\n", ["sqrt", "(", "4", "9", ")", "^", "2", " = ", "4", "9", "\n"]),
        ("3 − −46", ["3", " − ", "−", "4", "6"]),
        ("7 - -2", ["7", " - ", "-", "2"]),
        ("2**3 // 4", ["2", "**", "3", " // ", "4"]),
        ("151, 157", ["1", "5", "1", ", ", "1", "5", "7"]),
        ("150到250之间", ["1", "5", "0", "到", "2", "5", "0", "之间"]),
        ("x == 1:\n        return", ["x", " == ", "1", ":", "\n        ", "return"]),
    ],
)
def test_maths_is_cut_symbol_by_symbol(tokenizer: Tokenizer, text: str, tokens: list[str]) -> None:
    assert [tokenizer.token_text(i) for i in tokenizer.encode(text)] == tokens


def test_every_digit_is_a_token_of_its_own(tokenizer: Tokenizer) -> None:
    assert [tokenizer.token_text(i) for i in tokenizer.digit_token_ids] == list("0123456789")
    assert tokenizer.encode("9081726354") == [tokenizer.digit_token_ids[int(d)] for d in "9081726354"]


@pytest.mark.parametrize("frame", ["{}", " {}", "a{}b", "{}\n", "[{}]", "{0}{0}", "<{}>", "请{}"])
def test_text_that_spells_a_special_token_stays_text(tokenizer: Tokenizer, frame: str) -> None:
    for text in map(frame.format, SPECIAL_TEXTS):
        ids = tokenizer.encode(text)
        assert max(ids) < tokenizer.special.first, text
        assert tokenizer.decode(ids) == text


def test_special_tokens_read_as_nothing_but_have_a_name(tokenizer: Tokenizer) -> None:
    special = tokenizer.special
    ids = tokenizer.encode("ab")
    assert tokenizer.decode([special.null, *ids, *special.ids, *ids]) == "abab"
    assert [tokenizer.token_text(i) for i in special.ids] == list(SPECIAL_TEXTS)
    assert special.ids[-1] == tokenizer.vocab_size - 1


def test_special_tokens_are_found_by_their_names(tokenizer: Tokenizer) -> None:
    special = tokenizer.special
    named = {special.mask: "[MASK]", special.end_of_text: "<|endoftext|>", special.null: "[NULL]"}
    named |= {special.delete: "[DEL]", special.insert: "[INS]", special.user: "<|user|>"}
    named |= {token_id: f"<|reserved_{i}|>" for i, token_id in enumerate(special.reserved)}
    assert {i: tokenizer.token_text(i) for i in named} == named


def test_a_part_of_a_character_reads_as_replacement(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("🧮")
    assert len(ids) > 1
    assert tokenizer.token_text(ids[0]) == "\ufffd"
    assert tokenizer.decode(ids[:1] + tokenizer.encode("a")) == "\ufffda"


@pytest.mark.parametrize("token_id", [-1, 2048])
def test_an_id_outside_the_vocabulary_is_refused(tokenizer: Tokenizer, token_id: int) -> None:
    with pytest.raises(PromptError, match="ids run from 0 to 2047"):
        tokenizer.decode([token_id])
    with pytest.raises(PromptError, match="ids run from 0 to 2047"):
        tokenizer.token_text(token_id)


def test_a_lone_surrogate_is_refused(tokenizer: Tokenizer) -> None:
    with pytest.raises(PromptError, match=r"lone surrogate \(U\+D83E\) at character 3"):
        tokenizer.encode("abc\ud83e")


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    ["a", " ", "\n", "\t", "1", "+", "-", " -", ", ", "<", "</", "<a", ".", "_", "'", "\0", "的", "ア", "🧮", "\u0301"],
)
def test_a_long_text_is_quick(tokenizer: Tokenizer, unit: str) -> None:
    text = unit * (100_000 // len(unit.encode()))
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        ids = tokenizer.encode(text)
        seconds.append(time.perf_counter() - start)
        if seconds[-1] < 0.5:
            break
    assert tokenizer.decode(ids) == text
    assert min(seconds) < 0.5


def test_the_file_survives_saving_byte_for_byte(tokenizer: Tokenizer, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    again = Tokenizer.load(path)
    assert path.read_bytes() == tokenizer.to_json().encode()
    assert again.to_json() == tokenizer.to_json()
    assert again.special == tokenizer.special
    assert again.encode("def f(x): 质数 12") == tokenizer.encode("def f(x): 质数 12")


def test_importing_the_room_does_not_load_the_backend() -> None:
    code = "import sys, redraft.text; sys.exit('tokenizers' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def _without(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda layout: layout["model"]["vocab"].pop(key)


def _renumbered_without(key: str) -> Callable[[dict[str, Any]], None]:
    def remove(layout: dict[str, Any]) -> None:
        vocabulary = layout["model"]["vocab"]
        del vocabulary[key]
        layout["model"]["vocab"] = {token: i for i, token in enumerate(sorted(vocabulary, key=vocabulary.__getitem__))}

    return remove


def _with_model(**changes: object) -> Callable[[dict[str, Any]], None]:
    return lambda layout: layout["model"].update(changes)


def _with_top(**changes: object) -> Callable[[dict[str, Any]], None]:
    return lambda layout: layout.update(changes)


def _with_entry(key: str, token_id: object) -> Callable[[dict[str, Any]], None]:
    return lambda layout: layout["model"]["vocab"].update({key: token_id})


def _swapped(one: str, other: str) -> Callable[[dict[str, Any]], None]:
    def swap(layout: dict[str, Any]) -> None:
        vocabulary = layout["model"]["vocab"]
        vocabulary[one], vocabulary[other] = vocabulary[other], vocabulary[one]

    return swap


def _with_merged_digits(layout: dict[str, Any]) -> None:
    vocabulary, merges = layout["model"]["vocab"], layout["model"]["merges"]
    vocabulary["12"] = vocabulary.pop("".join(merges[-1]))
    merges[-1] = ["1", "2"]


def _with_a_merge_to_mask(layout: dict[str, Any]) -> None:
    vocabulary, merges = layout["model"]["vocab"], layout["model"]["merges"]
    vocabulary["MASK]"] = vocabulary.pop("".join(merges[-1]))
    merges[-1] = ["[", "MASK]"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_without("[MASK]"), "without a gap"),
        (_renumbered_without("[NULL]"), r"no special token \[NULL\]"),
        (_renumbered_without("7"), "no token for 1 of the 256 bytes"),
        (_swapped("[MASK]", "the"), "must be its last"),
        (_swapped("[MASK]", "7"), "must be its last"),
        (_swapped("[MASK]", "[NULL]"), "must be its last"),
        (_with_merged_digits, "a digit stands alone"),
        (_with_a_merge_to_mask, "1 to special ones"),
        (_with_entry("more", 2048), "has 2049 entries, at most 2048"),
        (_with_entry("the", "7"), "without a gap"),
        (_with_entry("the", True), "without a gap"),
        (_with_entry("the", 5.0), "without a gap"),
        (_with_model(type="WordPiece"), "has another model"),
        (_with_model(vocab=[]), "not a byte-level BPE"),
        (_with_model(merges=7), "not a byte-level BPE"),
        (_with_model(merges=[["zz", "qq"]]), "merge that does not fit"),
        (_with_model(merges=["t he"]), "merge that does not fit"),
        (_with_model(merges=[]), "no merge that leads to 1770 entries"),
        (_with_model(ignore_merges=True), "has another model"),
        (_with_model(extra=1), "has another model"),
        (_with_top(model=None), "not a byte-level BPE"),
        (_with_top(normalizer={"type": "NFC"}), "has another normalizer"),
        (_with_top(pre_tokenizer={"type": "WhitespaceSplit"}), "has another pre_tokenizer"),
        (_with_top(added_tokens=[{"id": 2026, "content": "[MASK]"}]), "has another added_tokens"),
        (_with_top(extra=1), "has another extra"),
    ],
)
def test_a_damaged_or_foreign_tokenizer_is_refused(
    tokenizer: Tokenizer, damage: Callable[[dict[str, Any]], None], message: str
) -> None:
    layout = json.loads(tokenizer.to_json())
    damage(layout)
    with pytest.raises(CheckpointError, match=message) as caught:
        Tokenizer.from_json(json.dumps(layout))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", '{"model": {}}', "tokenizer", "[" * 100_000])
def test_what_is_no_tokenizer_file_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError, match=r"take tokenizer\.json from a Redraft checkpoint"):
        Tokenizer.from_json(text)


def test_an_entry_that_is_no_text_is_refused(tokenizer: Tokenizer) -> None:
    damaged = tokenizer.to_json().replace('"Ā": ', '"\\ud800": ')
    assert damaged != tokenizer.to_json()
    with pytest.raises(CheckpointError, match="can't be loaded"):
        Tokenizer.from_json(damaged)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(tokenizer: Tokenizer, share: float, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    data = tokenizer.to_json().encode()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(CheckpointError):
        Tokenizer.load(path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="can't read the tokenizer"):
        Tokenizer.load(tmp_path / "missing.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CheckpointError, match="can't read the tokenizer"):
        Tokenizer.load(tmp_path / "binary.json")
