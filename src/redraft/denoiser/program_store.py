"""Compiled programs: made once by the machine's C++ compiler, kept in the user's cache folder, loaded in no time.

A program is machine code, so it is loaded from nowhere but a folder of the user's own that nobody else may write to,
and its name says all that it hangs on: this source, torch's version, the processor, the shape of the model.
"""

import hashlib
import os
import platform
import stat
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from redraft.denoiser import pass_program
from redraft.denoiser.pass_program import ProgramShape, samples
from redraft.errors import ConfigError, DependencyError

__all__ = ["Programs", "find_programs", "program_folder"]

_Run = Callable[[list[Tensor]], list[Tensor]]
"""A loaded program: all arguments and results in order, lists spread out."""

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def program_folder() -> Path:
    """Where programs are kept: ``redraft/programs`` in the user's cache folder (``XDG_CACHE_HOME`` or ``~/.cache``)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "redraft" / "programs"


class Programs:
    """The compiled programs of a shape; all arguments are contiguous, which they take for granted."""

    def __init__(self, runs: dict[str, _Run]) -> None:
        self._score, self._encode = runs["pass"], runs["encode"]

    def score(
        self,
        tokens: Tensor,
        slots: Tensor,
        weights: Tensor,
        wanted: Tensor,
        tables: list[Tensor],
        keys: list[Tensor],
        values: list[Tensor],
    ) -> Tensor:
        """One pass; see ``PassProgram.forward``."""
        return self._score([tokens, slots, weights, wanted, *tables, *keys, *values])[0]

    def encode(
        self, tokens: Tensor, place_values: Tensor, weights: Tensor, tables: list[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Take in a first segment; see ``EncodeProgram.forward``."""
        keys, values = self._encode([tokens, place_values, weights, *tables])
        return keys, values


def find_programs(shape: ProgramShape, *, tell: Callable[[str], None] = lambda message: None) -> Programs:
    """Return the compiled programs of a shape; compile first what is not there, which takes about a minute.

    Args:
        shape: Which programs.
        tell: Called with one line before each compilation.

    Returns:
        The programs.

    Raises:
        ConfigError: The folder can't be used.
        DependencyError: There is no C++ compiler, or it fails.
    """
    folder = program_folder()
    _prepare(folder)
    runs: dict[str, _Run] = {}
    key = _key(shape)
    for name in ("pass", "encode"):
        path = folder / f"{name}-{key}.pt2"
        if not path.exists():
            tell(f"compiling for this processor, once: {path}; this takes half a minute")
            _compile(shape, name, path)
        runs[name] = _load(path)
    return Programs(runs)


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = folder.stat()
    except OSError as error:
        raise ConfigError(
            f"can't use {folder} for compiled programs: {error.strerror or error}; point XDG_CACHE_HOME at a folder of "
            "your own, or don't compile"
        ) from error
    is_own = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    if not is_own or (os.name == "posix" and status.st_mode & _WRITABLE_BY_OTHERS):
        raise ConfigError(
            f"{folder} belongs to somebody else or others may write to it, and machine code from there would run as "
            "you; make it yours alone (chmod 700), or don't compile"
        )


def _key(shape: ProgramShape) -> str:
    """What a program hangs on, in 16 hexadecimal digits."""
    source = Path(pass_program.__file__).read_bytes()
    parts = (source, torch.__version__, platform.machine(), platform.system(), _processor(), shape)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _processor() -> str:
    """Its instructions, as the compiler would use them all."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")


def _compile(shape: ProgramShape, name: str, path: Path) -> None:
    """Write the package at once under its name, so that nobody ever loads half of it."""
    from torch import _inductor  # half a second and more, so not before it is needed

    program, arguments, lengths = samples(shape)[name]
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent, suffix=".pt2")
    os.close(descriptor)
    try:
        # torch's compiler warns of its own deprecated parts, which is nobody's concern here.
        with torch.no_grad(), warnings.catch_warnings(action="ignore"):
            exported = torch.export.export(program, arguments, dynamic_shapes=lengths)
            # One thread between the products: there is too little to do for more, and no bit hangs on their number.
            _inductor.aoti_compile_and_package(
                exported, package_path=unfinished, inductor_configs={"cpp.threads": 1, "cpp.dynamic_threads": False}
            )
        os.replace(unfinished, path)
    except Exception as error:  # what a compiler may raise is written down nowhere
        raise DependencyError(
            f"the pass can't be compiled here ({type(error).__name__}: {_first_line(error)}); it takes a C++ compiler "
            "such as g++ with OpenMP. Install one, or don't compile"
        ) from error
    finally:
        Path(unfinished).unlink(missing_ok=True)


def _load(path: Path) -> _Run:
    """Take the package in; by torch's inner loader where there is one, since the outer imports the whole compiler."""
    loader: Any = getattr(getattr(torch._C, "_aoti", None), "AOTIModelPackageLoader", None)
    try:
        if loader is not None:
            return loader(str(path), "model", False, 1, -1).run
        from torch import _inductor

        return _inductor.aoti_load_package(str(path)).loader.run
    except RuntimeError as error:
        raise ConfigError(f"{path} can't be loaded ({_first_line(error)}); delete it to compile it again") from error


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no message")
