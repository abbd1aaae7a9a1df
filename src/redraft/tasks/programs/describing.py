"""A program in one to three sentences: nested nouns, or step after step."""

import random

from redraft.tasks.problem import Language
from redraft.tasks.programs.operations import Kind
from redraft.tasks.programs.program import Program
from redraft.tasks.programs.signature import Signature
from redraft.tasks.programs.wording import KIND_NAMES, noun

__all__ = ["describe", "request_for", "what_it_returns"]

_NESTED: dict[Language, tuple[str, ...]] = {
    "en": (
        "Write a Python function {sig} that takes {kind} and returns {what}.{guard}",
        "Write a Python function {sig} that returns {what}.{guard}",
        "Define {sig} in Python. {arg} is {kind}.{guard} Return {what}.",
        "Write {sig} in Python. It returns {what}.{guard}",
        "I need a Python function {sig}. {arg} is {kind}.{guard} It should return {what}.",
        "Python function {sig}: return {what}.{guard}",
        "Implement {sig} for {kind}.{guard} Return {what}.",
        "def {sig}: return {what}.{guard}",
    ),
    "zh": (
        "写一个 Python 函数 {sig}，参数是{kind}，返回{what}。{guard}",
        "写一个 Python 函数 {sig}，返回{what}。{guard}",
        "用 Python 定义 {sig}，{arg} 是{kind}。{guard}返回{what}。",
        "请实现函数 {sig}：返回{what}。{guard}",
        "实现 {sig}，{arg} 是{kind}，返回{what}。{guard}",
        "Python 函数 {sig}：返回{what}。{guard}",
    ),
}

_STEPWISE: dict[Language, tuple[str, ...]] = {
    "en": (
        "Write a Python function {sig}. {arg} is {kind}.{guard} {steps}",
        "Write a Python function {sig} for {kind}.{guard} {steps}",
        "Define {sig} in Python.{guard} {steps}",
        "Implement {sig}. {steps}{guard}",
    ),
    "zh": (
        "写一个 Python 函数 {sig}，{arg} 是{kind}。{guard}{steps}",
        "用 Python 实现 {sig}。{guard}{steps}",
        "请定义函数 {sig}。{steps}{guard}",
    ),
}

_JOINTS: dict[Language, tuple[tuple[str, str, str, str], ...]] = {
    "en": (
        ("First take ", "; then take ", "; return ", "."),
        ("Take ", ", then ", ", and return ", "."),
        ("Start with ", ". Then take ", ". Return ", "."),
    ),
    "zh": (("先取", "，再取", "，最后返回", "。"), ("第一步求", "；然后求", "；返回", "。")),
}
"""Before the first step, before each further one, before the last one, and after it."""

_RESULT: dict[Language, str] = {"en": "the result", "zh": "上一步结果"}

STEPWISE_SHARE = 0.4
"""Of programs with more than one step."""


def describe(program: Program, signature: Signature, language: Language, rng: random.Random) -> str:
    """Words that ask for a program.

    Args:
        program: What the function does.
        signature: What it and its argument are called.
        language: English or Chinese.
        rng: Chooses the words.

    Returns:
        One to three sentences.
    """
    filled = {
        "sig": str(signature),
        "arg": signature.argument,
        "kind": KIND_NAMES[program.takes][language == "zh"],
        "guard": _guard(program, signature.argument, language),
    }
    if len(program.steps) > 1 and rng.random() < STEPWISE_SHARE:
        steps = _steps(program, signature.argument, language, rng)
        return rng.choice(_STEPWISE[language]).format(**filled, steps=steps)
    what = what_it_returns(program, signature.argument, language, rng)
    return rng.choice(_NESTED[language]).format(**filled, what=what)


def request_for(takes: Kind, signature: Signature, language: Language) -> str:
    """The function and its argument in a few words.

    >>> request_for("ints", Signature("f", "xs"), "en")
    'f(xs) takes a list of integers'
    """
    kind = KIND_NAMES[takes][language == "zh"]
    return f"{signature} takes {kind}" if language == "en" else f"{signature} 的参数是{kind}"


def what_it_returns(program: Program, argument: str, language: Language, rng: random.Random) -> str:
    """All steps as one noun phrase."""
    text = argument if language == "en" else f" {argument} "
    for step in program.steps:
        text = noun(step.operation, step.parts, language=language, source=text, rng=rng)
    return text.strip() if language == "en" else text.replace("  ", " ").rstrip()


def _steps(program: Program, argument: str, language: Language, rng: random.Random) -> str:
    opening, further, last, ending = rng.choice(_JOINTS[language])
    source = argument if language == "en" else f" {argument} "
    pieces = []
    for place, step in enumerate(program.steps):
        joint = opening if place == 0 else further if place < len(program.steps) - 1 else last
        pieces.append(joint + noun(step.operation, step.parts, language=language, source=source, rng=rng))
        source = _RESULT[language]
    return "".join(pieces) + ending


def _guard(program: Program, argument: str, language: Language) -> str:
    if not program.guard:
        return ""
    is_number = program.takes == "number"
    if language == "en":
        return f" If {argument} is {'negative' if is_number else 'empty'}, return {program.guard}."
    return f"如果 {argument} {'是负数' if is_number else '为空'}，返回 {program.guard}。"
