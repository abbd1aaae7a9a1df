"""Each operation as a noun, in English and Chinese: ``@`` is what it works on, ``{0}`` a part, ``|`` divides choices.

Nouns stand in each other ("the sum of the squares of ...") or follow one another ("take ..., then ... of the result").
"""

import random

from redraft.tasks.problem import Language
from redraft.tasks.programs.dict_words import DICT_WORDS
from redraft.tasks.programs.expressions import Reading
from redraft.tasks.programs.list_words import NUMBER_LIST_WORDS, WORD_LIST_WORDS
from redraft.tasks.programs.operations import Kind, Operation
from redraft.tasks.programs.scalar_words import NUMBER_WORDS, TEXT_WORDS

__all__ = ["KIND_NAMES", "noun"]

KIND_NAMES: dict[Kind, tuple[str, str]] = {
    "ints": ("a list of integers", "整数列表"),
    "words": ("a list of strings", "字符串列表"),
    "text": ("a string", "字符串"),
    "number": ("an integer", "整数"),
    "counts": ("a dict from strings to integers", "从字符串到整数的字典"),
}
"""What an argument is."""

_WORDS: dict[Kind, dict[str, tuple[str, str]]] = {
    "ints": NUMBER_LIST_WORDS,
    "words": WORD_LIST_WORDS,
    "text": TEXT_WORDS,
    "number": NUMBER_WORDS,
    "counts": DICT_WORDS,
}

_EACH: dict[Kind, tuple[str, str]] = {
    "ints": ("each number", "每个数"),
    "words": ("each word", "每个词"),
    "text": ("each character", "每个字符"),
    "number": ("@", "@"),
    "counts": ("each value", "每个值"),
}

_EACH_OF_RANGE = ("the number", "该数")


def noun(operation: Operation, parts: str, *, language: Language, source: str, rng: random.Random) -> str:
    """What an operation makes of a source, in words.

    Args:
        operation: The operation.
        parts: Its parts, spelled.
        language: English or Chinese.
        source: What it works on, in the same language.
        rng: Chooses between wordings.

    Returns:
        A noun phrase.
    """
    index = int(language == "zh")
    text = rng.choice(_WORDS[operation.takes][operation.name][index].split(" | "))
    each = (_EACH_OF_RANGE if operation.variable == "i" else _EACH[operation.takes])[index].replace("@", source)
    for place, part in enumerate(operation.readings(parts)):
        words = part.words(language, each) if isinstance(part, Reading) else part
        if operation.variable == "@" and language == "en":
            # A test of the one number that there is.
            words = words.replace("are ", "is ", 1) if words.startswith("are ") else words
        text = text.replace(f"{{{place}}}", words)
    return text.replace("@", source)
