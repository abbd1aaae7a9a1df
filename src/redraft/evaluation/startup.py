"""From the shell to the first draft and to the answer: where the time of a cold ``redraft generate`` goes.

``python -m redraft.evaluation.startup`` starts new processes that do what the command does, stamp by stamp, and prints
medians. File caches are warm, as they are for everybody who has run it once; nothing else is.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

__all__ = ["STAGES", "main", "measure"]

STAGES = ("interpreter", "command line", "torch", "engine", "model", "first draft", "answer", "whole command")
"""What happens, in this order; the last one is another process, the command itself from its start to its end."""

_PROMPT = "(√81 × 2/3)² + (15 − 3) / 2² = ?"

_PROGRAM = """
import sys, time
stamps = [time.time()]
import redraft.interfaces.cli; stamps.append(time.time())
from redraft.interfaces.start import import_torch; import_torch(); stamps.append(time.time())
from redraft.engine import Request, load_engine; stamps.append(time.time())
engine = load_engine(sys.argv[1]); stamps.append(time.time())
frames = engine.stream(Request.from_prompt(sys.argv[2], settings=engine.settings()))
next(frames); stamps.append(time.time())
list(frames); stamps.append(time.time())
print(*map(repr, stamps))
"""


def measure(model: str, *, repeats: int) -> dict[str, float]:
    """Start processes and take medians.

    Args:
        model: Name or path.
        repeats: How often; one more before them warms the file caches.

    Returns:
        Seconds by stage; "whole command" is no part of the others.
    """
    taken: list[list[float]] = []
    for repeat in range(repeats + 1):
        since = time.time()
        words = [sys.executable, "-c", _PROGRAM, model, _PROMPT]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        stamps = [since, *map(float, done.stdout.split())]
        begin = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "redraft", "generate", _PROMPT, "--model", model], capture_output=True, check=True
        )
        whole = time.perf_counter() - begin
        if repeat:
            taken.append([after - before for before, after in pairwise(stamps)] + [whole])
    return {stage: round(median(column), 3) for stage, column in zip(STAGES, zip(*taken, strict=True), strict=True)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print one JSON object.

    Args:
        arguments: Words after the module's name; None takes those of the process.
    """
    parser = argparse.ArgumentParser(prog="python -m redraft.evaluation.startup", description="Time a cold start.")
    parser.add_argument("--model", default="nano")
    parser.add_argument("--repeats", type=int, default=7)
    chosen = parser.parse_args(arguments)
    print(json.dumps(measure(chosen.model, repeats=chosen.repeats)))


if __name__ == "__main__":
    main()
