"""What is claimed of the models that ship: each figure, the command that measures it, and where its report has it."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["CLAIMS", "Claim"]

_SMALL = "redraft eval arithmetic --count 500 --seed 7 --dial max_value=100 --json"
_WIDE = "redraft eval arithmetic --count 500 --seed 7 --json"
_PRIMES = "redraft eval primes --count 200 --json"
_LARGEST = "redraft eval largest --count 200 --seed 7 --json"
_CORRECTION = "redraft eval correction --count 50 --seed 7 --json"
_EDIT = "redraft eval edit --count 300 --seed 7 --json"
_INFILL = "redraft eval infill --count 100 --seed 7 --json"
_CODE = "redraft eval code --count 300 --seed 7 --json"
_THREE_DIGITS = " ".join(
    f"--dial {name}=3" for name in ("min_digits", "max_digits", "min_other_digits", "max_other_digits")
)
_PRODUCT = f"redraft eval multiplication --count 300 --seed 7 {_THREE_DIGITS} --json"
_COUNTDOWN = "redraft eval countdown --count 300 --seed 7 --dial max_numbers=3 --json"
_SUDOKU = "redraft eval sudoku --count 300 --seed 7 --dial small_percent={} --json"
_PLANNING = "redraft eval planning --count 300 --seed 7 --json"
_EXTRACT = "redraft eval extract --count 300 --seed 7 --json"
_PAGE = "redraft eval page --count 300 --seed 7 --json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """One figure: where in which report it stands, and in which words it is told."""

    what: str
    """The figure, in a few words."""
    command: str
    """The command line whose JSON report holds it."""
    path: tuple[str, ...]
    """Keys that lead to the share, or to the number, in the report; ``name=number`` is the row of a list with that."""
    sample: str
    """What it is measured on; ``{total}`` is the share's total, ``{num_distinct}`` and ``{count}`` the report's own."""


def _of(command: str, *told: tuple[str, str, str]) -> tuple[Claim, ...]:
    """The claims of one command: what is told, the keys that lead to it with slashes between, and the sample."""
    return tuple(
        Claim(what=what, command=command, path=tuple(keys.split("/")), sample=sample) for what, keys, sample in told
    )


def _arithmetic(most: int, command: str) -> tuple[Claim, ...]:
    name = f"Arithmetic to {most}"
    return _of(
        command,
        (
            f"{name}, answer first: the answer is exact",
            "answer_accuracy",
            f"{{total}} unseen problems of 2 to 8 reductions, values to {most}",
        ),
        (f"{name}: answer and derivation both right", "accuracy", "same run"),
        (
            f"{name}: lines of the derivations that are true",
            "derivation_line_accuracy",
            "{total} lines of the same run",
        ),
        (f"{name}: tokens per pass, default effort", "tokens_per_forward", "same run"),
    )


def _correction(task: str, name: str) -> tuple[Claim, ...]:
    planted = f"tasks/{task}/planted"
    return _of(
        _CORRECTION,
        (
            f"{name}, 3 wrong tokens planted in a right answer: repaired",
            f"{planted}/num_planted=3/repaired",
            "{total} planted tokens",
        ),
        (
            f"{name}, 3 wrong tokens planted: right tokens damaged",
            f"{planted}/num_planted=3/damaged",
            "{total} right tokens of the same run",
        ),
        (
            f"{name}, nothing planted: right answers left as they are",
            f"{planted}/num_planted=0/restored",
            "{total} right answers",
        ),
    )


def _edits(task: str, name: str) -> tuple[Claim, ...]:
    found = f"tasks/{task}"
    return _of(
        _EDIT,
        (f"{name} in place: the right text", f"{found}/exact", "{total} unseen drafts"),
        (f"{name}: token changes made over those needed", f"{found}/minimality", "same run"),
        (f"{name}: tokens damaged", f"{found}/damaged", "{total} tokens that were to stay"),
        (f"{name}: right texts left as they are", f"{found}/right_texts_kept", "{total} texts of the same run"),
        (f"{name}: times fewer passes than writing it anew left to right", f"{found}/fewer_passes", "same run"),
        (f"{name}: times less time than writing it anew left to right", f"{found}/less_time", "same run"),
    )


def _gaps(kind: str, words: str) -> tuple[Claim, ...]:
    found = f"tasks/code/{kind}"
    return _of(
        _INFILL,
        (
            f"{words} of a program filled, length unknown: it runs right",
            f"{found}/unknown_length/right",
            "{total} gaps",
        ),
        (f"{words} of a program filled at its known length", f"{found}/oracle_length/right", "the same gaps"),
    )


_NANO: tuple[Claim, ...] = (
    *_arithmetic(100, _SMALL),
    *_arithmetic(400, _WIDE),
    *_of(
        _PRIMES,
        (
            "Primes, count first: the count is exact",
            "answer_accuracy",
            "{total} unseen problems ({num_distinct} different lists), bounds to 1000",
        ),
        ("Primes: count and list both right", "accuracy", "same run"),
        (
            "Primes: listed numbers that belong in the list",
            "derivation_line_accuracy",
            "{total} numbers of the same run",
        ),
        ("Primes: tokens per pass, default effort", "tokens_per_forward", "same run"),
    ),
    *_of(
        _LARGEST,
        (
            "Largest of 2 to 8 sums, answer first: answer and lines right",
            "accuracy",
            "{total} unseen problems, values to 400",
        ),
    ),
    *_correction("arithmetic", "Arithmetic"),
    *_correction("primes", "Primes"),
)

_EDITOR = _edits("rewrite", "Rewriting")

_FILLER: tuple[Claim, ...] = (
    *_gaps("single_line", "A line"),
    *_gaps("several_lines", "Several lines"),
    *_gaps("span", "A span"),
)


def _alone(name: str, what: str, sample: str, command: str) -> tuple[Claim, ...]:
    """The claims of a task whose answer is all there is."""
    return _of(
        command,
        (f"{name}: {what}", "accuracy", sample),
        (f"{name}: tokens per pass, default effort", "tokens_per_forward", "same run"),
    )


def _led(name: str, answer: str, both: str, sample: str, command: str) -> tuple[Claim, ...]:
    """The claims of a task whose answer stands before what leads to it."""
    return _of(
        command,
        (f"{name}: {answer}", "answer_accuracy", sample),
        (f"{name}: {both}", "accuracy", "same run"),
        (f"{name}: tokens per pass, default effort", "tokens_per_forward", "same run"),
    )


_SOLVER: tuple[Claim, ...] = (
    *_led(
        "Products of three digits by three, product first",
        "the product is exact",
        "product and partial products right",
        "{total} unseen pairs",
        _PRODUCT,
    ),
    *_led(
        "Countdown with three numbers",
        "the expression reaches the target",
        "expression and operations right",
        "{total} unseen problems",
        _COUNTDOWN,
    ),
    *_alone("Sudoku 4×4", "the whole grid is right", "{total} unseen puzzles", _SUDOKU.format(100)),
    *_alone("Sudoku 6×6", "the whole grid is right", "{total} unseen puzzles", _SUDOKU.format(0)),
    *_led(
        "Shortest paths, length first",
        "the length is right",
        "length and path right",
        "{total} unseen graphs",
        _PLANNING,
    ),
)

_WRITER: tuple[Claim, ...] = (
    *_alone("Text to JSON", "every key, value and type is right", "{total} unseen records", _EXTRACT),
    *_alone("Web pages", "the page does what its description says", "{total} unseen pages", _PAGE),
)

_FIXER = _edits("repair", "Repairing programs")

_CODER = _alone("A program from its description", "it runs right", "{total} unseen descriptions", _CODE)

CLAIMS: Mapping[str, tuple[Claim, ...]] = {
    "nano": _NANO,
    "editor": _EDITOR,
    "fixer": _FIXER,
    "filler": _FILLER,
    "coder": _CODER,
    "solver": _SOLVER,
    "writer": _WRITER,
}
"""What is claimed of each model that ships, in the order in which it is told."""
