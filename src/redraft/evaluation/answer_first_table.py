"""The report of ``redraft eval answer-first`` as a table for humans."""

from typing import Any

from redraft.evaluation.report import percent, render_provenance

__all__ = ["render_answer_first"]

_ORDERS = ("answer_first", "derivation_first")


def render_answer_first(report: dict[str, Any]) -> str:
    """Return what ``run_answer_first`` returned as lines for a terminal.

    Args:
        report: The report.

    Returns:
        Lines without an end.
    """
    hard = f"{report['hard_from_num_steps']} steps or more"
    lines = [
        f"answer-first, {report['count']} expressions of the {report['split']} split in both orders, "
        f"seed {report['seed']}; share of right answers, 95 % interval",
        "",
        f"{'arm':>12}  {'asked for first':>16}  {'all':>22}  {hard:>22}  {'passes':>7}  {'tokens/pass':>11}",
    ]
    for name, arm in report["arms"].items():
        for order in _ORDERS:
            row = arm["orders"][order]
            shares = f"{percent(row['answer_accuracy']):>22}  {_share(row['hard']['answer_accuracy']):>22}"
            passes = f"{row['nfe_mean']:>7.1f}  {row['tokens_per_forward']:>11.2f}"
            lines.append(f"{name:>12}  {order.removesuffix('_first'):>16}  {shares}  {passes}")
    lines += ["", *_by_steps(report), "", *_comparison(report)]
    for name, arm in report["arms"].items():
        unlike = f"; unlike the first arm in {', '.join(arm['differs_in'])}" if arm["differs_in"] else ""
        trained = f"{arm['steps']} steps, {arm['examples']} examples" if arm["steps"] else "training unknown"
        lines.append(
            f"{name}: {arm['kind']}, {arm['num_parameters']:,} weights, {trained}, "
            f"digest {arm['model_digest'][:12]}{unlike}"
        )
    return "\n".join([*lines, f"{report['seconds']} s", *render_provenance(report)])


def _by_steps(report: dict[str, Any]) -> list[str]:
    """One line per arm and order: right answers of so many problems, by number of reasoning steps."""
    arms = report["arms"]
    first = next(iter(arms.values()))["orders"]["answer_first"]["by_num_steps"]
    head = "  ".join(f"{str(row['num_steps']) + ' steps':>9}" for row in first)
    lines = [f"{'arm':>12}  {'asked for first':>16}  {head}"]
    for name, arm in arms.items():
        for order in _ORDERS:
            shares = [row["answer_accuracy"] for row in arm["orders"][order]["by_num_steps"]]
            cells = "  ".join(f"{share['successes']:>5}/{share['total']:<3}" for share in shares)
            lines.append(f"{name:>12}  {order.removesuffix('_first'):>16}  {cells}")
    return lines


def _comparison(report: dict[str, Any]) -> list[str]:
    compared = report["comparison"]
    if compared is None:
        return []
    name, best = compared["diffusion"], compared["best_autoregressive"]
    ahead, own = (_points(compared[key]) for key in ("answer_first_points", "own_derivation_first_points"))
    return [
        f"answer first, {report['hard_from_num_steps']} steps or more: {name} against {best} {ahead}; "
        f"against its own derivation first {own}"
    ]


def _points(points: dict[str, float]) -> str:
    return f"{points['value']:+.1f} points [{points['low']:+.1f}, {points['high']:+.1f}]"


def _share(share: dict[str, float]) -> str:
    return percent(share) if share["total"] else "-"
