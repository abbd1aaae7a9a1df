"""Finds what a regular expression matches, in a process of its own that is ended when it takes too long.

An expression may come from anybody, and some take longer than a lifetime on a short text. The process is
``matching_process.py``, which imports nothing of the package.
"""

import json
import subprocess
import sys
from pathlib import Path

from redraft.errors import ConfigError

__all__ = ["find_spans"]

_TIME_LIMIT_S = 5.0
"""A second is enough for a sane expression on the longest text; the rest is for a slow start on a busy machine."""


def find_spans(pattern: str, text: str, *, time_limit_s: float = _TIME_LIMIT_S) -> list[tuple[int, int]]:
    r"""Where a regular expression matches, empty matches left out.

    >>> find_spans("^b+", "abb bb\nbb")
    [(7, 9)]

    Args:
        pattern: The expression; ``^`` and ``$`` match at every line.
        text: Where to look.
        time_limit_s: When to give up.

    Returns:
        Spans in order.

    Raises:
        ConfigError: It is no expression, or takes too long.
    """
    try:
        ran = subprocess.run(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("matching_process.py"))],
            input=json.dumps({"pattern": pattern, "text": text}).encode(),
            capture_output=True,
            timeout=time_limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigError(
            f"keep {pattern!r} takes more than {time_limit_s:g} s on this text; write it without nested repetitions"
        ) from error
    if ran.returncode != 0:
        raise ConfigError(f"keep {pattern!r} takes too much memory on this text; write a narrower expression")
    answer = json.loads(ran.stdout)
    if "error" in answer:
        raise ConfigError(f"keep {pattern!r} is not usable: {answer['error']}")
    return [(start, end) for start, end in answer["spans"]]
