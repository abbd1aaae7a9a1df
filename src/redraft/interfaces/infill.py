"""``redraft infill``: the gaps of a text are filled, and the whole text is printed."""

import sys
from dataclasses import dataclass

from redraft.errors import ConfigError
from redraft.interfaces.edit import argument_text
from redraft.interfaces.output import complain, harmless, to_json
from redraft.interfaces.start import import_torch

__all__ = ["InfillOptions", "infill"]


@dataclass(frozen=True, kw_only=True, slots=True)
class InfillOptions:
    """What the command line says."""

    file: str | None
    """A file with holes; ``-`` for standard input."""
    prefix: str | None
    """What stands before the gap."""
    suffix: str | None
    """What stands behind it."""
    template: str | None
    """A text with holes."""
    hole: str
    """Marks one."""
    instruction: str | None
    """What the text is about."""
    max_tokens: int | None
    """Most tokens of a fill."""
    model: str
    """Name or path."""
    device: str
    """Where it runs."""
    is_compiled: bool = False
    """Whether its passes are compiled."""
    seed: int
    """Fixes every random draw."""
    effort: str
    """The dial."""
    is_json: bool
    """JSON instead of text."""


def infill(options: InfillOptions) -> None:
    """Fill and print.

    Args:
        options: What to fill and how.

    Raises:
        ConfigError: There is a file and something else.
    """
    from redraft.editing.source import read_source
    from redraft.editing.template import pieces_of_template

    prefix, suffix, template = (
        None if word is None else argument_text(word) for word in (options.prefix, options.suffix, options.template)
    )
    if options.file is not None:
        if any(text is not None for text in (prefix, suffix, template)):
            raise ConfigError("give a FILE with holes, or --template, or --prefix and --suffix, not two of them")
        template = read_source(options.file)[1]
    hole = argument_text(options.hole)
    pieces_of_template(prefix, suffix, template, hole)  # refuses what can be refused without a model
    import_torch()
    from redraft.editing.infill import infill_text
    from redraft.engine import load_engine

    result = infill_text(
        load_engine(options.model, device=options.device, is_compiled=options.is_compiled, tell=complain),
        prefix,
        suffix,
        template=template,
        hole=hole,
        instruction=None if options.instruction is None else argument_text(options.instruction),
        max_tokens=options.max_tokens,
        seed=options.seed,
        effort=options.effort,
    ).result
    if options.is_json:
        sys.stdout.write(to_json(result.to_dict()) + "\n")
    else:
        end = "" if result.text.endswith("\n") else "\n"
        sys.stdout.write(harmless(result.text) + end if sys.stdout.isatty() else result.text + end)
    sys.stdout.flush()
