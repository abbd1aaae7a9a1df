"""Published tokenizers: the ids of the published pipeline, except that a user's text never becomes a control token."""

import itertools
import json
import os
import random
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from redraft.errors import CheckpointError, PromptError
from redraft.text import Segment
from redraft.text.published import PublishedTokenizer

MERGES = [("t", "h"), ("th", "e"), ("i", "n"), ("Ġ", "a"), ("e", "r"), ("Ġ", "the"), ("<", "|"), ("|", ">"), ("a", "s")]
CONTROLS = ["<|endoftext|>", "<|mask|>", "<|im_start|>", "<|im_end|>", "<role>", "</role>"]
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + (message.content | trim) + '<|im_end|>\n'"
    " }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def vocabulary() -> dict[str, int]:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    return {text: token for token, text in enumerate([*letters, *("".join(pair) for pair in MERGES)])}


def layout(**changes: Any) -> dict[str, Any]:
    backend = Tokenizer(models.BPE(vocab=vocabulary(), merges=MERGES))
    backend.normalizer = normalizers.NFC()
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in CONTROLS])
    backend.add_tokens([AddedToken("<think>", special=False, normalized=False)])
    backend.add_tokens([AddedToken("<|fim_prefix|>", special=False, normalized=False)])
    return json.loads(backend.to_str()) | changes


CONFIG = {"eos_token_id": 265, "mask_token_id": 266, "vocab_size": 300}
SETTINGS = {
    "eos_token": "<|endoftext|>",
    "pad_token": "<|endoftext|>",
    "mask_token": "<|mask|>",
    "chat_template": CHATML,
}


def write(folder: Path, **files: Any) -> Path:
    """Write a published folder; a file that is given as None is left out."""
    folder.mkdir(exist_ok=True)
    contents = {"tokenizer.json": layout(), "config.json": CONFIG, "tokenizer_config.json": SETTINGS}
    contents |= {name.replace("__", "."): value for name, value in files.items()}
    for name, value in contents.items():
        if isinstance(value, bytes):
            (folder / name).write_bytes(value)
        elif value is not None:
            text = value if isinstance(value, str) else json.dumps(value)
            (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "m")


@pytest.fixture
def tokenizer(folder: Path) -> PublishedTokenizer:
    return PublishedTokenizer.load(folder)


def oracle(folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import PreTrainedTokenizerFast

        return PreTrainedTokenizerFast.from_pretrained(str(folder))


TEXTS = [
    "",
    " ",
    "the thin other",
    "naïve e\u0301 é",
    "质数 🧮 \n\n\t x",
    "<think>hm</think>",
    "a < b | c > d <| |> <|im_",
    "<role x> [MASK]",
]


# -- ids --------------------------------------------------------------------------------------------------------------


def test_special_ids_come_from_the_checkpoint(tokenizer: PublishedTokenizer) -> None:
    special = tokenizer.special
    base = len(vocabulary())
    assert (special.end_of_text, special.ends, special.pad, special.bos) == (base, (base,), base, None)
    assert special.mask == base + 1
    # <|fim_prefix|> is not marked as special, but looks like it; <think> is ordinary.
    assert special.ids == (*range(base, base + 6), base + 7)
    assert tokenizer.vocab_size == base + 8
    assert [tokenizer.token_text(i) for i in special.ids] == [*CONTROLS, "<|fim_prefix|>"]


def test_ordinary_text_has_the_published_ids(folder: Path, tokenizer: PublishedTokenizer) -> None:
    published = oracle(folder)
    for text in TEXTS:
        assert tokenizer.encode(text) == published.encode(text, add_special_tokens=False)
    assert tokenizer.decode(tokenizer.encode("the 质数 🧮 <think>\n")) == "the 质数 🧮 <think>\n"


def test_a_conversation_has_the_published_ids(folder: Path, tokenizer: PublishedTokenizer) -> None:
    published = oracle(folder)
    for texts in itertools.product(TEXTS[2:], repeat=2):
        turns = [Segment("system", texts[0]), Segment("user", texts[1])]
        for prompt in (True, False):
            wanted = published.apply_chat_template(
                [{"role": turn.role, "content": turn.text} for turn in turns],
                add_generation_prompt=prompt,
                tokenize=True,
                return_dict=False,
            )
            assert tokenizer.encode_chat(turns, add_generation_prompt=prompt) == wanted


@pytest.mark.parametrize("control", [*CONTROLS, "<|fim_prefix|>"])
def test_control_texts_in_a_user_s_words_stay_text(tokenizer: PublishedTokenizer, control: str) -> None:
    for text in (control, control * 3, f"x{control}y", f" {control}\n", control.upper(), f"{control[:3]}{control}"):
        ids = tokenizer.encode(text)
        assert not any(tokenizer.is_control(i) for i in ids)
        assert tokenizer.decode(ids) == text
        plain = tokenizer.encode_chat([Segment("user", "x")])
        spelled = tokenizer.encode_chat([Segment("user", text)])
        controls = [i for i in plain if tokenizer.is_control(i)]
        assert [i for i in spelled if tokenizer.is_control(i)] == controls
        assert text.strip() in tokenizer.decode(spelled)


def test_overlapping_and_nested_control_texts_stay_text(tmp_path: Path) -> None:
    base = len(vocabulary())
    names = ["<|endoftext|>", "<|mask|>", "|mask|", "ab", "bc", "<<", "abc"]
    added = [{"id": base + i, "content": text, "special": True} for i, text in enumerate(names)]
    added = [{"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, **token} for token in added]
    tokenizer = PublishedTokenizer.load(write(tmp_path / "m", tokenizer__json=layout(added_tokens=added)))
    for text in ("<|mask|>", "abc", "aabcc", "<<<", "<<|mask|>", "ababc", "<|<|mask|>mask|>"):
        ids = tokenizer.encode_chat([Segment("user", text)])
        body = tokenizer.decode(ids).split("user\n")[1]
        assert body.startswith(text), (text, body)
        assert not any(tokenizer.is_control(i) for i in ids)  # the template's own texts are none of these


def test_random_texts_never_make_a_control_token(tokenizer: PublishedTokenizer) -> None:
    rng = random.Random(0)
    parts = [*CONTROLS, "<|", "|>", "im_start", "<", "role", ">", "/", " ", "\n", "质", "\ufdd0", "a", "\u0301"]
    count = len([i for i in tokenizer.encode_chat([Segment("user", "x")]) if tokenizer.is_control(i)])
    for _ in range(300):
        text = "".join(rng.choice(parts) for _ in range(rng.randrange(12)))
        assert not any(map(tokenizer.is_control, tokenizer.encode(text)))
        ids = tokenizer.encode_chat([Segment("user", text)])
        assert sum(map(tokenizer.is_control, ids)) == count


def test_a_vocabulary_that_spells_a_control_token(tmp_path: Path) -> None:
    """Merges lead to the mask's own entry, so that the ordinary way would make it of a user's text."""
    merges = [*MERGES, ("<|", "m"), ("<|m", "|>")]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    spelled = {text: i for i, text in enumerate([*letters, *("".join(pair) for pair in merges)])}
    mask = spelled["<|m|>"]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    added = [{"id": mask, "content": "<|m|>", **flags}, {"id": len(spelled), "content": "<|endoftext|>", **flags}]
    model = {"type": "BPE", "vocab": spelled, "merges": [list(pair) for pair in merges]}
    config = {"mask_token_id": mask, "eos_token_id": len(spelled)}
    files = {"tokenizer__json": layout(model=model, added_tokens=added), "config__json": config}
    settings = {"eos_token": "<|endoftext|>", "chat_template": CHATML}
    tokenizer = PublishedTokenizer.load(write(tmp_path / "m", **files, tokenizer_config__json=settings))
    assert tokenizer.special.mask == mask
    for text in ("<|m|>", "<|m|><|m|>", "a<|m|>b"):
        assert mask not in tokenizer.encode(text)
        assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.encode_markup("a<|m|>") == [*tokenizer.encode("a"), mask]


def test_the_program_s_own_markup_counts(tokenizer: PublishedTokenizer) -> None:
    ids = tokenizer.encode_markup("<|im_start|>user\nthe<|im_end|>")
    assert [tokenizer.is_control(i) for i in ids].count(True) == 2
    assert tokenizer.decode(ids) == "user\nthe"


def test_decoding(tokenizer: PublishedTokenizer) -> None:
    ids = tokenizer.encode("质")
    assert tokenizer.decode(ids[:2]) == "\ufffd"
    assert tokenizer.token_text(ids[0]) == "\ufffd"
    assert tokenizer.decode([]) == ""
    assert tokenizer.decode([tokenizer.special.end_of_text] * 3) == ""
    assert tokenizer.decode([*tokenizer.encode("a"), 10**9, *tokenizer.encode("b")]) == "a\ufffdb"
    with pytest.raises(PromptError, match="-1"):
        tokenizer.decode([-1])


def test_texts_that_are_none(tokenizer: PublishedTokenizer) -> None:
    with pytest.raises(PromptError, match="surrogate"):
        tokenizer.encode("a\ud800")
    with pytest.raises(PromptError, match="surrogate"):
        tokenizer.encode_chat([Segment("user", "\udfff")])
    everything = "".join(map(chr, range(0xFDD0, 0xFDF0)))
    with pytest.raises(PromptError, match="noncharacters"):
        tokenizer.encode_chat([Segment("user", everything)])
    assert tokenizer.decode(tokenizer.encode(everything)) == everything
    ids = tokenizer.encode_chat([Segment("user", everything[:-1] + "<|mask|>")])
    assert everything[:-1] + "<|mask|>" in tokenizer.decode(ids)


# -- files ------------------------------------------------------------------------------------------------------------


def test_without_a_template(tmp_path: Path) -> None:
    settings = {k: v for k, v in SETTINGS.items() if k != "chat_template"}
    tokenizer = PublishedTokenizer.load(write(tmp_path / "m", tokenizer_config__json=settings))
    assert not tokenizer.has_template
    with pytest.raises(PromptError, match="no chat template"):
        tokenizer.encode_chat([Segment("user", "x")])


def test_where_the_template_stands(tmp_path: Path) -> None:
    def first(**files: Any) -> str:
        loaded = PublishedTokenizer.load(write(tmp_path / "m", **files))
        return loaded.decode(loaded.encode_chat([Segment("user", "x")]))

    several = SETTINGS | {
        "chat_template": [{"name": "tool_use", "template": "T"}, {"name": "default", "template": "D"}]
    }
    assert first(tokenizer_config__json=several) == "D"
    assert first(chat_template__json={"chat_template": "J"}) == "J"
    assert first(chat_template__jinja="{{ bos_token }}F") == "F"


def test_what_the_caller_knows_goes_first(folder: Path) -> None:
    special = PublishedTokenizer.load(folder, mask_token_id=7, end_token_ids=(268, 265)).special
    assert special.mask == 7
    assert special.ends == (268, 265)
    assert {7, 265, 268} <= set(special.ids)


def test_generation_config_names_more_ends(tmp_path: Path) -> None:
    folder = write(tmp_path / "m", generation_config__json={"eos_token_id": [268, 265]})
    assert PublishedTokenizer.load(folder).special.ends == (268, 265)


def test_a_mask_that_only_its_looks_give_away(tmp_path: Path) -> None:
    settings = {"eos_token": "<|endoftext|>"}
    folder = write(tmp_path / "m", tokenizer_config__json=settings, config__json={})
    assert PublishedTokenizer.load(folder).special.mask == len(vocabulary()) + 1


@pytest.mark.parametrize("kind", ["Qwen2Tokenizer", "DreamTokenizer"])
def test_two_files_in_the_manner_of_qwen2(tmp_path: Path, kind: str) -> None:
    base = len(vocabulary())
    decoder = {str(base + i): {"content": text, "special": True} for i, text in enumerate(CONTROLS)}
    settings = {**SETTINGS, "tokenizer_class": kind, "added_tokens_decoder": decoder}
    lines = ["#version: 0.2", *(" ".join(pair) for pair in MERGES), ""]
    files = {"vocab__json": vocabulary(), "merges__txt": "\n".join(lines), "tokenizer__json": None}
    folder = write(tmp_path / "m", **files, tokenizer_config__json=settings)
    tokenizer = PublishedTokenizer.load(folder)
    assert tokenizer.special.mask == base + 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import Qwen2Tokenizer

        published = Qwen2Tokenizer(vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"))
    for text in (*TEXTS, "it's 123  a\r\n\n  b", "I'LL THE thé", "你好, world"):
        if "<|" not in text and "<role" not in text:
            assert tokenizer.encode(text) == published.encode(text, add_special_tokens=False)


def refused(folder: Path, words: str) -> None:
    with pytest.raises(CheckpointError, match=words) as caught:
        PublishedTokenizer.load(folder)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_missing_files(tmp_path: Path) -> None:
    refused(write(tmp_path / "a", tokenizer__json=None), "no tokenizer.json")
    refused(write(tmp_path / "b", tokenizer__json=None, vocab__json={}), "tokenizer class")
    qwen = {
        "tokenizer__json": None,
        "vocab__json": {"a": 0},
        "tokenizer_config__json": {"tokenizer_class": "Qwen2Tokenizer"},
    }
    refused(write(tmp_path / "c", **qwen), "merges.txt is missing")
    refused(write(tmp_path / "d", config__json={}, tokenizer_config__json={}), "no end of text")


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_links_out(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text(json.dumps(layout()))
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "added_tokens.json"):
        folder = write(tmp_path / name)
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to("../secret.json")
        refused(folder, "leads out")


SPLIT: dict[str, Any] = {"type": "Split", "behavior": "Isolated", "invert": False}
REPLACE = {"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}


def nested(kind: str, key: str, depth: int, leaf: Any) -> Any:
    for _ in range(depth):
        leaf = {"type": kind, key: [leaf]}
    return leaf


BAD_LAYOUTS: dict[str, tuple[Callable[[], Any], str]] = {
    "text": (lambda: b"x", "not valid JSON"),
    "deep": (lambda: b'{"a":' * 100_000, "deep"),
    "twice": (lambda: b'{"model": {}, "model": {}}', "twice"),
    "too many values": (lambda: b'{"a": [' + b"0," * 3_100_000 + b"0]}", "values"),
    "no model": (lambda: layout(model=None), "not supported"),
    "unigram": (lambda: layout(model={"type": "Unigram", "vocab": []}), "not supported"),
    "no vocabulary": (lambda: layout(model={"type": "BPE", "merges": []}), "no vocabulary"),
    "ids that are texts": (lambda: layout(model={"type": "BPE", "vocab": {"a": "0"}, "merges": []}), "whole numbers"),
    "absurd ids": (lambda: layout(model={"type": "BPE", "vocab": {"a": 1 << 40}, "merges": []}), "whole numbers"),
    "an id twice": (lambda: layout(model={"type": "BPE", "vocab": {"a": 1, "b": 1}, "merges": []}), "two tokens"),
    "dropout": (lambda: layout(model={"type": "BPE", "vocab": vocabulary(), "merges": [], "dropout": 0.5}), "dropout"),
    "odd merges": (lambda: layout(model={"type": "BPE", "vocab": vocabulary(), "merges": [["a"]]}), "can't be loaded"),
    "foreign merges": (
        lambda: layout(model={"type": "BPE", "vocab": vocabulary(), "merges": [["x", "y"]]}),
        "can't be loaded",
    ),
    "added tokens": (lambda: layout(added_tokens={"a": 1}), "malformed"),
    "an empty added token": (lambda: layout(added_tokens=[{"id": 1, "content": ""}]), "malformed"),
    "a long added token": (lambda: layout(added_tokens=[{"id": 1, "content": "x" * 1000}]), "malformed"),
    "an absurd id": (lambda: layout(added_tokens=[{"id": 1 << 60, "content": "x"}]), "malformed"),
    "a taken id": (lambda: layout(added_tokens=[{"id": 3, "content": "<|x|>", "special": True}]), "two tokens"),
    "one character": (
        lambda: layout(added_tokens=[{"id": 5000, "content": "質", "special": True}]),
        "single character",
    ),
    "normalizer": (lambda: layout(normalizer={"type": "Precompiled", "precompiled_charsmap": ""}), "not supported"),
    "growth": (lambda: layout(normalizer={**REPLACE, "content": "a" * 1000}), "at most 4"),
    "chain": (lambda: layout(normalizer={"type": "Sequence", "normalizers": [REPLACE] * 40}), "parts"),
    "short chain": (lambda: layout(normalizer={"type": "Sequence", "normalizers": [REPLACE] * 5}), "three things"),
    "nested": (lambda: layout(normalizer=nested("Sequence", "normalizers", 20, REPLACE)), "not supported"),
    "decoder growth": (lambda: layout(decoder={**REPLACE, "content": "a" * 1000}), "at most 4"),
    "decoder": (lambda: layout(decoder={"type": "CTC"}), "not supported"),
    "first": (lambda: layout(pre_tokenizer={"type": "Metaspace", "prepend_scheme": "first"}), "beginning"),
    "repeated group": (lambda: layout(pre_tokenizer={**SPLIT, "pattern": {"Regex": "(a+)+$"}}), "for ever"),
    "counted group": (lambda: layout(pre_tokenizer={**SPLIT, "pattern": {"Regex": "(?:a|a){1,99}$"}}), "for ever"),
    "reference": (lambda: layout(pre_tokenizer={**SPLIT, "pattern": {"Regex": r"(a)\1"}}), "for ever"),
    "long pattern": (lambda: layout(pre_tokenizer={**SPLIT, "pattern": {"Regex": "a" * 10_000}}), "4096"),
    "broken pattern": (lambda: layout(pre_tokenizer={**SPLIT, "pattern": {"Regex": "(" * 300}}), "can't be loaded"),
}


@pytest.mark.parametrize("name", BAD_LAYOUTS)
def test_hostile_tokenizers_are_one_clear_error(tmp_path: Path, name: str) -> None:
    make, words = BAD_LAYOUTS[name]
    refused(write(tmp_path / "m", tokenizer__json=make()), words)


def test_padding_truncation_and_post_processing_are_the_caller_s(tmp_path: Path) -> None:
    padding = {"strategy": {"Fixed": 10**12}, "direction": "Right", "pad_to_multiple_of": None}
    padding |= {"pad_id": 0, "pad_type_id": 0, "pad_token": "x"}
    truncation = {"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 0}
    folder = write(tmp_path / "m", tokenizer__json=layout(padding=padding, truncation=truncation))
    assert len(PublishedTokenizer.load(folder).encode("a b c")) == 5


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"config__json": {"eos_token_id": -1}}, "special id"),
        ({"config__json": {"eos_token_id": "2"}}, "special id"),
        ({"config__json": {"mask_token_id": 1 << 40, "eos_token_id": 1}}, "special id"),
        ({"config__json": {"eos_token_id": [1, True]}}, "special id"),
        ({"tokenizer_config__json": {"eos_token": 3}}, "no token"),
        ({"tokenizer_config__json": {"eos_token": {"content": "x" * 1000}}}, "no token"),
        ({"tokenizer_config__json": {"added_tokens_decoder": [1]}}, "malformed"),
        ({"tokenizer_config__json": {"added_tokens_decoder": {"x": {"content": "y"}}}}, "malformed"),
        ({"tokenizer_config__json": {"added_tokens_decoder": {"3": {"content": "<|mask|>"}}}}, "disagree"),
        ({"tokenizer_config__json": {**SETTINGS, "chat_template": 3}}, "no text"),
        ({"tokenizer_config__json": {**SETTINGS, "chat_template": "{% include 'x' %}"}}, "Include"),
        ({"chat_template__jinja": "{{ ''|attr('x') }}"}, "attr"),
        ({"chat_template__jinja": b"\xff"}, "UTF-8"),
        ({"chat_template__jinja": "x" * 300_000}, "at most"),
        ({"tokenizer_config__json": b"[" * 100_000}, "deep"),
    ],
)
def test_hostile_files_beside_it(tmp_path: Path, files: dict[str, Any], words: str) -> None:
    refused(write(tmp_path / "m", **files), words)


def test_a_hostile_template_fails_at_the_conversation(tmp_path: Path) -> None:
    folder = write(tmp_path / "m", chat_template__jinja="{{ ''.__class__ }}")
    with pytest.raises(CheckpointError, match="out of bounds"):
        PublishedTokenizer.load(folder).encode_chat([Segment("user", "x")])


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_hostile_tokenizers_take_little_memory(tmp_path: Path) -> None:
    folders = []
    for i, raw in enumerate(
        (
            b'{"a": [' + b"{}," * 20_000_000 + b"{}]}",
            b'{"a": [' + b"[]," * 2_900_000 + b"[]]}",
            b'{"a": "' + b"x" * (63 << 20) + b'"}',
            b"[" * (63 << 20),
        )
    ):
        folders.append(str(write(tmp_path / str(i), tokenizer__json=raw)))
    program = """
        import resource, sys
        from pathlib import Path
        from redraft.errors import CheckpointError
        from redraft.text.published import PublishedTokenizer
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + (600 << 20),) * 2)
        for folder in sys.argv[1:]:
            try:
                PublishedTokenizer.load(Path(folder))
            except CheckpointError as error:
                print("refused", error)
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *folders],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout.count("refused") == len(folders)
