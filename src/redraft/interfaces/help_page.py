"""Writes the help text of every command as one page: ``python -m redraft.interfaces.help_page > docs/cli.md``.

A test holds the page in the repository equal to what this prints.
"""

import sys
from typing import Any

import typer

from redraft.interfaces.cli import app

__all__ = ["help_page"]

_WIDTH = 100
"""Fixed, so that the page does not depend on anybody's terminal."""


def help_page() -> str:
    """Return the page, in Markdown."""
    root: Any = typer.main.get_command(app)
    parts = [
        "# Commands",
        "",
        "Written by `python -m redraft.interfaces.help_page`; not edited by hand. Exit status: 0 done, 2 wrong usage",
        "or input (one line on standard error), 1 anything else; `REDRAFT_DEBUG=1` shows tracebacks.",
        *_section(root, "redraft", None),
    ]
    with root.context_class(root, info_name="redraft") as context:
        for name, command in root.commands.items():
            parts += _section(command, name, context)
            inner = getattr(command, "commands", {})
            with command.context_class(command, info_name=name, parent=context) as group:
                for inner_name, inner_command in inner.items():
                    parts += _section(inner_command, inner_name, group)
    return "\n".join(parts) + "\n"


def _section(command: Any, name: str, parent: Any) -> list[str]:
    options = {"info_name": name, "terminal_width": _WIDTH, "max_content_width": _WIDTH}
    with command.context_class(command, parent=parent, **options) as context:
        text = command.get_help(context)
        title = context.command_path
    return ["", f"## `{title}`", "", "```text", *(line.rstrip() for line in text.splitlines()), "```"]


if __name__ == "__main__":
    sys.stdout.write(help_page())
