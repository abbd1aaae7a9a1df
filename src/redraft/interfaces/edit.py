"""``redraft edit``: a file or standard input is revised in place, and a diff says how."""

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from redraft.errors import ConfigError
from redraft.interfaces.output import complain, harmless, to_json
from redraft.interfaces.start import import_torch

if TYPE_CHECKING:
    from redraft.editing.result import EditResult

__all__ = ["EditOptions", "argument_text", "edit"]


@dataclass(frozen=True, kw_only=True, slots=True)
class EditOptions:
    """What the command line says."""

    file: str | None
    """The file; ``-`` or None for standard input."""
    instruction: str | None
    """What to do; None repairs."""
    lines: str | None
    """Lines that may change."""
    keep: tuple[str, ...]
    """Regular expressions of what stays."""
    is_written: bool
    """Whether the file gets the revision."""
    model: str | None
    """Name or path; None for the one that ships for such a text and instruction."""
    device: str
    """Where it runs."""
    is_compiled: bool = False
    """Whether its passes are compiled."""
    seed: int
    """Fixes every random draw."""
    effort: str
    """The dial."""
    is_json: bool
    """JSON instead of a diff."""


def edit(options: EditOptions) -> None:
    """Revise and print.

    Args:
        options: What to revise and how.

    Raises:
        ConfigError: There is no file to write.
    """
    from redraft.editing.pins import pinned_spans
    from redraft.editing.source import read_source, source_of
    from redraft.editing.writing import replace_file

    is_file = options.file not in (None, "-")
    if options.is_written and not is_file:
        raise ConfigError("--write needs a FILE; what comes from standard input goes to standard output as a diff")
    if options.file is None and sys.stdin.isatty():
        raise ConfigError("give a FILE, or - and the text on standard input")
    # Everything that can be refused without a model is refused before one is loaded.
    raw, text = read_source(options.file)
    pins = pinned_spans(source_of(text).text, lines=options.lines, keep=options.keep)
    import_torch()
    from redraft.editing.edit import edit_text
    from redraft.engine import load_engine
    from redraft.engine.routing import route_edit

    instruction = None if options.instruction is None else argument_text(options.instruction)
    model, compiled = options.model or route_edit(text, instruction), options.is_compiled
    result = edit_text(
        load_engine(model, device=options.device, is_compiled=compiled, tell=complain),
        text,
        instruction,
        pins=pins,
        seed=options.seed,
        effort=options.effort,
    ).result
    if options.is_written and result.is_changed:
        assert options.file is not None, "refused above"
        replace_file(options.file, result.text, expected=raw)
    _print(result, options)


def argument_text(word: str) -> str:
    """A word of the command line as text; a locale without UTF-8 gives its bytes in disguise."""
    return os.fsencode(word).decode(errors="surrogateescape")


def _print(result: "EditResult", options: EditOptions) -> None:
    from redraft.editing.diff import unified_diff

    name = "text" if options.file in (None, "-") else str(options.file)
    if options.is_json:
        diff = unified_diff(result, name)
        record = {**result.to_dict(), "diff": diff, "is_written": options.is_written and result.is_changed}
        sys.stdout.write(to_json(record) + "\n")
    elif not options.is_written:
        diff = unified_diff(result, name)
        sys.stdout.write("".join(map(_shown, diff.splitlines(keepends=True))) if sys.stdout.isatty() else diff)
    if sys.stderr.isatty():
        sys.stderr.write(_summary(result) + "\n")
    sys.stdout.flush()


def _shown(line: str) -> str:
    """A line of a diff for a terminal."""
    return harmless(line.rstrip("\r\n")) + "\n"


def _summary(result: "EditResult") -> str:
    changed = sum(change.kind != "kept" for change in result.changes)
    more = "" if result.is_stable else " · not yet stable, more --effort may change more"
    return f"{changed} changes · {result.num_windows} canvases · {result.nfe} passes · {result.seconds:.2f} s{more}"
