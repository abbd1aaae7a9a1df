"""The command line that starts the server, with bubblewrap around it where that is installed, and how it is ended."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path

__all__ = ["end_group", "has_bubblewrap", "start_command"]

_INSIDE = Path(__file__).parent / "inside"

_START = "import json, sys; sys.path.insert(0, sys.argv[1]); import inside.server as s; s.main(json.loads(sys.argv[2]))"
"""Isolated Python leaves out the script's own folder, so it is named."""

_SYSTEM_FOLDERS = ("lib", "lib64", "lib32", "libx32", "bin")


def start_command(settings: str, *, uses_bubblewrap: bool | None) -> list[str]:
    """Words of the command.

    Args:
        settings: For the server, as JSON.
        uses_bubblewrap: None: where it is installed and works.

    Returns:
        What to start, with an empty environment.
    """
    if uses_bubblewrap is None:
        uses_bubblewrap = has_bubblewrap()
    python = os.path.realpath(sys.executable)
    flags = ["-I", "-S", "-B", "-c", _START]
    if not uses_bubblewrap:
        return [python, *flags, str(_INSIDE.parent), settings]
    return [*_bubblewrap(), python, *flags, "/sandbox", settings]


@cache
def has_bubblewrap() -> bool:
    """Whether bubblewrap is installed and may make its namespaces here."""
    if shutil.which("bwrap") is None:
        return False
    command = [*_bubblewrap(), os.path.realpath(sys.executable), "-I", "-S", "-c", ""]
    return subprocess.run(command, capture_output=True, env={}, check=False).returncode == 0


def _bubblewrap() -> list[str]:
    """Everything of its own: users, processes, network, host name; of the files only the interpreter's, to read."""
    words = [shutil.which("bwrap") or "bwrap", "--unshare-all", "--die-with-parent", "--new-session"]
    words += ["--uid", "65534", "--gid", "65534", "--cap-drop", "ALL", "--clearenv", "--hostname", "sandbox"]
    for folder in _SYSTEM_FOLDERS:
        real = Path("/", folder)
        if real.is_symlink():
            words += ["--symlink", os.readlink(real), str(real)]
        elif real.exists():
            words += ["--ro-bind", str(real), str(real)]
    prefix = str(Path(sys.base_prefix).resolve())
    for folder in ("/usr", prefix):
        if folder == "/usr" or not prefix.startswith("/usr"):
            words += ["--ro-bind", folder, folder]
    words += ["--ro-bind", str(_INSIDE), "/sandbox/inside"]
    words += ["--proc", "/proc", "--dev", "/dev", "--size", "65536", "--tmpfs", "/empty"]
    return [*words, "--remount-ro", "/", "--chdir", "/empty"]


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill a server with everything it started, and let go of its pipes.

    Args:
        process: The leader of its group.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    process.wait()
