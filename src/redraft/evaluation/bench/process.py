"""Starts workers and talks to them."""

import json
import os
import subprocess
import sys
from typing import Any

import redraft.errors
from redraft.errors import RedraftError
from redraft.openmp import WAITING, wait_awake

__all__ = ["WorkerProcess"]

_CLOSING_S = 20
"""A worker that is asked to end, and does not, is ended."""


class WorkerProcess:
    """One worker.

    Args:
        name: Whose it is, for messages.
        num_threads: Threads for its products.
        waits_actively: Whether its threads spin as long as OpenMP lets them between products, which is what
            llama.cpp is used with; ours spin as they do when users run a command.
    """

    def __init__(self, name: str, *, num_threads: int, waits_actively: bool = False) -> None:
        self.name = name
        environment = {key: value for key, value in os.environ.items() if key not in WAITING}
        environment["OMP_NUM_THREADS"] = str(num_threads)
        if not waits_actively:
            wait_awake(environment)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "redraft.evaluation.bench.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environment,
        )
        assert self._process.stdin is not None, "it is a pipe"
        assert self._process.stdout is not None, "it is a pipe"
        self._to, self._from = self._process.stdin, self._process.stdout

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Have one thing done.

        Args:
            do: What.
            **arguments: Plain values.

        Returns:
            The answer.

        Raises:
            RedraftError: The worker raised it, or is gone.
        """
        try:
            self._to.write(json.dumps({"do": do, **arguments}) + "\n")
            self._to.flush()
            line = self._from.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RedraftError(f"the process of the {self.name} arm ended with status {self._process.wait()}")
        reply = json.loads(line)
        if "error" in reply:
            kind = getattr(redraft.errors, reply["error"], RedraftError)
            raise kind(reply["message"])
        return reply["ok"]

    def close(self) -> None:
        """End the process."""
        self._to.close()
        try:
            self._process.wait(_CLOSING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._from.close()
