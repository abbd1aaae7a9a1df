"""Types of the command line's arguments that several commands share, with their help."""

from typing import Annotated, Literal

import typer

__all__ = [
    "AsJson",
    "Compile",
    "Device",
    "DeviceName",
    "DtypeName",
    "EditModel",
    "Effort",
    "EffortName",
    "LayoutName",
    "LearnedModel",
    "Model",
    "OrderName",
    "PromptKind",
    "Seed",
    "SplitName",
    "SuiteName",
    "WeightsName",
]

_MODEL = "A name that ships (see `redraft models`), a path like ./model, or OWNER/NAME on the hub."
Model = Annotated[str, typer.Option(help=_MODEL)]
EditModel = Annotated[str | None, typer.Option(help=f"{_MODEL}  [default: fixer for programs, else editor]")]
LearnedModel = Annotated[str | None, typer.Option(help=f"{_MODEL}  [default: the one that learned such problems]")]
Seed = Annotated[int, typer.Option(help="Fixes every random draw: the same seed gives the same bytes.")]
# Written out here, because the lists live in rooms that need torch; a test holds them equal.
EffortName = Literal["instant", "low", "medium", "high"]
SuiteName = Literal[
    "arithmetic",
    "code",
    "countdown",
    "extract",
    "largest",
    "multiplication",
    "page",
    "planning",
    "primes",
    "repair",
    "rewrite",
    "sudoku",
    "all",
    "answer-first",
    "correction",
    "edit",
    "humaneval",
    "infill",
    "passes",
]
PromptKind = Literal["short", "long"]
OrderName = Literal["answer_first", "derivation_first"]
SplitName = Literal["train", "dev", "test"]
DeviceName = Literal["cpu", "cuda"]
DtypeName = Literal["float32", "bfloat16", "float16"]
WeightsName = Literal["auto", "float32", "bfloat16", "float16", "int8"]
LayoutName = Literal[
    "llada",
    "llada_moe",
    "dream",
    "qwen2",
    "sdar",
    "sdar_moe",
    "llada2_moe",
    "fast_dllm_v2",
    "diffusion_gemma",
    "redraft",
    "block-diffusion",
]

Device = Annotated[DeviceName, typer.Option(help="Where the model runs; cuda needs torch with CUDA.")]
Effort = Annotated[EffortName, typer.Option(help="Passes against quality.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object per result and nothing else.")]
Compile = Annotated[
    bool,
    typer.Option("--compile", help="Compile the passes for this processor, once; takes a C++ compiler and a minute."),
]
