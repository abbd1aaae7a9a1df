"""From the name of a model to an engine that answers."""

from collections.abc import Callable
from pathlib import Path

import torch

from redraft.denoiser import LeanTransformer, Transformer
from redraft.denoiser.checkpoint import CONFIG_NAME, FORMAT, load_checkpoint
from redraft.denoiser.int8_matrix import has_fast_int8
from redraft.denoiser.manifest import MANIFEST_NAME
from redraft.denoiser.pass_program import ProgramShape
from redraft.denoiser.program_store import Programs, find_programs
from redraft.engine.autoregressive import engine_for
from redraft.engine.catalog import DEFAULT_MODEL
from redraft.engine.engine import Engine
from redraft.engine.hub import resolve_model
from redraft.engine.published import load_published
from redraft.errors import CheckpointError, ConfigError
from redraft.reading import find_inside, parse_json, read_file

__all__ = ["load_engine"]

_NATIVE_DTYPES = ("auto", "float32", "int8")
_MAX_CONFIG_BYTES = 1 << 20


def load_engine(
    model: str = DEFAULT_MODEL,
    *,
    device: str = "cpu",
    dtype: str = "auto",
    uses_graphs: bool = False,
    is_compiled: bool = False,
    tell: Callable[[str], None] = lambda message: None,
) -> Engine:
    """Load a checkpoint and put it to work: one of our own, or a published one of a family that is known here.

    Args:
        model: The name of a shipped checkpoint, a path with a separator in it, or ``owner/name`` on the hub.
        device: Where it shall run: cpu, cuda, or cuda:1 and so on.
        dtype: Type of the weights in memory: auto, float32, bfloat16, float16 or int8. Our own models take float32 or
            int8, and auto means int8 where the processor multiplies whole numbers faster. int8 stays within a percent
            of float32's scores (``docs/speed.md``).
        uses_graphs: Record each shape of a pass as a CUDA graph and replay it; for our own diffusion models on a GPU.
        is_compiled: Compile the passes for this processor, or take what was compiled before: half the time a pass, and
            scores to within rounding. For our own diffusion models on a CPU; takes a C++ compiler.
        tell: Called with one line before a compilation, which takes up to a minute.

    Returns:
        The engine.

    Raises:
        ConfigError: There is no such model or device, its architecture is unknown, or it does not fit.
        CheckpointError: It is damaged.
        DependencyError: It needs a package that is not installed, or a compiler.
    """
    _check_device(device)
    if uses_graphs and torch.device(device).type != "cuda":
        raise ConfigError(f"uses_graphs needs a GPU, but device={device!r}; use 'cuda', or leave uses_graphs out")
    if is_compiled and torch.device(device).type != "cpu":
        raise ConfigError(f"compiled passes are for a CPU, but device={device!r}; use 'cpu', or don't compile")
    folder = resolve_model(model)
    if not _is_ours(folder):
        if uses_graphs:
            raise ConfigError(f"uses_graphs is for our own models; {model} is a published one, leave uses_graphs out")
        if is_compiled:
            raise ConfigError(f"only our own models' passes are compiled; {model} is a published one, don't compile")
        return load_published(folder, name=model, device=device, dtype=dtype)
    if dtype not in _NATIVE_DTYPES:
        raise ConfigError(f"dtype={dtype!r} is for published models; {model} takes auto, float32 or int8")
    loaded = load_checkpoint(folder, device=device)
    if uses_graphs and loaded.model.config.is_causal:
        raise ConfigError(f"uses_graphs is for diffusion; {model} writes left to right, leave uses_graphs out")
    is_int8 = _is_int8(loaded.model, device, dtype)
    programs = _programs(loaded.model, model, is_int8=is_int8, tell=tell) if is_compiled else None
    return engine_for(loaded.model).from_checkpoint(
        loaded, name=model, uses_graphs=uses_graphs, is_int8=is_int8, programs=programs
    )


def _programs(model: Transformer, name: str, *, is_int8: bool, tell: Callable[[str], None]) -> Programs:
    shape = ProgramShape.of(model, is_int8=is_int8) if LeanTransformer.fits(model) else None
    if shape is None:
        raise ConfigError(
            f"only diffusion models without loops or self-conditioning are compiled; {name} is none, don't compile"
        )
    return find_programs(shape, tell=tell)


def _is_int8(model: Transformer, device: str, dtype: str) -> bool:
    """Whether one of our own models is to multiply in whole numbers."""
    can = torch.device(device).type == "cpu" and LeanTransformer.fits(model)
    if dtype == "int8" and not can:
        raise ConfigError(
            f"dtype='int8' is for diffusion models in float32 on a CPU; use 'float32' with device={device!r}"
        )
    return dtype == "int8" or (dtype == "auto" and can and has_fast_int8())


def _check_device(device: str) -> None:
    try:
        kind = torch.device(device).type
    except RuntimeError:
        kind = ""
    if kind not in ("cpu", "cuda"):
        raise ConfigError(f"device={device!r} is not known here; use 'cpu' or 'cuda'")
    if kind == "cuda" and not torch.cuda.is_available():
        raise ConfigError(f"device={device!r}, but torch finds no CUDA device; use 'cpu'")


def _is_ours(folder: Path) -> bool:
    """Whether config.json says so; where it says nothing any more, a manifest is ours too."""
    path = find_inside(folder, CONFIG_NAME)
    try:
        return parse_json(read_file(path, _MAX_CONFIG_BYTES), folder / CONFIG_NAME).get("format") == FORMAT
    except CheckpointError:
        return (folder / MANIFEST_NAME).exists()
