"""The command line: reads arguments, calls one function per command, turns errors into one line and an exit status.

Exit status: 0 done; 2 the usage or the input is wrong; 1 anything else. ``REDRAFT_DEBUG=1`` shows tracebacks.
"""

import contextlib
import os
import shlex
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer._click import Context  # what a callback is given; typer.Context is a subclass that it never makes
from typer.exceptions import TyperException

import redraft
from redraft.engine.catalog import DEFAULT_MODEL, FILLER_MODEL
from redraft.errors import ConfigError, InputError, RedraftError
from redraft.interfaces.option_types import (
    AsJson,
    Compile,
    Device,
    DeviceName,
    DtypeName,
    EditModel,
    Effort,
    EffortName,
    LayoutName,
    LearnedModel,
    Model,
    OrderName,
    PromptKind,
    Seed,
    SplitName,
    SuiteName,
    WeightsName,
)
from redraft.interfaces.output import complain, prepare_streams

__all__ = [
    "DeviceName",
    "DtypeName",
    "EffortName",
    "LayoutName",
    "OrderName",
    "PromptKind",
    "SplitName",
    "SuiteName",
    "WeightsName",
    "app",
    "bench",
    "convert",
    "edit",
    "evaluate",
    "generate",
    "infill",
    "inspect",
    "main",
    "models",
    "models_app",
    "options",
    "train",
]

app = typer.Typer(
    name="redraft",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(is_wanted: bool) -> bool:
    if is_wanted:
        typer.echo(f"redraft {redraft.__version__}")
        raise typer.Exit
    return is_wanted


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """A text diffusion language model that redrafts the whole text at once."""
    del version  # all is done in its callback


@app.command()
def generate(
    prompt: Annotated[
        str | None, typer.Argument(metavar="PROMPT", help="What to answer; - reads it from standard input.")
    ] = None,
    prompts: Annotated[
        str | None,
        typer.Option(metavar="FILE", help='Answer many: one {"id": …, "prompt": …} per line in, one JSON line out.'),
    ] = None,
    model: LearnedModel = None,
    seed: Seed = 0,
    max_tokens: Annotated[int | None, typer.Option(help="Most tokens of the answer.  [default: one canvas]")] = None,
    effort: Effort = "medium",
    steps: Annotated[int | None, typer.Option(help="Most passes over a canvas; overrides the effort's.")] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Least probability that settles a token; overrides the effort's.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="0 takes the likeliest token; overrides the effort's.")
    ] = None,
    dtype: Annotated[
        WeightsName, typer.Option(help="Type of the weights in memory. Our own models: auto, float32 or int8.")
    ] = "auto",
    device: Device = "cpu",
    compile_: Compile = False,
    as_json: AsJson = False,
    pace: Annotated[
        float | None,
        typer.Option(metavar="MS", help="On a terminal: least milliseconds that each pass stays.  [default: 60]"),
    ] = None,
) -> None:
    """Answer a prompt; on a terminal, show the canvas while it settles."""
    from redraft.interfaces.generate import GenerateOptions
    from redraft.interfaces.generate import generate as run

    wanted = {"max_new_tokens": max_tokens, "max_steps": steps, "threshold": threshold, "temperature": temperature}
    run(
        GenerateOptions(
            prompt=prompt,
            prompts=prompts,
            model=model,
            dtype=dtype,
            device=device,
            is_compiled=compile_,
            seed=seed,
            effort=effort,
            changes={name: value for name, value in wanted.items() if value is not None},
            is_json=as_json,
            pace_ms=pace,
        )
    )


@app.command()
def infill(
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="A file with holes; - reads it from standard input.")
    ] = None,
    prefix: Annotated[str | None, typer.Option(help="What stands before the gap.")] = None,
    suffix: Annotated[str | None, typer.Option(help="What stands behind it.")] = None,
    template: Annotated[str | None, typer.Option(help="A text with holes, such as 'def {{}}(a): return {{}}'.")] = None,
    hole: Annotated[str, typer.Option(help="What marks a hole.")] = "{{}}",
    instruction: Annotated[str | None, typer.Option(help="What the text is about.  [default: nothing]")] = None,
    max_tokens: Annotated[
        int | None, typer.Option(help="Most tokens of a fill.  [default: what the canvas holds]")
    ] = None,
    model: Model = FILLER_MODEL,
    device: Device = "cpu",
    compile_: Compile = False,
    seed: Seed = 0,
    effort: Effort = "medium",
    as_json: AsJson = False,
) -> None:
    """Fill the gaps of a text, whatever their length, and print the whole text."""
    from redraft.interfaces.infill import InfillOptions
    from redraft.interfaces.infill import infill as run

    run(
        InfillOptions(
            file=file,
            prefix=prefix,
            suffix=suffix,
            template=template,
            hole=hole,
            instruction=instruction,
            max_tokens=max_tokens,
            model=model,
            device=device,
            is_compiled=compile_,
            seed=seed,
            effort=effort,
            is_json=as_json,
        )
    )


@app.command()
def edit(
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="What to revise; - reads it from standard input.")
    ] = None,
    instruction: Annotated[str | None, typer.Option(help="What to do.  [default: repair what is wrong]")] = None,
    lines: Annotated[
        str | None, typer.Option(metavar="A:B", help="Lines that may change, from 1, both included; all others stay.")
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option(metavar="REGEX", help="What matches stays, byte for byte; may be repeated.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the revision to FILE instead of printing it.")] = False,
    model: EditModel = None,
    device: Device = "cpu",
    compile_: Compile = False,
    seed: Seed = 0,
    effort: Effort = "medium",
    as_json: AsJson = False,
) -> None:
    """Revise a text in place and print a unified diff."""
    from redraft.interfaces.edit import EditOptions
    from redraft.interfaces.edit import edit as run

    run(
        EditOptions(
            file=file,
            instruction=instruction,
            lines=lines,
            keep=tuple(keep or ()),
            is_written=write,
            model=model,
            device=device,
            is_compiled=compile_,
            seed=seed,
            effort=effort,
            is_json=as_json,
        )
    )


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe, a TOML file.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override one value: section.key=value.")
    ] = None,
    run_dir: Annotated[
        Path | None, typer.Option(help="Where the run lives; an unfinished one goes on.  [default: runs/RECIPE]")
    ] = None,
) -> None:
    """Train a model by a recipe, or go on where the run in its directory stopped."""
    from redraft.interfaces.train import train_recipe

    if not train_recipe(recipe, overrides=set_ or [], run_dir=run_dir):
        raise typer.Exit(1)


@app.command(name="eval")
def evaluate(
    suite: Annotated[
        SuiteName,
        typer.Argument(
            metavar="SUITE",
            help="A task (arithmetic, code, countdown, extract, largest, multiplication, page, planning, primes, "
            "repair, rewrite, sudoku), all, answer-first, correction, edit, humaneval, infill or passes.",
        ),
    ],
    count: Annotated[int, typer.Option(help="Number of problems, of each task where there are several.")] = 200,
    seed: Seed = 0,
    model: LearnedModel = None,
    device: Device = "cpu",
    effort: Effort = "medium",
    order: Annotated[OrderName, typer.Option(help="What is asked for first.")] = "answer_first",
    split: Annotated[SplitName, typer.Option(help="Which part of the problems.")] = "test",
    dial: Annotated[
        list[str] | None, typer.Option(metavar="NAME=N", help="Set one dial of the task, such as max_steps=4.")
    ] = None,
    arm: Annotated[
        list[str] | None, typer.Option(metavar="NAME=FOLDER", help="With answer-first or edit: what to compare with.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With all, answer-first or passes: draw the curves, a PNG file.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="With all: write report.json, report.txt and report.png there."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure accuracy on problems that training never saw, judged by an exact verifier."""
    from redraft.interfaces.evaluate import evaluate_suite

    evaluate_suite(
        suite,
        count=count,
        seed=seed,
        model=model,
        device=device,
        effort=effort,
        order=order,
        split=split,
        dials=dial or [],
        arms=arm or [],
        plot=plot,
        out=out,
        is_json=as_json,
        command=shlex.join(["redraft", *_arguments]),
    )


@app.command()
def bench(
    model: Annotated[str, typer.Option(help="A name that ships (see `redraft models`), or a path like ./model.")] = (
        DEFAULT_MODEL
    ),
    autoregressive: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="A causal checkpoint of the same size.  [default: random weights]"),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A short run, to see that it works; no figures to cite.")
    ] = False,
    no_llama: Annotated[bool, typer.Option("--no-llama", help="Leave llama.cpp out.")] = False,
    no_compiled: Annotated[bool, typer.Option("--no-compiled", help="Leave our model's compiled passes out.")] = False,
    threads: Annotated[
        int | None, typer.Option(help="Most threads of each arm.  [default: one per usable core]")
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="What is asked.  [default: arithmetic and code, if the model learned them]"),
    ] = None,
    prompt: Annotated[PromptKind | None, typer.Option(help="Alone, or behind earlier turns.  [default: both]")] = None,
    dial: Annotated[
        list[str] | None, typer.Option(metavar="NAME=N", help="With one task: set a dial of it, such as max_value=100.")
    ] = None,
    seed: Seed = 0,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw how the time of one pass grows, a PNG file.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep the report and the plot there, by date and machine.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure speed beside baselines of the same size on this machine, and judge the answers."""
    from redraft.interfaces.bench import BenchOptions
    from redraft.interfaces.bench import bench as run

    run(
        BenchOptions(
            model=model,
            autoregressive=autoregressive,
            is_quick=quick,
            has_llama=not no_llama,
            has_compiled=not no_compiled,
            threads=threads,
            tasks=tuple(task or ()),
            prompts=(prompt,) if prompt else (),
            dials=tuple(dial or ()),
            seed=seed,
            plot=plot,
            save=save,
            is_json=as_json,
            arguments=tuple(_arguments),
        )
    )


@app.command()
def convert(
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="A checkpoint: a name that ships, a path like ./model, or OWNER/NAME."),
    ],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="Where to write: a new path or an empty folder.")],
    to: Annotated[
        LayoutName | None,
        typer.Option(help="Layout to write; block-diffusion makes a start of a Qwen or Llama.  [default: as it is]"),
    ] = None,
    dtype: Annotated[DtypeName | None, typer.Option(help="Type of the weights.  [default: as stored]")] = None,
    shard_size: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Most bytes of one weight file, such as 500MB.  [default: 5GB]")
    ] = None,
    block_length: Annotated[
        int | None, typer.Option(help="Positions of a block, with --to block-diffusion.  [default: 32]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a checkpoint in another layout, type or cut, or make a block-diffusion start of it."""
    from redraft.interfaces.convert import ConvertOptions
    from redraft.interfaces.convert import convert as run

    run(
        ConvertOptions(
            source=source,
            target=target,
            layout=to,
            dtype=dtype,
            shard_size=shard_size,
            block_length=block_length,
            is_json=as_json,
        )
    )


models_app = typer.Typer(
    help="List the models that ship with this installation, or look at any model.",
    add_completion=False,
    rich_markup_mode=None,
)
app.add_typer(models_app, name="models")


@models_app.callback(invoke_without_command=True)
def models(context: Context, as_json: AsJson = False) -> None:
    """List the models that ship with this installation, or look at any model."""
    if context.invoked_subcommand is not None:
        if as_json:
            raise ConfigError("write --json after the command, as in `redraft models inspect nano --json`")
        return
    from redraft.interfaces.models import list_models

    list_models(is_json=as_json)


@models_app.command()
def inspect(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A name that ships, a path like ./model, or OWNER/NAME on the hub.")
    ],
    as_json: AsJson = False,
) -> None:
    """Say what a model is, what memory it needs and whether it fits; its weights are not read."""
    from redraft.interfaces.models import print_inspection

    print_inspection(model, is_json=as_json)


_arguments: list[str] = []
"""What ``main`` was called with, for reports."""

_INTERRUPTED = 130
"""What typer makes of Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: Words after the program's name; None takes those of the process.

    Returns:
        The exit status.
    """
    _arguments[:] = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    prepare_streams()
    try:
        return _run(_arguments)
    except KeyboardInterrupt:
        complain("interrupted")
        return 1
    except BrokenPipeError:
        # The reader has what it wanted. Python flushes once more at exit, which must not complain.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("REDRAFT_DEBUG") == "1":
            traceback.print_exc()
        is_clear = isinstance(error, RedraftError | OSError)  # a full disk is not our fault, and says so itself
        fault = f"internal error, {type(error).__name__}: {error} (REDRAFT_DEBUG=1 shows where)"
        complain(str(error) if is_clear else fault)
        return 2 if isinstance(error, InputError) else 1


def _run(arguments: list[str]) -> int:
    """Run a command; a fault of usage becomes an error like all others."""
    try:
        status = typer.main.get_command(app).main(arguments, prog_name="redraft", standalone_mode=False)
    except TyperException as error:
        raise ConfigError(error.format_message()) from error
    sys.stdout.flush()
    if status == _INTERRUPTED:
        raise KeyboardInterrupt
    return status if isinstance(status, int) else 0
