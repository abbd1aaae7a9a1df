"""A report as tables for humans."""

from collections.abc import Mapping
from typing import Any

from redraft.evaluation.report import percent

__all__ = ["render_bench"]

_NAMES = {"diffusion": "redraft", "compiled": "compiled", "autoregressive": "autoregressive", "llama": "llama.cpp Q8_0"}
_MIB = 1 << 20


def render_bench(report: Mapping[str, Any]) -> str:
    """Return a report as tables.

    Args:
        report: What ``run_bench`` returned, with what it was made with.

    Returns:
        Lines without an end.
    """
    return "\n".join(
        [
            *_heading(report),
            "",
            *_speed(report),
            "",
            *_accuracy(report),
            "",
            *_memory(report),
            "",
            *_pass(report),
            "",
            *_scaling(report),
            "",
            f"{report['seconds']} s; seed {report['seed']}",
            f"command: {report['command']}",
            f"commit {report['git_commit'] or 'unknown'}; "
            + ", ".join(f"{name} {version}" for name, version in report["versions"].items()),
        ]
    )


def _heading(report: Mapping[str, Any]) -> list[str]:
    machine, model = report["machine"], report["model"]
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, {report['threads']} threads, {report['date']}",
        f"model {model['weights']} ({model['digest'][:12]}) in {model['dtype']}, canvas {model['canvas_length']}, "
        f"dev split of {', '.join(report['tasks'])}{_dials(report)}",
    ]
    lines += [
        f"baseline {_NAMES[arm]}: {about['num_parameters']:,} parameters on {about['engine']}; "
        f"weights {about['weights']}"
        for arm, about in report["baselines"].items()
    ]
    if report["compiled"]:
        lines.append(f"compiled: the same model with its passes compiled, in {report['compiled']['dtype']}")
    if report["untrained_tasks"]:
        lines.append(f"left out, since the model was not trained on it: {', '.join(report['untrained_tasks'])}")
    return lines


def _dials(report: Mapping[str, Any]) -> str:
    return "".join(f", {name} {value}" for name, value in report["dials"].items())


def _speed(report: Mapping[str, Any]) -> list[str]:
    plan = report["plan"]
    lines = [
        f"Speed: medians of {plan['repeats']} repeats [least, greatest] in which the arms took turns; "
        f"{plan['count']} answers each; ratios repeat by repeat",
        f"{'arm':<15} {'effort':<8} {'prompt':<6} {'batch':>5}  {'tokens/s end to end':>26}  {'/ autoreg.':>10}  "
        f"{'/ llama':>8}  {'1st draft':>9}  {'passes':>7}  {'tok/pass':>8}  ms: {'token.':>6} {'prefill':>7} "
        f"{'denoise':>8} {'detok.':>6}",
    ]
    return lines + [_speed_line(row) for row in report["speed"]]


def _speed_line(row: Mapping[str, Any]) -> str:
    speed, ms = row["tokens_per_second"], {stage: 1e3 * taken for stage, taken in row["stage_s_mean"].items()}
    first = f"{1e3 * row['first_draft_s']['median']:.1f} ms" if row["first_draft_s"] else "-"
    spread = f"{speed['median']:,.0f} [{speed['low']:,.0f}, {speed['high']:,.0f}]"
    return (
        f"{_NAMES[row['arm']]:<15} {row['effort'] or '-':<8} {row['prompt']:<6} {row['batch']:>5}  {spread:>26}  "
        f"{_times(row, 'over_autoregressive'):>10}  {_times(row, 'over_llama'):>8}  {first:>9}  "
        f"{row['nfe_mean']:>7.1f}  {row['tokens_per_forward']:>8.2f}      {ms['tokenize']:>6.2f} "
        f"{ms['prefill']:>7.1f} {ms['denoise']:>8.1f} {ms['detokenize']:>6.2f}"
    )


def _times(row: Mapping[str, Any], name: str) -> str:
    return f"{row[name]['median']:.2f} x" if name in row else "-"


def _accuracy(report: Mapping[str, Any]) -> list[str]:
    lines = [
        f"Accuracy of the answers, with 95 % intervals, over {report['plan']['accuracy_count']} problems; "
        "arms with random weights are left out",
        f"{'arm':<15} {'effort':<8} {'asked for':<16}  {'task':<12} {'answer right':>24}  {'all right':>24}",
    ]
    return lines + [
        f"{_NAMES[row['arm']]:<15} {row['effort'] or '-':<8} {row['order'].replace('_', ' '):<16}  {row['task']:<12} "
        f"{percent(row['answer_accuracy']):>24}  {percent(row['accuracy']):>24}"
        for row in report["accuracy"]
    ]


def _memory(report: Mapping[str, Any]) -> list[str]:
    return [
        "Peak memory of each arm's process, and what it held before the model was loaded (Python, torch, our code)"
    ] + [
        f"{_NAMES[arm]:<15} {held['peak_bytes'] / _MIB:>8.0f} MiB, before {held['before_loading_bytes'] / _MIB:.0f}"
        for arm, held in report["memory"].items()
    ]


def _pass(report: Mapping[str, Any]) -> list[str]:
    measured = {"One pass": report["pass"], "Compiled": report.get("compiled_pass")}
    lines = [
        f"{name} over {one['rows']} positions behind {one['context']} tokens: {1e3 * one['pass_s']:.2f} ms, "
        f"{one['pass_flops_per_second'] / 1e9:.0f} GFLOP/s, {100 * one['share_of_float32_ceiling']:.0f} % of the "
        "float32 ceiling"
        for name, one in measured.items()
        if one is not None
    ]
    one = report["pass"]
    best = ", ".join(f"{kind} {rate / 1e9:.3g}" for kind, rate in one["ceiling_flops_per_second"].items())
    return [
        *lines,
        f"its products with weights alone, by torch in float32: {1e3 * one['products_s']:.2f} ms, "
        f"{one['products_flops_per_second'] / 1e9:.0f} GFLOP/s; best square product, Gop/s: {best}",
    ]


def _scaling(report: Mapping[str, Any]) -> list[str]:
    lines = ["Scaling of one pass, ms"]
    for line, measured in report["scaling"].items():
        points = "  ".join(f"{point['at']}: {1e3 * point['seconds']['median']:.2f}" for point in measured["points"])
        fixed = ", ".join(f"{name} {value}" for name, value in measured["fixed"].items())
        lines.append(f"{line:>8}  {points}   ({fixed})")
    return lines
