"""One arm in a process of its own: ``python -m redraft.evaluation.bench.worker``, one JSON object a line each way.

A process of its own, because the most memory that a process has held can't be told apart by arm, and because threads
of one engine that wait for work by spinning take the cores from another.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from redraft.errors import RedraftError
from redraft.evaluation.bench.arms import Arm, EngineArm
from redraft.evaluation.bench.ceiling import measure_pass
from redraft.evaluation.bench.machine import peak_bytes
from redraft.evaluation.bench.opening import open_arm
from redraft.evaluation.bench.scaling import measure_scaling
from redraft.evaluation.bench.workload import Asked, Workload, draw_workload
from redraft.text import Tokenizer

__all__ = ["Worker", "main", "serve"]


class Worker:
    """Does what the run asks for, one message at a time.

    Args:
        folder: For files that live as long as the process.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._arm: Arm | None = None
        self._tokenizer: Tokenizer | None = None
        self._drawn: dict[Workload, list[Asked]] = {}
        self._before = peak_bytes()

    def handle(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Do one thing.

        Args:
            message: ``do`` says what; the rest are its arguments.

        Returns:
            The answer, ready for JSON.
        """
        return {
            "open": self._open,
            "turn": self._turn,
            "memory": self._memory,
            "pass": self._pass,
            "scaling": self._scaling,
        }[message["do"]](message)

    def _open(self, message: Mapping[str, Any]) -> dict[str, Any]:
        torch.set_num_threads(message["threads"])
        since = time.perf_counter()
        self._arm, about = open_arm(message["kind"], message, self._folder)
        self._tokenizer = Tokenizer.from_json(message.get("tokenizer") or about["tokenizer"])
        return {**about, "load_s": round(time.perf_counter() - since, 3)}

    def _turn(self, message: Mapping[str, Any]) -> dict[str, Any]:
        assert self._arm is not None, "an arm is opened before it answers"
        assert self._tokenizer is not None, "an arm is opened before it answers"
        workload = Workload.from_dict(message["workload"])
        if workload not in self._drawn:
            self._drawn[workload] = draw_workload(workload, self._tokenizer)
        asked = self._drawn[workload]
        turn = self._arm.answer(asked, effort=message["effort"], batch=message["batch"], seed=workload.seed)
        return turn.to_dict()

    def _memory(self, message: Mapping[str, Any]) -> dict[str, Any]:
        del message
        return {"peak_bytes": peak_bytes(), "before_loading_bytes": self._before}

    def _pass(self, message: Mapping[str, Any]) -> dict[str, Any]:
        assert isinstance(self._arm, EngineArm), "passes over a canvas are the diffusion arm's"
        return measure_pass(self._arm.engine, message["shape"], repeats=message["repeats"])

    def _scaling(self, message: Mapping[str, Any]) -> dict[str, Any]:
        assert isinstance(self._arm, EngineArm), "passes over a canvas are the diffusion arm's"
        return measure_scaling(self._arm.engine, message["grid"], repeats=message["repeats"])


def serve(worker: Worker, lines: Iterable[str], write: Callable[[str], object]) -> None:
    """Handle messages until there are no more; an error on purpose is a reply too.

    Args:
        worker: Who handles them.
        lines: One JSON object a line.
        write: Takes each answer, a line.
    """
    for line in lines:
        try:
            reply = {"ok": worker.handle(json.loads(line))}
        except RedraftError as error:
            reply = {"error": type(error).__name__, "message": str(error)}
        write(json.dumps(reply) + "\n")


def main() -> None:
    """Serve standard input; whatever libraries print goes to standard error."""
    with tempfile.TemporaryDirectory() as folder, os.fdopen(os.dup(1), "w", 1, encoding="utf-8") as replies:
        os.dup2(2, 1)
        serve(Worker(Path(folder)), sys.stdin, replies.write)


if __name__ == "__main__":
    main()
