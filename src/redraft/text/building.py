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
from tokenizers import pre_tokenizers, trainers

from redraft.text.phrasings import CHINESE_WORDS
from redraft.text.sample import domains
from redraft.text.special import SPECIAL_TEXTS
from redraft.text.tokenizer import Tokenizer
from redraft.text.vocabulary import MAX_VOCAB_SIZE, layout_of

__all__ = ["BINARY_OPERATORS", "SINGLE_TOKENS", "build", "main"]

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

_LONGEST_TOKEN = 18
"""In bytes. Longer merges would only memorise phrases of the sample."""

_SURE = 3000
"""How often each of ``SINGLE_TOKENS`` is repeated: well above the count of the last pair that still gets a merge."""


def build() -> Tokenizer:
    """Train the vocabulary on the sample and return the finished tokenizer."""
    backend = tokenizers.Tokenizer.from_str(json.dumps(layout_of({}, [])))
    trainer = trainers.BpeTrainer(
        vocab_size=MAX_VOCAB_SIZE - len(SPECIAL_TEXTS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=_LONGEST_TOKEN,
        show_progress=False,
    )
    backend.train_from_iterator(_training_texts(), trainer)
    model = json.loads(backend.to_str())["model"]
    vocabulary = model["vocab"]
    # Entries without a merge that leads to them: no text is ever encoded to one.
    for text in SPECIAL_TEXTS:
        assert text not in vocabulary, f"the special token {text} was merged from ordinary text"
        vocabulary[text] = len(vocabulary)
    layout = layout_of(vocabulary, model["merges"])
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
