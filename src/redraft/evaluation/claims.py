"""What is claimed of the model that ships: each figure, the command that measures it, and where its report has it."""

from dataclasses import dataclass

__all__ = ["CLAIMS", "Claim"]

_SMALL = "redraft eval arithmetic --count 500 --seed 7 --dial max_value=100 --json"
_WIDE = "redraft eval arithmetic --count 500 --seed 7 --json"
_PRIMES = "redraft eval primes --count 200 --json"
_LARGEST = "redraft eval largest --count 200 --seed 7 --json"
_CORRECTION = "redraft eval correction --count 50 --seed 7 --json"


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


CLAIMS: tuple[Claim, ...] = (
    *(
        claim
        for name, command in (("100", _SMALL), ("400", _WIDE))
        for claim in (
            Claim(
                what=f"Arithmetic to {name}, answer first: the answer is exact",
                command=command,
                path=("answer_accuracy",),
                sample=f"{{total}} unseen problems of 2 to 8 reductions, values to {name}",
            ),
            Claim(
                what=f"Arithmetic to {name}: answer and derivation both right",
                command=command,
                path=("accuracy",),
                sample="same run",
            ),
            Claim(
                what=f"Arithmetic to {name}: lines of the derivations that are true",
                command=command,
                path=("derivation_line_accuracy",),
                sample="{total} lines of the same run",
            ),
            Claim(
                what=f"Arithmetic to {name}: tokens per pass, default effort",
                command=command,
                path=("tokens_per_forward",),
                sample="same run",
            ),
        )
    ),
    Claim(
        what="Primes, count first: the count is exact",
        command=_PRIMES,
        path=("answer_accuracy",),
        sample="{total} unseen problems ({num_distinct} different lists), bounds to 1000",
    ),
    Claim(what="Primes: count and list both right", command=_PRIMES, path=("accuracy",), sample="same run"),
    Claim(
        what="Primes: listed numbers that belong in the list",
        command=_PRIMES,
        path=("derivation_line_accuracy",),
        sample="{total} numbers of the same run",
    ),
    Claim(
        what="Primes: tokens per pass, default effort",
        command=_PRIMES,
        path=("tokens_per_forward",),
        sample="same run",
    ),
    Claim(
        what="Largest of 2 to 8 sums, answer first: answer and lines right",
        command=_LARGEST,
        path=("accuracy",),
        sample="{total} unseen problems, values to 400",
    ),
    *(
        claim
        for task, name in (("arithmetic", "Arithmetic"), ("primes", "Primes"))
        for claim in (
            Claim(
                what=f"{name}, 3 wrong tokens planted in a right answer: repaired",
                command=_CORRECTION,
                path=("tasks", task, "planted", "num_planted=3", "repaired"),
                sample="{total} planted tokens",
            ),
            Claim(
                what=f"{name}, 3 wrong tokens planted: right tokens damaged",
                command=_CORRECTION,
                path=("tasks", task, "planted", "num_planted=3", "damaged"),
                sample="{total} right tokens of the same run",
            ),
            Claim(
                what=f"{name}, nothing planted: right answers left as they are",
                command=_CORRECTION,
                path=("tasks", task, "planted", "num_planted=0", "restored"),
                sample="{total} right answers",
            ),
        )
    ),
)
"""What is claimed of the model that ships, in the order in which it is told."""
