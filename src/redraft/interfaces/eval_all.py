"""``redraft eval all``: everything in one run."""

import sys
from typing import TYPE_CHECKING

from redraft.engine.catalog import shipped
from redraft.interfaces.output import to_json

if TYPE_CHECKING:
    from pathlib import Path

    from redraft.engine import Engine
    from redraft.evaluation.suites import SuiteRequest

__all__ = ["measure_all"]


def measure_all(
    request: "SuiteRequest",
    *,
    model: str,
    asks_others: bool,
    device: str,
    plot: "Path | None",
    out: "Path | None",
    is_json: bool,
) -> None:
    """Measure everything and print.

    Args:
        request: What is asked for.
        model: Name or path.
        asks_others: Whether each of the other models that ship is asked for what it was trained on, in its place.
        device: Where it runs.
        plot: Where to draw; None draws nothing.
        out: Folder for report.json, report.txt and report.png, made if it isn't there; None writes none.
        is_json: JSON instead of a table on standard output.

    Raises:
        ConfigError: The model writes left to right, or there is a file where the folder should be.
    """
    from redraft.denoiser.checkpoint import load_checkpoint
    from redraft.engine import AutoregressiveEngine, load_engine, resolve_model
    from redraft.errors import ConfigError
    from redraft.evaluation.all_suites import plot_all, render_all, run_all
    from redraft.text import Tokenizer

    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"--out {out} is no folder and can't be made one: {error.strerror}") from error
    engine = load_engine(model, device=device)
    if isinstance(engine, AutoregressiveEngine):
        raise ConfigError(f"{model} writes left to right, and all asks what only diffusion does too; name another")
    others = _others(model, device) if asks_others else {}
    editor = others.get("edit", engine)
    is_native = isinstance(editor.tokenizer, Tokenizer)
    shape = load_checkpoint(resolve_model(editor.name)).model.config if is_native else None
    tick = _say if sys.stderr.isatty() else None
    report = run_all(engine, request, others=others, shape=shape, tick=tick)
    if tick is not None:
        tick("")
    json_text, table = to_json(report), render_all(report)
    if out is not None:
        (out / "report.json").write_text(json_text + "\n", encoding="utf-8")
        (out / "report.txt").write_text(table + "\n", encoding="utf-8")
        plot_all(report, out / "report.png")
    if plot is not None:
        plot_all(report, plot)
    sys.stdout.write((json_text if is_json else table) + "\n")


def _others(model: str, device: str) -> "dict[str, Engine]":
    """The models that ship but this one, by each task and suite that they are asked for."""
    from redraft.engine import AutoregressiveEngine, load_engine

    others: dict[str, Engine] = {}
    for entry in shipped():
        if entry.name == model or not entry.tasks:
            continue
        engine = load_engine(entry.name, device=device)
        assert not isinstance(engine, AutoregressiveEngine), "what ships is diffusion"
        others |= dict.fromkeys((*entry.tasks, *entry.commands), engine)
    return others


def _say(words: str) -> None:
    """Show what is being measured, in place of what was said before."""
    sys.stderr.write(f"\r\x1b[K{words}")
    sys.stderr.flush()
