"""README and the other documents tell the truth: commands exist, links resolve, figures are the measured ones."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from redraft.evaluation import figures
from redraft.interfaces import cli

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
COMMAND_DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:redraft|make) [^`\n]+)`")
LINK = re.compile(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)|!\[[^\]\n]*\]\(([^)\s]+)\)")
TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
SHELLS = {"sh", "bash", "console", "shell"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def commands_in(text: str) -> list[str]:
    """Return the command lines of shell blocks (after `$ ` in a console block) and of inline code."""
    lines: list[str] = []
    for language, body in FENCE.findall(text):
        if language in SHELLS:
            joined = body.replace("\\\n", " ").splitlines()
            lines += [line.removeprefix("$ ") for line in joined if language != "console" or line.startswith("$ ")]
    lines += INLINE.findall(FENCE.sub("", text))
    parts = [part.strip() for line in lines for part in re.split(r"\s(?:\||&&|;)\s", line)]
    return [part for part in parts if re.match(r"(redraft|make)\b", part)]


def words_of(command: str) -> list[str]:
    return shlex.split(command, comments=True)


def check_redraft(words: list[str]) -> None:
    """Walk the command tree along the words; every subcommand and every flag must be there."""
    command: Any = typer.main.get_command(cli.app)
    rest = list(words)
    while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
        name = rest.pop(0)
        assert name in command.commands, f"{name!r} is no command; there are {', '.join(sorted(command.commands))}"
        command = command.commands[name]
    flags = {flag for parameter in command.params for flag in [*parameter.opts, *parameter.secondary_opts]} | {"--help"}
    for word in rest:
        if word.startswith("-") and word != "-":
            assert word.partition("=")[0] in flags, (
                f"{word!r} is no flag of this command; there are {', '.join(sorted(flags))}"
            )


def check_make(words: list[str]) -> None:
    targets = set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    for word in words:
        assert "=" in word or word in targets, f"{word!r} is no target; there are {', '.join(sorted(targets))}"


@pytest.mark.parametrize("document", COMMAND_DOCUMENTS, ids=name_of)
def test_commands_exist(document: Path) -> None:
    commands = commands_in(document.read_text(encoding="utf-8"))
    assert commands, "no command found; has the way of writing them changed?"
    for command in commands:
        program, *words = words_of(command)
        if program == "make":
            check_make(words)
        else:
            check_redraft(words)


def test_measured_commands_exist() -> None:
    for model in figures.load_shipped():
        for row in model.figures:
            program, *words = words_of(row.command)
            check_redraft(words) if program == "redraft" else check_make(words)


@pytest.mark.parametrize("command", ["make coffee", "redraft imagine x", "redraft generate --colour red x"])
def test_what_does_not_exist_is_seen(command: str) -> None:
    program, *words = words_of(command)
    with pytest.raises(AssertionError, match="is no"):
        check_make(words) if program == "make" else check_redraft(words)


def test_commands_are_found_in_blocks_and_lines() -> None:
    text = (
        "Run `make demo`.\n```console\n$ redraft generate \\\n  x | cat\n39\n```\n"
        "```sh\nmake test  # all\n```\n```text\nredraft no\n```\n"
    )
    assert commands_in(text) == ["redraft generate    x", "make test  # all", "make demo"]


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_resolve(document: Path) -> None:
    for groups in LINK.findall(FENCE.sub("", document.read_text(encoding="utf-8"))):
        target = groups[0] or groups[1]
        if target.startswith(("http://", "https://")):
            continue
        file, _, anchor = target.partition("#")
        path = (document.parent / file).resolve() if file else document
        assert path.exists(), f"{target} leads nowhere"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, f"{target} names no heading"


def test_figures_are_the_measured_ones() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert figures.insert(text, figures.render(figures.load_shipped())) == text, "run `make figures`"
