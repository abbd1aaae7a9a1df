"""The child that runs one candidate: first it gives up what it may do, then it loads the text as a module.

It is never told what is right, so nothing that it could print or forge makes a wrong function pass.
"""

import ctypes
import importlib.abc
import importlib.util
import json
import os
import random
import resource
import sys
from typing import Any

from .plain import decoded, spelled

__all__ = ["hide_from_tracers", "leave_root", "run", "shut_in"]

_NOBODY = 65534
_SET_DUMPABLE, _SET_SECCOMP, _SET_NO_NEW_PRIVILEGES, _FILTER_MODE = 4, 22, 38, 2

_USUAL_MODULES = (
    *(
        "bisect",
        "collections",
        "copy",
        "datetime",
        "decimal",
        "fractions",
        "functools",
        "hashlib",
        "heapq",
        "itertools",
    ),
    *("math", "operator", "re", "statistics", "string", "typing"),
)
"""Loaded before root is left: afterwards the interpreter's own folder may be out of reach."""


class _Text(importlib.abc.InspectLoader):
    """Loads a module from a text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def get_source(self, fullname: str) -> str:
        return self.text


def hide_from_tracers() -> None:
    """Keep other processes of the same user from reading or writing this one's memory (Linux)."""
    for name in _USUAL_MODULES:
        importlib.import_module(name)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)


def leave_root() -> None:
    """Become nobody, where this is root."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)


def shut_in(writing: int, settings: dict[str, object]) -> None:
    """Give up, for good, everything but computing and one pipe.

    Args:
        writing: The pipe.
        settings: As the server has them.
    """
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.closerange(3, writing)
    os.closerange(writing + 1, 4096)
    memory, seconds = int(str(settings["memory_bytes"])), int(float(str(settings["seconds"]))) + 1
    limits = {"AS": memory, "CPU": seconds, "FSIZE": 0, "CORE": 0, "NPROC": 0, "NOFILE": 64}
    for name, most in limits.items():
        try:
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))
        except (ValueError, OSError):
            # Some systems know no limit on memory; the clock and the filter are still there.
            continue
    program = bytes.fromhex(str(settings["filter"]))
    if program:
        _filter_calls(program)


def _filter_calls(program: bytes) -> None:
    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))

    prctl = ctypes.CDLL(None).prctl
    record = Program(len(program) // 8, program)
    if prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or prctl(_SET_SECCOMP, _FILTER_MODE, ctypes.byref(record), 0, 0):
        os._exit(3)


def run(job: dict[str, Any], writing: int) -> None:
    """Load the text, call its function and write what came.

    Args:
        job: ``source``, ``function`` and ``calls``: spelled tuples of arguments.
        writing: Where the outputs go: JSON with ``outputs`` (spelled values; null: raised) and ``fault``.
    """
    # Taken before the candidate runs, which may change any name of any module.
    write, leave, dumps = os.write, os._exit, json.dumps
    outputs, fault = _outputs(job)
    answer = dumps({"outputs": outputs, "fault": fault}).encode()
    while answer:
        answer = answer[write(writing, answer) :]
    leave(0)


def _outputs(job: dict[str, Any]) -> tuple[list[str | None], str]:
    spell, error_name, keeps_order = spelled, _error_name, bool(job["keeps_order"])
    all_arguments = [decoded(call) for call in job["calls"]]
    random.seed(0)
    spec = importlib.util.spec_from_loader("answer", _Text(job["source"]))
    assert spec is not None, "a loader makes a spec"
    assert spec.loader is not None, "and the spec has it"
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        function = getattr(module, job["function"], None)
    except BaseException as error:
        return [], error_name(error)
    if not callable(function):
        return [], "NameError"
    outputs: list[str | None] = []
    fault = ""
    for arguments in all_arguments:
        try:
            outputs.append(spell(function(*arguments), keeps_order=keeps_order))
        except BaseException as error:
            outputs.append(None)
            fault = fault or error_name(error)
    return outputs, fault


def _error_name(error: BaseException) -> str:
    name = type(error).__name__
    return name[:60] if type(name) is str else "Exception"
