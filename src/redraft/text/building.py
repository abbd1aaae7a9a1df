"""Builds ``tokenizer.json``: ``python -m redraft.text.building OUT.json``.

Deterministic, and without network. Two runs on one Python give the same bytes; a part of the training sample is the
standard library of the running interpreter, so another Python may give slightly other merges. The file that is
committed is the one that counts: a model belongs to the tokenizer it was trained with.
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

import tokenizers
from tokenizers import Regex, decoders, models, pre_tokenizers, trainers

from redraft.text.phrasings import CHINESE_WORDS
from redraft.text.sample import domains
from redraft.text.special import SPECIAL_TEXTS
from redraft.text.tokenizer import MAX_VOCAB_SIZE, Tokenizer

__all__ = ["BINARY_OPERATORS", "PIECE_PATTERN", "SINGLE_TOKENS", "build", "main"]

BINARY_OPERATORS = "+-−*×/÷=^·"
"""One symbol each; with the one space that may stand on either side they are still one token."""

BARE_SYMBOLS = "()√²³"
"""One symbol each, never merged with anything."""

SINGLE_TOKENS: tuple[str, ...] = (
    *BINARY_OPERATORS,
    *(f" {operator} " for operator in BINARY_OPERATORS),
    *BARE_SYMBOLS,
    *("**", " ** ", "//", " // ", "==", " == ", "()", "):", "->", " -> ", "</", "/>", " />"),
    *("\n", "\r\n", "\n    ", "\n        ", ", ", ",", ": ", ":", " ", "sqrt", " sqrt"),
    *"，。？！：；、（）《》“”",
    *CHINESE_WORDS,
)
"""Each of these is exactly one token, whatever else the sample holds."""

_BINARY = r"+\-−*×/÷=^·"
_BARE = r"()√²³"
_LETTER = r"[\p{L}\p{M}&&[^\p{Han}\p{Hiragana}\p{Katakana}]]"
_PUNCTUATION = rf"[^\s\p{{L}}\p{{M}}0-9<{_BINARY}{_BARE}]"
PIECE_PATTERN = "|".join(
    (
        r"[0-9]",
        # Operators of programs, and marks of HTML and of addresses, that maths does not use.
        r" ?(?:\*\*|//|->|[=!<>+\-*/]=) ?",
        r" ?/>|://|\(\)|\):",
        rf" ?[{_BINARY}] ?",
        rf"[{_BARE}]",
        # In a list of numbers the space belongs to the comma; before a word it belongs to the word.
        r"[,:] (?!\p{L})",
        r"\r?\n[ \t]{0,32}",
        rf"(?: |[._]|</?)?{_LETTER}{{1,32}}",
        r"[\p{Han}\p{Hiragana}\p{Katakana}]{1,32}",
        r"<[!?/]?",
        rf" ?{_PUNCTUATION}{{1,16}}",
        r"[ \t]{1,32}(?!\S)",
        r"\s",
    )
)
"""Cuts a text into pieces; tokens never cross a cut. Every repetition is bounded, so that no text is slow."""

_LONGEST_TOKEN = 18
"""In bytes. Longer merges would only memorise phrases of the sample."""

_SURE = 3000
"""How often each of ``SINGLE_TOKENS`` is repeated: well above the count of the last pair that still gets a merge."""


def build() -> Tokenizer:
    """Train the vocabulary on the sample and return the finished tokenizer."""
    backend = tokenizers.Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECE_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=MAX_VOCAB_SIZE - len(SPECIAL_TEXTS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=_LONGEST_TOKEN,
        show_progress=False,
    )
    backend.train_from_iterator(_training_texts(), trainer)
    layout = json.loads(backend.to_str())
    vocabulary = layout["model"]["vocab"]
    # Entries without a merge that leads to them: no text is ever encoded to one.
    for text in SPECIAL_TEXTS:
        assert text not in vocabulary, f"the special token {text} was merged from ordinary text"
        vocabulary[text] = len(vocabulary)
    return Tokenizer.from_json(json.dumps(layout, ensure_ascii=False, indent=1) + "\n")


def _training_texts() -> Iterable[str]:
    """Yield the sample, and every must-be-single token often enough to outrank all doubtful merges."""
    for token in SINGLE_TOKENS:
        yield from [token] * _SURE
    for texts in domains().values():
        yield from texts


def main(arguments: list[str] | None = None) -> None:
    """Write the tokenizer to the file that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m redraft.text.building", description="Build tokenizer.json.")
    parser.add_argument("out", type=Path, help="file to write")
    tokenizer = build()
    path = parser.parse_args(arguments).out
    tokenizer.save(path)
    print(f"{path}: {tokenizer.vocab_size} entries")


if __name__ == "__main__":
    main()
