"""The main job, shown and checked: two problems, in English and in Chinese, through the command that users run.

``python -m redraft.evaluation.demo`` prints each answer as ``redraft generate`` gives it, then what the task's exact
verifier finds in it, and exits with 1 when anything is wrong. On a terminal the canvas is first shown settling.
"""

import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from redraft.errors import RedraftError
from redraft.tasks import Arithmetic, Primes, Problem, Verdict, get_task

__all__ = ["EXPRESSION", "PRIME_BOUNDS", "Demonstration", "demonstrations", "judge", "main", "report"]

EXPRESSION = "(√(81) * (2/3))² + (15 - 3) / (2²)"
"""What is asked for; the value is 39."""

PRIME_BOUNDS = (150, 250)
"""Bounds of the other question; 18 primes lie between them."""

_COMMAND = (sys.executable, "-m", "redraft", "generate")
_LIMIT_S = 120
"""A run takes about three seconds, most of it start-up; a hang must not last."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Demonstration:
    """One prompt and what its answer is held to."""

    prompt: str
    """What a user would write."""

    problem: Problem
    """The same question as the tasks know it: only its key and its order matter here."""


def demonstrations() -> tuple[Demonstration, ...]:
    """Return the four prompts.

    >>> [demonstration.problem.fields[0].text for demonstration in demonstrations()]
    ['39', '39', '18', '18']
    """
    low, high = PRIME_BOUNDS
    expression, primes = Arithmetic().from_expression(EXPRESSION), Primes().between(low, high)
    return (
        Demonstration(prompt=f"What is {EXPRESSION}?", problem=expression),
        Demonstration(prompt=f"{EXPRESSION} 等于多少？", problem=expression),
        Demonstration(
            prompt=f"How many primes are there between {low} and {high}? Give the count first, then the list.",
            problem=primes,
        ),
        Demonstration(prompt=f"{low} 和 {high} 之间有多少个质数？先给出个数，再列出。", problem=primes),
    )


def judge(demonstration: Demonstration, text: str) -> Verdict:
    """Return what the task's exact verifier finds in an answer.

    Args:
        demonstration: What was asked.
        text: What came.

    Returns:
        The verdict.
    """
    return get_task(demonstration.problem.task).verify(demonstration.problem, text)


def report(result: dict[str, Any], verdict: Verdict) -> str:
    """Say in one line what was found.

    Args:
        result: The JSON object that ``redraft generate --json`` printed.
        verdict: What the verifier found in its text.

    Returns:
        The line, without a newline.
    """
    if not verdict.is_correct:
        return f"WRONG: {verdict.reason or 'the derivation does not prove the answer'}"
    cost = f"{result['nfe']} passes, {result['completion_tokens']} tokens, {result['seconds']['total']:.2f} s"
    unit = "line" if verdict.num_lines == 1 else "lines"
    return f"checked: the answer is right, {verdict.num_true_lines} of {verdict.num_lines} {unit} hold ({cost})"


def _ask(prompt: str) -> dict[str, Any]:
    """Run the command and return its JSON object; a failure is a RedraftError with what it said."""
    run = subprocess.run(
        [*_COMMAND, "--json", prompt], capture_output=True, text=True, encoding="utf-8", timeout=_LIMIT_S, check=False
    )
    if run.returncode != 0:
        raise RedraftError(f"redraft generate failed with status {run.returncode}: {run.stderr.strip()}")
    return json.loads(run.stdout)


def main() -> int:
    """Show and check every demonstration.

    Returns:
        Exit status: 0 when every answer is right, else 1.
    """
    num_wrong = 0
    for demonstration in demonstrations():
        print(f"$ redraft generate {shlex.quote(demonstration.prompt)}", flush=True)
        if sys.stdout.isatty():
            subprocess.run([*_COMMAND, demonstration.prompt], timeout=_LIMIT_S, check=False)
        result = _ask(demonstration.prompt)
        if not sys.stdout.isatty():
            print(result["text"])
        verdict = judge(demonstration, result["text"])
        num_wrong += not verdict.is_correct
        print(report(result, verdict), end="\n\n", flush=True)
    if num_wrong:
        print(f"{num_wrong} of {len(demonstrations())} answers are wrong", file=sys.stderr)
    return min(num_wrong, 1)


if __name__ == "__main__":
    try:
        status = main()
    except (RedraftError, subprocess.TimeoutExpired) as error:
        print(f"demo: {error}", file=sys.stderr)
        status = 1
    raise SystemExit(status)
