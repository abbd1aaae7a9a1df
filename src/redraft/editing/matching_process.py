"""The process behind ``redraft.editing.matching``: a pattern and a text come in as JSON, spans go out."""

import json
import re
import sys
import warnings

__all__ = ["spans_of"]

_MEMORY_BYTES = 1 << 30
_MAX_SPANS = 200_000


def spans_of(pattern: str, text: str) -> list[tuple[int, int]]:
    """Where a regular expression matches, empty matches left out.

    Args:
        pattern: The expression.
        text: Where to look.

    Returns:
        Spans in order.

    Raises:
        ValueError: There are too many.
    """
    spans: list[tuple[int, int]] = []
    for match in re.finditer(pattern, text, re.MULTILINE):
        if match.start() < match.end():
            spans.append(match.span())
        if len(spans) > _MAX_SPANS:
            raise ValueError(f"it matches more than {_MAX_SPANS} times")
    return spans


def _limit_memory() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    except (ImportError, ValueError, OSError):
        return  # a system without limits still has the time limit


def _answer() -> None:
    _limit_memory()
    warnings.simplefilter("ignore")  # about patterns that will mean something else in a later Python
    request = json.loads(sys.stdin.buffer.read())
    try:
        answer = {"spans": spans_of(request["pattern"], request["text"])}
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        answer = {"error": str(error)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    _answer()
