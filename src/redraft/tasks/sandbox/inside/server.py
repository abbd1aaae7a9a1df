"""The process inside the sandbox: it takes jobs, runs none of them itself, and forks one child for each.

It reads frames (four bytes of length, then JSON) from standard input and writes frames to standard output. A child gets
neither: only a pipe of its own. What the child writes there is passed on unread, up to a limit.
"""

import json
import os
import select
import signal
import sys
import time

from . import candidate

__all__ = ["main"]

_DONE, _TOO_LONG, _TOO_MUCH = b"d", b"t", b"m"
"""First byte of a reply: the child ended by itself, was stopped by the clock, or wrote too much."""


def main(settings: dict[str, object]) -> None:
    """Serve until standard input ends.

    Args:
        settings: ``filter`` (hexadecimal), ``memory_bytes``, ``output_bytes`` and ``seconds``.
    """
    candidate.hide_from_tracers()
    candidate.leave_root()
    _write_frame(b"reusable" if settings["filter"] else b"once")
    while (header := sys.stdin.buffer.read(4)) and len(header) == 4:
        job = sys.stdin.buffer.read(int.from_bytes(header, "big"))
        _write_frame(_reply(job, settings))
        if not settings["filter"]:
            return


def _reply(job: bytes, settings: dict[str, object]) -> bytes:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        # Nothing that the child does may ever reach the server's loop again.
        try:
            candidate.shut_in(writing, settings)
            candidate.run(json.loads(job), writing)
        finally:
            os._exit(1)
    os.close(writing)
    ending, output = _collect(reading, float(str(settings["seconds"])), int(str(settings["output_bytes"])))
    os.close(reading)
    _end(child)
    return ending + output


def _collect(reading: int, seconds: float, most: int) -> tuple[bytes, bytes]:
    """What the child writes before it closes its pipe, the time is up or it has written too much."""
    until = time.monotonic() + seconds
    output = b""
    while len(output) <= most:
        left = until - time.monotonic()
        if left <= 0 or not select.select([reading], [], [], left)[0]:
            return _TOO_LONG, b""
        piece = os.read(reading, 65536)
        if not piece:
            return _DONE, output
        output += piece
    return _TOO_MUCH, b""


def _end(child: int) -> None:
    """Kill the child's group, which it leads, and then the child in case it has left the group."""
    for kill in (os.killpg, os.kill):
        try:
            kill(child, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
    os.waitpid(child, 0)


def _write_frame(payload: bytes) -> None:
    sys.stdout.buffer.write(len(payload).to_bytes(4, "big") + payload)
    sys.stdout.buffer.flush()
