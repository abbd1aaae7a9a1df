"""A measurement with everything that is needed to repeat it, as JSON and as a table."""

import platform
import subprocess
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import redraft
from redraft.engine import Engine
from redraft.evaluation.accuracy import Accuracy, Outcome, Share, summarise
from redraft.sampler import SamplerSettings

__all__ = ["Conditions", "make_report", "origin", "percent", "provenance", "render_provenance", "render_report"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    """What was asked for."""

    suite: str
    """Name of the task."""

    count: int
    """Number of problems."""

    seed: int
    """Fixes the problems and every random draw."""

    split: str
    """Which part of the data."""

    order: str
    """Whether the answer or the derivation was asked for first."""

    dials: Mapping[str, int]
    """Settings of the task's generator that differ from its defaults."""

    effort: str
    """Preset of the sampler."""

    command: str
    """The exact command."""


def make_report(
    outcomes: Sequence[Outcome], conditions: Conditions, *, engine: Engine, settings: SamplerSettings, seconds: float
) -> dict[str, Any]:
    """Put a measurement together.

    Args:
        outcomes: What was found.
        conditions: What was asked for.
        engine: The model at work.
        settings: How answers were drawn.
        seconds: Wall-clock time of the whole run, loading left out.

    Returns:
        Plain values, ready for JSON.
    """
    by_steps: dict[int, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_steps[outcome.problem.num_steps].append(outcome)
    results = [outcome.result for outcome in outcomes]
    tokens, nfe = sum(r.completion_tokens for r in results), sum(r.nfe for r in results)
    return {
        **asdict(conditions),
        **_shares(summarise(outcomes)),
        "by_num_steps": [
            {"num_steps": steps, **_shares(summarise(members))} for steps, members in sorted(by_steps.items())
        ],
        "num_distinct": len({outcome.problem.key for outcome in outcomes}),
        "completion_tokens": tokens,
        "nfe_mean": round(nfe / len(results), 3),
        "tokens_per_forward": round(tokens / nfe, 4) if nfe else 0.0,
        "revised_tokens": sum(r.revised_tokens for r in results),
        "batched_tokens_per_second": round(tokens / seconds, 2) if seconds > 0 else 0.0,
        **provenance(engine, settings, seconds),
        "failures": [_failure(outcome) for outcome in outcomes if not outcome.verdict.is_correct][:20],
    }


def provenance(engine: Engine, settings: SamplerSettings, seconds: float) -> dict[str, Any]:
    """What a measurement was made with.

    Args:
        engine: The model at work.
        settings: How answers were drawn.
        seconds: Wall-clock time of the whole run, loading left out.

    Returns:
        Plain values, ready for JSON.
    """
    return {
        "seconds": round(seconds, 3),
        "model": engine.name,
        "model_digest": engine.digest,
        "dtype": engine.dtype,
        "is_compiled": engine.is_compiled,
        "settings": asdict(settings),
        **origin(),
    }


def origin() -> dict[str, Any]:
    """Return the commit and the versions that a figure comes from, ready for JSON."""
    return {"git_commit": _git_commit(), "versions": _versions()}


def render_report(report: dict[str, Any]) -> str:
    """Return a measurement as a table for humans.

    Args:
        report: What ``make_report`` returned.

    Returns:
        Lines without an end.
    """
    dials = "".join(f", {name} {number}" for name, number in report["dials"].items())
    lines = [
        f"{report['suite']}, {report['order'].replace('_', ' ')}, {report['count']} problems of the {report['split']} "
        f"split ({report['num_distinct']} distinct), seed {report['seed']}{dials}",
        f"model {report['model']} ({report['model_digest'][:12] or 'no digest'}), effort {report['effort']}",
        "",
        f"{'':>12}  {'n':>5}  {'answer right':>22}  {'all right':>22}  {'true lines':>10}",
    ]
    rows = [("all", report), *((f"{row['num_steps']} steps", row) for row in report["by_num_steps"])]
    for name, row in rows:
        lines.append(
            f"{name:>12}  {row['answer_accuracy']['total']:>5}  {percent(row['answer_accuracy']):>22}  "
            f"{percent(row['accuracy']):>22}  {100 * row['derivation_line_accuracy']['value']:>8.1f} %"
        )
    lines += [
        "",
        f"{report['nfe_mean']} passes per answer, {report['tokens_per_forward']} tokens per pass, "
        f"{report['batched_tokens_per_second']} tokens/s in batches, {report['seconds']} s",
        *render_provenance(report),
    ]
    return "\n".join(lines)


def render_provenance(report: dict[str, Any]) -> list[str]:
    """The last lines of every table: the command, the commit and the versions."""
    return [
        f"command: {report['command']}",
        f"commit {report['git_commit'] or 'unknown'}; "
        + ", ".join(f"{name} {version}" for name, version in report["versions"].items()),
    ]


def percent(share: dict[str, float]) -> str:
    """A share with its interval: ``93.4 % [90.9, 95.3]``."""
    return f"{100 * share['value']:.1f} % [{100 * share['low']:.1f}, {100 * share['high']:.1f}]"


def _shares(accuracy: Accuracy) -> dict[str, Any]:
    shares: dict[str, Share] = {
        "answer_accuracy": accuracy.answer,
        "derivation_accuracy": accuracy.derivation,
        "accuracy": accuracy.both,
        "derivation_line_accuracy": accuracy.lines,
    }
    return {name: share.to_dict() for name, share in shares.items()}


def _failure(outcome: Outcome) -> dict[str, str]:
    return {
        "prompt": outcome.problem.prompt,
        "expected": outcome.problem.answer_text,
        "text": outcome.result.text,
        "reason": outcome.verdict.reason,
    }


def _versions() -> dict[str, str]:
    import tokenizers
    import torch

    return {
        "redraft": redraft.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "tokenizers": tokenizers.__version__,
    }


def _git_commit() -> str | None:
    """Commit of the checkout that runs, with ``-dirty`` if it was changed; None outside of one."""
    root = Path(redraft.__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        run = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return run.stdout.strip()
