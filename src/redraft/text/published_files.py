"""The files behind a published tokenizer, checked before the tokenizer library sees them.

Padding, truncation and post-processing are dropped: they belong to the caller, and a padding rule may ask for a
terabyte.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from redraft.errors import CheckpointError
from redraft.reading import find_inside, parse_json, read_file
from redraft.text.added_tokens import AddedToken, extra_texts, named_texts, plain_token, read_added_tokens
from redraft.text.pipeline_checks import MAX_ID, read_layout
from redraft.text.qwen2_files import MAX_BYTES, MAX_VALUES, read_qwen2

if TYPE_CHECKING:
    import tokenizers

__all__ = ["TokenizerFiles", "read_tokenizer_files"]

_MAX_CONFIG_BYTES = 4 << 20
_MAX_TEMPLATE_BYTES = 1 << 18


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
        layout = parse_json(read_file(find_inside(folder, path.name), MAX_BYTES), path, max_values=MAX_VALUES)
    else:
        layout = read_qwen2(folder, settings)
    vocabulary = read_layout(layout, path)
    older = _read_optional(folder, "special_tokens_map.json")
    named = named_texts(settings, older, folder)
    marked = {*named.values(), *extra_texts(settings), *extra_texts(older)}
    listed = read_added_tokens(
        layout.pop("added_tokens", None), settings, _read_optional(folder, "added_tokens.json"), path
    )
    # A token with a name is one wherever it stands; some vocabularies hold it among the ordinary ones.
    known = {token.text for token in listed}
    unlisted = [plain_token(text, vocabulary[text]) for text in sorted(marked - known) if text in vocabulary]
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


def _ids(value: Any, folder: Path) -> list[int]:
    """Return one id or a list of them as a list."""
    ids = value if isinstance(value, list) else [] if value is None else [value]
    if any(type(id) is not int or not 0 <= id < MAX_ID for id in ids):
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
