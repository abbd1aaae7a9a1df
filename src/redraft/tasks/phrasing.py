"""The words around a problem, in English and Chinese; they tell whether answer or derivation comes first.

Each list is written for this project. ``{e}`` is an expression, ``{list}`` several of them, ``{low}`` and ``{high}``
are bounds, both included. The lists of the longer puzzles are in ``puzzle_phrasing``.
"""

import random

from redraft.tasks.problem import Language, Order, Problem
from redraft.text.slots import Field

__all__ = ["ARITHMETIC", "LARGEST", "PRIMES", "Phrasings", "phrased"]

Phrasings = dict[tuple[Order, Language], tuple[str, ...]]
"""Templates by order and language."""

ARITHMETIC: Phrasings = {
    ("answer_first", "en"): (
        "What is {e}?",
        "{e}",
        "{e} = ?",
        "Compute {e}.",
        "Calculate {e}",
        "Evaluate {e}.",
        "How much is {e}?",
        "Work out {e}.",
        "Find the value of {e}.",
        "Solve {e}. Answer first, then the steps.",
        "Compute {e}. Give the answer first, then the steps.",
        "What is {e}? Answer first.",
        "Please calculate {e}.",
        "What does {e} equal?",
        "what is {e}",
        "compute {e}, the answer first, then the steps",
    ),
    ("answer_first", "zh"): (
        "计算 {e}",
        "{e} 等于多少？",
        "{e} 是多少？",
        "求 {e} 的值。",
        "请计算 {e}。",
        "计算 {e}，先给出答案，再写步骤。",
        "{e} 的结果是几？",
        "请先给出 {e} 的答案，再列出步骤。",
        "算一算：{e}",
    ),
    ("derivation_first", "en"): (
        "Show the steps first, then the answer: {e}",
        "Compute {e} step by step, then give the answer.",
        "Work out {e}. Steps first, answer last.",
        "What is {e}? Show the steps, then the answer.",
    ),
    ("derivation_first", "zh"): (
        "先写步骤，再给出答案：{e}",
        "一步一步计算 {e}，最后给出答案。",
        "计算 {e}，先列出步骤，答案写在最后。",
    ),
}
"""For ``arithmetic``."""

LARGEST: Phrasings = {
    ("answer_first", "en"): (
        "Which is the largest: {list}?",
        "Largest of {list}",
        "Find the largest value: {list}. Answer first.",
        "What is the largest of {list}? Then work out each.",
        "max: {list}",
        "Give the largest result first, then each one: {list}",
        "which is the largest: {list}",
    ),
    ("answer_first", "zh"): (
        "哪个最大：{list}？",
        "求最大值：{list}",
        "{list} 中最大的是多少？先给出答案。",
        "先写出最大的结果，再逐个计算：{list}",
    ),
    ("derivation_first", "en"): (
        "Work out each, then give the largest: {list}",
        "Each result first, then the largest: {list}",
    ),
    ("derivation_first", "zh"): (
        "逐个计算，最后写出最大的结果：{list}",
        "先计算每一个，再给出最大值：{list}",
    ),
}
"""For ``largest``."""

PRIMES: Phrasings = {
    ("answer_first", "en"): (
        "How many primes are there between {low} and {high}? Give the count first, then the list.",
        "How many primes between {low} and {high}? The count first, then the list.",
        "Count the primes from {low} to {high}, then list them.",
        "Primes from {low} to {high}: count, then list.",
        "How many prime numbers lie between {low} and {high}, inclusive?",
        "Count and list the primes between {low} and {high}.",
        "Give the number of primes from {low} to {high}, then the primes.",
        "How many primes are in [{low}, {high}]?",
        "Number of primes between {low} and {high}, and which ones?",
        "Tell me how many primes there are from {low} to {high} and list them.",
        "Between {low} and {high}, how many numbers are prime?",
        "primes {low} {high}",
        "how many primes between {low} and {high}? the count first, then the list",
        "how many primes are there between {low} and {high}?",
        "count the primes from {low} to {high}",
        "How many primes are between {low} and {high}? Answer first, then list them.",
    ),
    ("answer_first", "zh"): (
        "{low} 和 {high} 之间有多少个质数？先给出个数，再列出。",
        "{low} 到 {high} 之间有多少个素数？",
        "从 {low} 到 {high} 有几个质数？先写个数，再列出来。",
        "求 {low} 和 {high} 之间的质数个数，并列出。",
        "请列出 {low} 到 {high} 的质数，先给出个数。",
        "{low} 和 {high} 之间的素数有几个？",
        "数一数 {low} 到 {high} 的质数。",
        "{low}到{high}有多少个质数？先写个数，再列出",
        "{low} 至 {high} 有多少个质数？请先给出答案。",
    ),
    ("derivation_first", "en"): (
        "List the primes between {low} and {high}, then give the count.",
        "Primes from {low} to {high}: the list first, then the count.",
        "Which numbers from {low} to {high} are prime? Count them at the end.",
    ),
    ("derivation_first", "zh"): (
        "列出 {low} 和 {high} 之间的质数，最后给出个数。",
        "先列出 {low} 到 {high} 的素数，再给出个数。",
    ),
}
"""For ``primes``."""


def phrased(
    phrasings: Phrasings,
    asked: dict[str, object],
    *,
    task: str,
    key: str,
    answer: tuple[Field, ...],
    derivation: tuple[Field, ...],
    num_steps: int,
    order: Order,
    language: Language | None,
    rng: random.Random,
) -> Problem:
    """Put a problem together: choose its words, and set answer and derivation in order.

    Args:
        phrasings: The task's templates.
        asked: What goes into the template.
        task: Name of the task.
        key: Canonical key.
        answer: Slots of the answer.
        derivation: Slots of what proves it; none where the answer proves itself.
        num_steps: Length of the derivation.
        order: Which of the two stands first.
        language: Of the prompt; None: two thirds English.
        rng: Chooses language and words.

    Returns:
        The problem.
    """
    language = language or rng.choice(("en", "en", "zh"))
    first, second = (answer, derivation) if order == "answer_first" else (derivation, answer)
    between = (Field("\n", 1),) if derivation else ()
    return Problem(
        task=task,
        key=key,
        prompt=rng.choice(phrasings[order, language]).format(**asked),
        fields=(*first, *between, *second),
        language=language,
        order=order,
        num_steps=num_steps,
    )
