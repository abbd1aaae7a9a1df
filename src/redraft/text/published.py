"""The tokenizer of a published checkpoint: ``tokenizer.json`` or Qwen2's two files, special tokens, chat template.

What a user types is text. A published tokenizer would turn ``<|im_end|>`` in it into the token that ends a turn; here
such a *control* token comes from the checkpoint's own template only:

- ``encode`` never yields one;
- ``encode_chat`` breaks control texts in the messages with a character that no text has, renders the template, cuts the
  result at the control texts that are still whole, takes the character out again and encodes what lies between.

Around that the ids are those of the published pipeline. Control tokens are those that are marked as special, those that
a configuration names (mask, ends, padding), and those that look like ``<|...|>``.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from redraft.errors import CheckpointError, PromptError
from redraft.text.added_tokens import AddedToken
from redraft.text.chat import Segment
from redraft.text.published_files import TokenizerFiles, read_tokenizer_files
from redraft.text.published_special import PublishedSpecial, read_special
from redraft.text.template import ChatTemplate

if TYPE_CHECKING:
    import tokenizers

__all__ = ["PublishedTokenizer"]

_BREAKS = tuple(map(chr, range(0xFDD0, 0xFDF0)))
"""Unicode's noncharacters, which no text may carry between programs."""

_NEVER_WHOLE = 64
"""Attempts to keep a vocabulary from spelling a control token with ordinary merges; one is enough for any real one."""


class PublishedTokenizer:
    """Encodes text and conversations for a published model and decodes what it says.

    Made by ``load``.
    """

    def __init__(self, files: TokenizerFiles, backend: "tokenizers.Tokenizer", special: PublishedSpecial) -> None:
        self._backend = backend
        self._special = special
        self._is_control = frozenset(special.ids)
        self._text_of = {token.id: token.text for token in files.added if token.id in self._is_control}
        self._named = files.named
        self._size = files.vocab_size
        controls = sorted((t for t in files.added if t.id in self._is_control), key=lambda t: -len(t.text))
        self._id_of = {token.text: token.id for token in controls}
        self._whole = re.compile("|".join(map(_pattern_of, controls)) or r"(?!)")
        self._broken = re.compile("|".join(re.escape(token.text) for token in controls) or r"(?!)", re.IGNORECASE)
        self._heads = {text[:size] for text in self._id_of for size in range(1, len(text))}
        self._tails = {text[size:] for text in self._id_of for size in range(1, len(text))}
        self._longest = max(map(len, self._id_of), default=0)
        self._template = None if files.chat_template is None else ChatTemplate(files.chat_template)

    @classmethod
    def load(
        cls, folder: Path, *, mask_token_id: int | None = None, end_token_ids: Sequence[int] = ()
    ) -> "PublishedTokenizer":
        """Read the tokenizer of a published folder.

        Args:
            folder: The checkpoint.
            mask_token_id: The mask, where the model's family knows it; None to ask the folder.
            end_token_ids: What ends an answer, likewise; empty to ask the folder.

        Returns:
            The tokenizer.

        Raises:
            CheckpointError: A file is missing, damaged, absurd, or of a kind that is not supported.
            DependencyError: There is a chat template, and Jinja is not installed.
        """
        files = read_tokenizer_files(folder)
        special = read_special(files, mask_token_id, end_token_ids, folder)
        backend = files.build(control_ids=frozenset(special.ids))
        tokenizer = cls(files, backend, special)
        wrong = next((t for t in files.added if backend.token_to_id(t.text) != t.id), None)
        if wrong is not None:
            raise CheckpointError(
                f"{folder}: its tokenizer can't give {wrong.text[:80]!r} the id {wrong.id}; it is damaged"
            )
        return tokenizer

    @property
    def vocab_size(self) -> int:
        """One more than the greatest id. A model may score more, as padding of its matrices."""
        return self._size

    @property
    def special(self) -> PublishedSpecial:
        """The ids of the tokens that are no text."""
        return self._special

    @property
    def has_template(self) -> bool:
        """Whether the checkpoint says how a conversation is written."""
        return self._template is not None

    def is_control(self, token_id: int) -> bool:
        """Whether an id is no text: decoded to nothing, never encoded from a user's words."""
        return token_id in self._is_control

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text; never one of a control token, whatever the text spells.

        Args:
            text: Any text, the empty one included.

        Returns:
            Ids of ordinary tokens.

        Raises:
            PromptError: The text has a lone surrogate, or this tokenizer fails on it.
        """
        _refuse_surrogates(text)
        ids = self._encode(text)
        for attempt in range(_NEVER_WHOLE):
            if self._is_control.isdisjoint(ids):
                return ids
            # The vocabulary itself spells a control token: cut the text inside, so that it can't.
            cuts = sorted({m.start() + 1 + attempt % max(len(m[0]) - 1, 1) for m in self._broken.finditer(text)})
            parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
            ids = [token for part in parts for token in self._encode(part)]
        raise PromptError("the text spells a control token of this model in a way that can't be written as plain text")

    def encode_chat(
        self, segments: Iterable[Segment], *, add_generation_prompt: bool = True, **variables: str | bool
    ) -> list[int]:
        """Return the ids of a conversation, as the checkpoint's chat template writes it.

        Args:
            segments: The turns; control tokens that are spelled in them stay text.
            add_generation_prompt: Whether the answer's opening is written at the end.
            **variables: Switches that the template knows, ``enable_thinking`` for example.

        Returns:
            The ids.

        Raises:
            PromptError: There is no template, it refuses the conversation, or a text is no valid Unicode.
            CheckpointError: The template is damaged or hostile.
        """
        if self._template is None:
            raise PromptError("this model has no chat template; give it a plain text to go on from")
        turns = [{"role": segment.role, "content": segment.text} for segment in segments]
        for turn in turns:
            _refuse_surrogates(turn["content"])
        everything = self._template.source + "".join(turn["content"] for turn in turns)
        mark = next((mark for mark in _BREAKS if mark not in everything), None)
        if mark is None:
            raise PromptError("the conversation holds every one of Unicode's 32 noncharacters; leave one of them out")
        for turn in turns:
            turn["content"] = self._disarm(turn["content"], mark)
        known: dict[str, Any] = {**self._named, "tools": None, "documents": None, **variables}
        text = self._template.render(turns, add_generation_prompt=add_generation_prompt, **known)
        return self._encode_around(text, mark)

    def encode_markup(self, text: str) -> list[int]:
        """Return the ids of a text in which control texts count; never for what a user typed.

        Args:
            text: A text of the program's own, such as a hand-written template.

        Returns:
            The ids.
        """
        _refuse_surrogates(text)
        return self._encode_around(text, mark="")

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of some ids: control tokens read as nothing, ids that mean nothing as U+FFFD.

        Args:
            ids: Token ids.

        Returns:
            The text.

        Raises:
            PromptError: An id is below zero.
        """
        pieces: list[str] = []
        run: list[int] = []
        for token_id in ids:
            if token_id < 0:
                raise PromptError(f"token id {token_id} is not in the vocabulary; ids start at 0")
            if token_id in self._is_control:
                continue
            if token_id >= self._size or self._backend.id_to_token(token_id) is None:
                pieces += [self._decode(run), "\ufffd"]
                run = []
            else:
                run.append(token_id)
        return "".join([*pieces, self._decode(run)])

    def token_text(self, token_id: int) -> str:
        """Return what one token reads as: its text, or the name of a control token.

        Args:
            token_id: An id of the vocabulary.

        Returns:
            The text.
        """
        if token_id in self._is_control:
            return self._text_of.get(token_id) or self._backend.id_to_token(token_id) or f"<{token_id}>"
        return self.decode([token_id])

    def _disarm(self, text: str, mark: str) -> str:
        """Put the mark where a control text stands, and where one could begin or end beyond the message."""
        # Between all characters and behind the last: control texts may overlap or hold each other.
        text = self._broken.sub(lambda match: mark.join(match[0]) + mark, text)
        body = text.strip()  # a template may trim, and must still find the white space at the ends
        start = text.find(body)
        if any(body[:size] in self._tails for size in range(1, self._longest)):
            body = mark + body
        if any(body[-size:] in self._heads for size in range(1, self._longest)):
            body += mark
        return text[:start] + body + text[start + len(text.strip()) :]

    def _encode_around(self, text: str, mark: str) -> list[int]:
        """Return the ids of a text that is cut at its control texts; ``mark`` is taken out after the cutting."""
        ids: list[int] = []
        place = 0
        for match in self._whole.finditer(text):
            ids += self.encode(_without(text[place : match.start()], mark))
            ids.append(self._id_of[match[0].strip()] if match[0] not in self._id_of else self._id_of[match[0]])
            place = match.end()
        return ids + self.encode(_without(text[place:], mark))

    def _encode(self, text: str) -> list[int]:
        return self._guarded(lambda: self._backend.encode(text, add_special_tokens=False).ids) if text else []

    def _decode(self, ids: list[int]) -> str:
        return self._guarded(lambda: self._backend.decode(ids, skip_special_tokens=False)) if ids else ""

    @staticmethod
    def _guarded(work: Any) -> Any:
        """Run the library; its panics are no Exception, and become an error like any other."""
        try:
            return work()
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit | MemoryError):
                raise
            reason = " ".join(str(error).split())[:200]
            raise PromptError(
                f"this model's tokenizer fails on the text ({reason}); its patterns may be damaged"
            ) from None


def _pattern_of(token: AddedToken) -> str:
    """Return the expression that finds a control token, with the white space that it swallows."""
    edge = r"(?<!\w)", r"(?!\w)"
    before, after = edge if token.is_single_word else ("", "")
    left, right = r"\s*" if token.takes_left else "", r"\s*" if token.takes_right else ""
    return f"{left}{before}{re.escape(token.text)}{after}{right}"


def _without(text: str, mark: str) -> str:
    return text.replace(mark, "") if mark else text


def _refuse_surrogates(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise PromptError(
            f"the text has a lone surrogate (U+{ord(text[error.start]):04X}) at character {error.start}, which is "
            "not valid Unicode; remove it, or read the file with the encoding that it was written in"
        ) from error
