"""The training sample of the tokenizer: planned, generated here, or read from the standard library (PSF licence).

A vocabulary of 2,048 entries has room for what is frequent only, so each domain is sized by how many entries it should
win, not by how much text of it exists.
"""

import ast
import importlib.util
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from redraft.text.phrasings import (
    CHINESE_WORDS,
    EDIT_INSTRUCTIONS,
    ENGLISH_SENTENCES,
    ENGLISH_WORDS,
    HTML_TEMPLATES,
    MATHS_QUESTIONS,
    PYTHON_TEMPLATES,
)

__all__ = ["domains"]

_MODULES = (
    "argparse", "base64", "bisect", "calendar", "cmd", "collections", "colorsys", "configparser", "contextlib",
    "copy", "csv", "dataclasses", "datetime", "difflib", "fnmatch", "fractions", "functools", "glob", "graphlib",
    "heapq", "html.parser", "json.decoder", "json.encoder", "linecache", "logging", "nturl2path", "numbers",
    "operator", "pprint", "queue", "quopri", "random", "reprlib", "sched", "shlex", "shutil", "statistics",
    "string", "tempfile", "textwrap", "threading", "timeit", "unittest.case", "urllib.parse", "zipfile",
)  # fmt: skip
"""Readable code, most of it without tables of data."""

_MANUAL = "pydoc_data.topics"
"""The language reference as the interpreter's ``help`` shows it: a long English text."""


def domains() -> dict[str, list[str]]:
    """Return the texts of each domain: maths, html, json, python and english.

    Chinese has no sample beyond the questions of maths: with so little room, a list of words serves it better.
    """
    makers: dict[str, tuple[Callable[[random.Random], str], int]] = {
        "maths": (_maths_example, 4000),
        "html": (_html_example, 1400),
        "json": (_json_example, 800),
        "python": (_python_example, 1000),
        "english": (_english_example, 6000),
    }
    texts: dict[str, list[str]] = {}
    for name, (make, count) in makers.items():
        rng = random.Random(name)
        texts[name] = [make(rng) for _ in range(count)]
    sources = [_python_source(module) for module in _MODULES]
    texts["python"] += sources
    texts["english"] += [text for source in sources for text in _docstrings(source)]
    texts["english"] += _manual_pages()
    return texts


def _python_source(module: str) -> str:
    """Return the source of a module of the standard library."""
    spec = importlib.util.find_spec(module)
    assert spec is not None, f"the standard library has no module {module}"
    assert spec.origin is not None, f"the module {module} has no source file"
    return Path(spec.origin).read_text(encoding="utf-8")


def _docstrings(source: str) -> Iterator[str]:
    """Yield the docstrings of a Python source."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield text


def _manual_pages() -> list[str]:
    """Return the pages of the language reference."""
    for node in ast.walk(ast.parse(_python_source(_MANUAL))):
        if isinstance(node, ast.Dict):
            return [ast.literal_eval(page) for page in node.values]
    raise AssertionError(f"{_MANUAL} holds no pages")


def _expression(rng: random.Random, depth: int, ascii_only: bool) -> str:
    """Return a nested arithmetic expression; its value does not matter here."""
    if depth == 0:
        return str(rng.randrange(10 ** rng.randint(1, 3)))
    kind = rng.randrange(8)
    inner = _expression(rng, depth - 1, ascii_only)
    if kind == 0:
        return f"sqrt({inner})" if ascii_only else f"√({inner})"
    if kind == 1:
        return f"({inner})" + rng.choice(("^2", "**2", "^3") if ascii_only else ("²", "³"))
    operator = rng.choice("+-*/" if ascii_only else "+−×÷-/·")
    space = rng.choice(("", " ", " "))
    return f"({inner}{space}{operator}{space}{_expression(rng, depth - 1, ascii_only)})"


def _maths_example(rng: random.Random) -> str:
    """Return a question in English or Chinese with a few lines of derivation."""
    ascii_only = rng.random() < 0.5
    low = rng.randrange(500)
    slots = {
        "expression": _expression(rng, rng.randint(1, 3), ascii_only),
        "low": str(low),
        "high": str(low + rng.randrange(200)),
    }
    lines = [rng.choice(MATHS_QUESTIONS).format(**slots)]
    lines += [f"{_expression(rng, 1, ascii_only)} = {rng.randrange(1000)}" for _ in range(rng.randrange(4))]
    return "\n".join(lines)


def _fill(template: str, rng: random.Random) -> str:
    """Put a word into each ``{w}``, a number into each ``{n}`` and a Chinese word into each ``{z}``."""
    for slot, choose in (
        ("{w}", lambda: rng.choice(ENGLISH_WORDS)),
        ("{n}", lambda: str(rng.randrange(1000))),
        ("{z}", lambda: rng.choice(CHINESE_WORDS)),
    ):
        while slot in template:
            template = template.replace(slot, choose(), 1)
    return template


def _html_example(rng: random.Random) -> str:
    """Return a snippet of a page."""
    return _fill("\n".join(rng.sample(HTML_TEMPLATES, 3)), rng)


def _python_example(rng: random.Random) -> str:
    """Return a small function as a model is asked to write or to repair it."""
    return _fill(rng.choice(PYTHON_TEMPLATES), rng)


def _json_example(rng: random.Random) -> str:
    """Return a JSON object."""
    record = {rng.choice(ENGLISH_WORDS): _json_value(rng, 2) for _ in range(rng.randint(2, 5))}
    return json.dumps(record, ensure_ascii=False, indent=rng.choice((None, 2, 4)))


def _json_value(rng: random.Random, depth: int) -> object:
    kind = rng.randrange(6 if depth else 4)
    if kind == 0:
        return rng.choice((True, False, None))
    if kind == 1:
        return rng.randrange(1000)
    if kind in (2, 3):
        return " ".join(rng.choice(ENGLISH_WORDS) for _ in range(rng.randint(1, 3)))
    if kind == 4:
        return [_json_value(rng, depth - 1) for _ in range(rng.randint(1, 3))]
    return {rng.choice(ENGLISH_WORDS): _json_value(rng, depth - 1) for _ in range(rng.randint(1, 3))}


def _english_example(rng: random.Random) -> str:
    """Return an instruction, or a plain sentence."""
    sentence = _fill(rng.choice(ENGLISH_SENTENCES), rng)
    if rng.random() < 0.3:
        return f"{_fill(rng.choice(EDIT_INSTRUCTIONS), rng)}\n\n{sentence}"
    return sentence
