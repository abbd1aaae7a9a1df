"""Runs a function that nobody vouches for, and hands back what it returned.

The text runs as a module in a process of its own: inside bubblewrap where it is installed (no network, no files but
the interpreter's, nobody's user), always under limits of memory, time, files and processes, and on Linux behind a
filter of system calls that leaves it nothing but computing. The process that forks these children runs no foreign
line. What is right is never told inside: whoever asked compares. The answer's channel belongs to one child alone.
"""

import atexit
import contextlib
import json
import os
import select
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from redraft.errors import DependencyError
from redraft.tasks.sandbox.inside.plain import spelled
from redraft.tasks.sandbox.launch import end_group, start_command
from redraft.tasks.sandbox.system_calls import filter_program

__all__ = ["Limits", "Sandbox", "Trial", "default_sandbox"]

_GRACE_SECONDS = 3.0
"""How much longer than a candidate its server may take, which stops it; a slow machine starts no slower than this."""

_START_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one candidate may use up."""

    seconds: float = 2.0
    """Of the clock, for loading and all calls together."""
    memory_bytes: int = 256 << 20
    """Of address space."""
    output_bytes: int = 256 << 10
    """Of all returned values, spelled out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What came out of one candidate."""

    outputs: tuple[str | None, ...]
    """Per call the spelled value; None: it raised, or returned what is no plain value."""
    fault: str
    """The first thing that went wrong: name of an exception, or `time`, `output` or `ended`; empty: nothing."""


class Sandbox:
    """One server process, started when it is needed and replaced when it is gone."""

    def __init__(self, limits: Limits | None = None, *, uses_bubblewrap: bool | None = None) -> None:
        """Prepare; no process is started yet.

        Args:
            limits: Of each candidate.
            uses_bubblewrap: None: where it is installed and works.
        """
        self.limits = limits or Limits()
        self.uses_bubblewrap = uses_bubblewrap
        self._process: subprocess.Popen[bytes] | None = None
        self._is_reusable = False
        self._owner = 0
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def run(
        self, source: str, function: str, calls: Sequence[tuple[object, ...]], *, keeps_order: bool = False
    ) -> Trial:
        """Load a text as a module and call one of its functions.

        Args:
            source: Any text at all.
            function: Name of the function.
            calls: Arguments of each call, plain values.
            keeps_order: Spell returned dicts in their order, not in one order for all that are equal.

        Returns:
            What it returned; a candidate never makes this raise.

        Raises:
            DependencyError: If this system can't fork.
        """
        job: dict[str, object] = {"source": source, "function": function, "keeps_order": keeps_order}
        job["calls"] = [spelled(call, keeps_order=True) for call in calls]
        frame = json.dumps(job).encode()
        with self._lock:
            reply = self._ask(len(frame).to_bytes(4, "big") + frame)
            if reply == b"":
                # The server was gone: it dies with the thread that started it. A candidate that kills it gets no third.
                reply = self._ask(len(frame).to_bytes(4, "big") + frame)
            if not self._is_reusable:
                self._stop()
        return _read_reply(reply, len(calls))

    def close(self) -> None:
        """End the server; the next run starts another."""
        with self._lock:
            self._stop()

    def _ask(self, frame: bytes) -> bytes | None:
        self._ensure_process()
        process = self._process
        assert process is not None, "a server was just ensured"
        assert process.stdin is not None, "it has a pipe"
        try:
            process.stdin.write(frame)
            process.stdin.flush()
            reply = _read_frame(process, self.limits.seconds + _GRACE_SECONDS, self.limits.output_bytes + 65536)
        except OSError:
            reply = b""
        if not reply:
            self._stop()
        return reply

    def _ensure_process(self) -> None:
        """Start a server, unless this very process has one that lives."""
        if self._process is not None and self._owner == os.getpid() and self._process.poll() is None:
            return
        if not hasattr(os, "fork"):
            raise DependencyError("running written programs needs a system that can fork; use Linux or macOS")
        self._stop()
        limits = self.limits
        settings = {
            "filter": filter_program().hex(),
            "memory_bytes": limits.memory_bytes,
            "output_bytes": limits.output_bytes,
            "seconds": limits.seconds,
        }
        self._folder = tempfile.TemporaryDirectory(prefix="redraft-sandbox-")
        # The server may not be root any more when it enters its folder.
        os.chmod(self._folder.name, 0o755)
        self._process = subprocess.Popen(
            start_command(json.dumps(settings), uses_bubblewrap=self.uses_bubblewrap),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder.name,
            env={},
            start_new_session=True,
        )
        self._owner = os.getpid()
        greeting = _read_frame(self._process, _START_SECONDS, 100)
        self._is_reusable = greeting == b"reusable"
        if not greeting:
            self._stop()
            raise DependencyError("the sandbox does not start here: Python, or bubblewrap, is not allowed to")

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None and self._owner == os.getpid():
            end_group(process)
        folder, self._folder = self._folder, None
        if folder is not None and self._owner == os.getpid():
            with contextlib.suppress(OSError):
                folder.cleanup()


def _read_frame(process: "subprocess.Popen[bytes]", seconds: float, most: int) -> bytes | None:
    """The next frame; None: the server is late or out of its mind; empty: it is gone."""
    assert process.stdout is not None, "the server has a pipe"
    until = time.monotonic() + seconds
    data = b""
    while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4], "big"):
        left = until - time.monotonic()
        if left <= 0 or len(data) > most or not select.select([process.stdout], [], [], left)[0]:
            return None
        piece = os.read(process.stdout.fileno(), 65536)
        if not piece:
            return b""
        data += piece
    return data[4:]


def _read_reply(reply: bytes | None, num_calls: int) -> Trial:
    """What a child says about itself: nothing in it is taken for granted."""
    nothing = (None,) * num_calls
    if not reply or reply[:1] != b"d":
        return Trial(outputs=nothing, fault={b"t": "time", b"m": "output"}.get((reply or b"")[:1], "ended"))
    try:
        record = json.loads(reply[1:])
        outputs, fault = record["outputs"], record["fault"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return Trial(outputs=nothing, fault="ended")
    if not isinstance(outputs, list) or not isinstance(fault, str) or len(outputs) != num_calls:
        return Trial(outputs=nothing, fault=fault[:60] if isinstance(fault, str) and fault else "ended")
    return Trial(outputs=tuple(item if isinstance(item, str) else None for item in outputs), fault=fault[:60])


_DEFAULT = Sandbox()
atexit.register(_DEFAULT.close)


def default_sandbox() -> Sandbox:
    """The sandbox that the tasks share; its server ends with this process."""
    return _DEFAULT
