"""The files behind a published tokenizer, checked before the tokenizer library sees them.

The library trusts what it reads: a padding rule may ask for a terabyte, a chain of replacements doubles a text forty
times. So only the parts that the families' tokenizers are made of are taken, and the rest is refused.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from redraft.errors import CheckpointError
from redraft.reading import find_inside, parse_json, read_file

if TYPE_CHECKING:
    import tokenizers

__all__ = ["AddedToken", "TokenizerFiles", "read_tokenizer_files"]

_MAX_BYTES = 64 << 20
"""Gemma's tokenizer.json, the largest of them, has 33 million."""

_MAX_VALUES = 3_000_000
"""Of a tokenizer.json: an entry of the vocabulary counts as two, a merge as three; Gemma's has 2.1 million."""

_MAX_CONFIG_BYTES = 4 << 20
_MAX_TEMPLATE_BYTES = 1 << 18
_MAX_ID = 1 << 22
_MAX_ADDED = 20_000
_MAX_TOKEN_CHARS = 256
_MAX_PATTERN_CHARS = 4096
_MAX_PARTS = 8
_MAX_GROWTH = 4

_QWEN2_CLASSES = ("Qwen2Tokenizer", "Qwen2TokenizerFast", "DreamTokenizer")
"""Tokenizers that are published as vocab.json and merges.txt, and share Qwen2's way to cut a text."""

_QWEN2_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""A fact of the format: it stands in the tokenizer.json of every Qwen2 model."""

_PARTS: Mapping[str, frozenset[str]] = {
    "normalizer": frozenset({"NFC", "NFD", "NFKC", "NFKD", "Replace", "Prepend", "Sequence"}),
    "pre_tokenizer": frozenset({"ByteLevel", "Split", "Digits", "Metaspace", "Sequence"}),
    "decoder": frozenset({"ByteLevel", "Replace", "ByteFallback", "Fuse", "Strip", "Metaspace", "Sequence"}),
}
_LISTS = ("normalizers", "pretokenizers", "decoders")

_CLASS = re.compile(r"\[(?:\\.|[^\]\\])*\]")
_SLOW = re.compile(r"\)(?:[*+]|\{\d*,\d*\}|\{\d{2,}\})|\\[gk1-9]|\(\?[&(]")
"""Repeated groups, references and recursion: what makes a search exponential, and what no published pattern uses."""

_NAMES = ("bos", "eos", "pad", "mask", "unk")


@dataclass(frozen=True, kw_only=True, slots=True)
class AddedToken:
    """A token that is found in a text before anything else is done to it."""

    text: str
    """What it looks like."""
    id: int
    """Its id."""
    is_special: bool
    """Whether it is marked as no text."""
    takes_left: bool
    """Whether it swallows white space before it."""
    takes_right: bool
    """Whether it swallows white space after it."""
    is_single_word: bool
    """Whether it counts only between things that are no letters."""
    is_normalised: bool
    """Whether it is looked for after the text was normalised."""


@dataclass(frozen=True, kw_only=True)
class TokenizerFiles:
    """What the files say."""

    layout: dict[str, Any]
    """Content of tokenizer.json, as the library takes it, added tokens left out."""

    added: tuple[AddedToken, ...]
    """Added tokens, by id."""

    named: dict[str, str]
    """Texts by name, as templates know them: ``bos_token``, ``eos_token``, ``pad_token``, ``mask_token``, ..."""

    ids: dict[str, int]
    """Ids by name, where a configuration gives one: bos, pad, mask."""

    ends: tuple[int, ...]
    """Ids that end an answer, as the configurations say."""

    chat_template: str | None
    """The template's source."""

    vocab_size: int
    """One more than the greatest id."""

    def id_named(self, name: str) -> int | None:
        """Return the id of "bos", "pad" or "mask": from the configuration, else from the token's text."""
        if name in self.ids:
            return self.ids[name]
        text = self.named.get(f"{name}_token")
        return next((token.id for token in self.added if token.text == text), None)

    def build(self, *, control_ids: frozenset[int]) -> "tokenizers.Tokenizer":
        """Make the library's tokenizer.

        Args:
            control_ids: Added tokens that are never to be found in a text.

        Returns:
            The tokenizer.

        Raises:
            CheckpointError: The library refuses the files.
        """
        import tokenizers  # here, because commands that load no model should not pay for it

        model = self.layout["model"]
        entries = [
            {
                "id": token.id,
                "content": token.text,
                "single_word": token.is_single_word,
                "lstrip": token.takes_left,
                "rstrip": token.takes_right,
                "normalized": token.is_normalised,
                "special": token.id in control_ids,
            }
            for token in self.added
        ]
        # An added token keeps its id only if the model's own vocabulary has it; no merge leads to it there.
        vocabulary = model["vocab"] | {token.text: token.id for token in self.added}
        layout = self.layout | {"added_tokens": entries, "model": model | {"vocab": vocabulary}}
        try:
            backend = tokenizers.Tokenizer.from_str(json.dumps(layout, ensure_ascii=False))
        except BaseException as error:  # the library raises plain Exception, and panics that are no Exception
            if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit | MemoryError):
                raise
            reason = " ".join(str(error).split())[:200]
            raise CheckpointError(f"the tokenizer can't be loaded ({reason}); it is damaged") from None
        backend.encode_special_tokens = True
        return backend


def read_tokenizer_files(folder: Path) -> TokenizerFiles:
    """Read what a published folder says of its tokenizer.

    Args:
        folder: The checkpoint.

    Returns:
        The checked content.

    Raises:
        CheckpointError: A file is missing, damaged, absurd, or of a kind that is not supported.
    """
    settings = _read_optional(folder, "tokenizer_config.json")
    path = folder / "tokenizer.json"
    if find_inside(folder, path.name).exists():
        layout = parse_json(read_file(find_inside(folder, path.name), _MAX_BYTES), path, max_values=_MAX_VALUES)
    else:
        layout = _read_qwen2(folder, settings)
    vocabulary = _checked_layout(layout, path)
    older = _read_optional(folder, "special_tokens_map.json")
    named = _named_texts(settings, older, folder)
    marked = {*named.values(), *_extra_texts(settings), *_extra_texts(older)}
    listed = _added_tokens(
        layout.pop("added_tokens", None), settings, _read_optional(folder, "added_tokens.json"), path
    )
    # A token with a name is one wherever it stands; some vocabularies hold it among the ordinary ones.
    known = {token.text for token in listed}
    unlisted = [_plain_token(text, vocabulary[text]) for text in sorted(marked - known) if text in vocabulary]
    added = tuple(replace(t, is_special=t.is_special or t.text in marked) for t in (*listed, *unlisted))
    used: dict[int, str] = {i: text for text, i in vocabulary.items()}
    for token in added:
        if used.setdefault(token.id, token.text) != token.text or vocabulary.get(token.text, token.id) != token.id:
            raise CheckpointError(f"{folder}: its tokenizer gives the id {token.id} to two tokens; it is damaged")
    config, generation = _read_optional(folder, "config.json"), _read_optional(folder, "generation_config.json")
    id_of = {token.text: token.id for token in added}
    ends = [id for source in (generation, config) for id in _ids(source.get("eos_token_id"), folder)]
    eos = named.get("eos_token")
    ends += [id_of[eos]] if eos in id_of else []
    return TokenizerFiles(
        # Padding, truncation and post-processing belong to the caller.
        layout=layout | {"truncation": None, "padding": None, "post_processor": None},
        added=added,
        named=named,
        ids={name: ids[0] for name in ("bos", "pad", "mask") if (ids := _ids(config.get(f"{name}_token_id"), folder))},
        ends=tuple(dict.fromkeys(ends)),
        chat_template=_chat_template(folder, settings),
        vocab_size=max(used, default=-1) + 1,
    )


def _read_optional(folder: Path, name: str) -> dict[str, Any]:
    path = find_inside(folder, name)
    return parse_json(read_file(path, _MAX_CONFIG_BYTES), folder / name) if path.exists() else {}


def _read_qwen2(folder: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the layout that vocab.json and merges.txt stand for."""
    kind = settings.get("tokenizer_class")
    if not find_inside(folder, "vocab.json").exists() or kind not in _QWEN2_CLASSES:
        raise CheckpointError(
            f"{folder} has no tokenizer.json, and its tokenizer class {str(kind)[:80]!r} is not one of "
            f"{', '.join(_QWEN2_CLASSES)}, for which vocab.json and merges.txt are enough"
        )
    path = folder / "vocab.json"
    vocabulary = parse_json(read_file(find_inside(folder, path.name), _MAX_BYTES), path, max_values=_MAX_VALUES)
    try:
        lines = read_file(find_inside(folder, "merges.txt"), _MAX_BYTES).decode().split("\n")
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{folder / 'merges.txt'} is not UTF-8 text") from error
    merges = [line.rstrip("\r").split(" ") for line in lines if line.strip() and not line.startswith("#version")]
    split = {"type": "Split", "pattern": {"Regex": _QWEN2_PATTERN}, "behavior": "Isolated", "invert": False}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    return {
        "version": "1.0",
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]},
        "decoder": byte_level,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": merges},
    }


def _checked_layout(layout: dict[str, Any], path: Path) -> dict[str, int]:
    """Refuse a tokenizer of another kind, and return its vocabulary."""
    model = layout.get("model")
    if not isinstance(model, dict) or model.get("type", "BPE") != "BPE":
        kind = model.get("type") if isinstance(model, dict) else model
        raise CheckpointError(f"{path}: a tokenizer of type {str(kind)[:40]!r} is not supported; BPE is")
    if model.get("dropout"):
        raise CheckpointError(f"{path}: the tokenizer draws its merges at random (dropout), which no prompt should")
    vocabulary, merges = model.get("vocab"), model.get("merges")
    if not isinstance(vocabulary, dict) or not isinstance(merges, list):
        raise CheckpointError(f"{path}: the tokenizer has no vocabulary or no merges")
    if any(type(i) is not int or not 0 <= i < _MAX_ID for i in vocabulary.values()):
        raise CheckpointError(f"{path}: the vocabulary has ids that are not whole numbers in 0 to {_MAX_ID - 1}")
    if len(set(vocabulary.values())) != len(vocabulary):
        raise CheckpointError(f"{path}: the vocabulary gives an id to two tokens")
    model["type"] = "BPE"  # older files leave it out
    for name in _PARTS:
        _check_part(layout.get(name), name, path)
    return vocabulary


def _check_part(part: Any, name: str, path: Path, depth: int = 0) -> None:
    """Refuse a step of the pipeline that the families' tokenizers don't need, or that makes much out of little."""
    if part is None:
        return
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(kind, str) or kind not in _PARTS[name] or depth > 2:
        raise CheckpointError(f"{path}: a {name} of type {str(kind)[:40]!r} is not supported")
    inside = next((part[key] for key in _LISTS if key in part), [])
    if not isinstance(inside, list) or len(inside) > _MAX_PARTS:
        raise CheckpointError(f"{path}: its {name} is malformed or has more than {_MAX_PARTS} parts")
    for item in inside:
        _check_part(item, name, path, depth + 1)
    if sum(isinstance(item, dict) and item.get("type") in ("Replace", "Prepend") for item in inside) > 3:
        raise CheckpointError(f"{path}: its {name} replaces more than three things")
    added = part.get("content") if kind == "Replace" else part.get("prepend") if kind == "Prepend" else ""
    if not isinstance(added, str) or len(added) > _MAX_GROWTH:
        raise CheckpointError(
            f"{path}: its {name} puts in {str(added)[:40]!r}; at most {_MAX_GROWTH} characters are allowed"
        )
    if part.get("prepend_scheme") == "first":
        raise CheckpointError(f"{path}: its {name} treats the beginning of a text differently, which is not supported")
    pattern = part.get("pattern")
    pattern = next(iter(pattern.values()), "") if isinstance(pattern, dict) else pattern
    is_expression = isinstance(part.get("pattern"), dict) and "Regex" in part["pattern"]
    if pattern is not None and (not isinstance(pattern, str) or not 0 < len(pattern) <= _MAX_PATTERN_CHARS):
        raise CheckpointError(f"{path}: a pattern of its {name} is no text of 1 to {_MAX_PATTERN_CHARS} characters")
    if is_expression and pattern is not None and _SLOW.search(_CLASS.sub("x", pattern)):
        raise CheckpointError(
            f"{path}: a pattern of its {name} can take for ever; no published model has one of its kind"
        )


def _added_tokens(
    listed: Any, settings: Mapping[str, Any], older: Mapping[str, Any], path: Path
) -> tuple[AddedToken, ...]:
    """Return the added tokens of tokenizer.json, and what only the files beside it know."""
    listed = [] if listed is None else listed
    decoder = settings.get("added_tokens_decoder") or {}
    if not isinstance(listed, list) or not isinstance(decoder, dict) or len(listed) + len(decoder) > 2 * _MAX_ADDED:
        raise CheckpointError(f"{path}: its added tokens are malformed or more than {_MAX_ADDED}")
    entries = [entry if isinstance(entry, dict) else {} for entry in listed]
    entries += [{**entry, "id": _whole(key)} for key, entry in decoder.items() if isinstance(entry, dict)]
    entries += [{"content": text, "id": id, "normalized": False} for text, id in older.items()]
    tokens: dict[str, AddedToken] = {}
    for entry in entries:
        text, id = entry.get("content"), entry.get("id")
        if (
            not isinstance(text, str)
            or not 0 < len(text) <= _MAX_TOKEN_CHARS
            or type(id) is not int
            or not 0 <= id < _MAX_ID
        ):
            raise CheckpointError(f"{path}: the added token {str(text)[:40]!r} with id {str(id)[:40]} is malformed")
        flags = {key: bool(entry.get(key)) for key in ("special", "lstrip", "rstrip", "single_word", "normalized")}
        token = AddedToken(
            text=text,
            id=id,
            is_special=flags["special"] or (text in tokens and tokens[text].is_special),
            takes_left=flags["lstrip"],
            takes_right=flags["rstrip"],
            is_single_word=flags["single_word"],
            is_normalised=flags["normalized"],
        )
        if text in tokens and tokens[text].id != id:
            raise CheckpointError(f"{path} and the files beside it disagree about the id of {text[:80]!r}")
        tokens[text] = tokens.get(text, token) if not flags["special"] else token
    return tuple(sorted(tokens.values(), key=lambda token: token.id))


def _plain_token(text: str, id: int) -> AddedToken:
    flags = dict.fromkeys(("is_special", "takes_left", "takes_right", "is_single_word", "is_normalised"), False)
    return AddedToken(text=text, id=id, **flags)


def _extra_texts(settings: Mapping[str, Any]) -> set[str]:
    """Return the texts that a configuration lists as special without giving them a name."""
    found: set[str] = set()
    for key in ("additional_special_tokens", "extra_special_tokens"):
        listed = settings.get(key)
        for value in listed.values() if isinstance(listed, dict) else listed if isinstance(listed, list) else ():
            text = value.get("content") if isinstance(value, dict) else value
            if isinstance(text, str) and 0 < len(text) <= _MAX_TOKEN_CHARS:
                found.add(text)
    return found


def _whole(key: Any) -> int:
    return int(key) if isinstance(key, str) and key.isascii() and key.isdecimal() and len(key) < 10 else -1


def _named_texts(settings: Mapping[str, Any], older: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Return the texts of the tokens that have a name."""
    named: dict[str, str] = {}
    for name in (f"{name}_token" for name in _NAMES):
        value = settings.get(name, older.get(name))
        text = value.get("content") if isinstance(value, dict) else value
        if text is None:
            continue
        if not isinstance(text, str) or not 0 < len(text) <= _MAX_TOKEN_CHARS:
            raise CheckpointError(f"{folder / 'tokenizer_config.json'}: its {name} {str(text)[:40]!r} is no token")
        named[name] = text
    return named


def _ids(value: Any, folder: Path) -> list[int]:
    """Return one id or a list of them as a list."""
    ids = value if isinstance(value, list) else [] if value is None else [value]
    if any(type(id) is not int or not 0 <= id < _MAX_ID for id in ids):
        raise CheckpointError(f"{folder}: its configuration has the special id {str(value)[:80]}, which is none")
    return ids


def _chat_template(folder: Path, settings: Mapping[str, Any]) -> str | None:
    """Return the template: chat_template.jinja goes before chat_template.json and tokenizer_config.json."""
    path = find_inside(folder, "chat_template.jinja")
    if path.exists():
        try:
            return read_file(path, _MAX_TEMPLATE_BYTES).decode()
        except UnicodeDecodeError as error:
            raise CheckpointError(f"{folder / path.name} is not UTF-8 text") from error
    value = _read_optional(folder, "chat_template.json").get("chat_template", settings.get("chat_template"))
    if isinstance(value, list):  # several, of which "default" is for conversations without tools
        named = {entry.get("name"): entry.get("template") for entry in value if isinstance(entry, dict)}
        value = named.get("default")
    if value is not None and not isinstance(value, str):
        raise CheckpointError(f"{folder / 'tokenizer_config.json'}: its chat template is no text")
    return value
