"""A worker answers line by line; what it raises on purpose comes out here as what it is."""

import json
from pathlib import Path

import pytest

from redraft.errors import ConfigError, RedraftError
from redraft.evaluation.bench.process import WorkerProcess
from redraft.evaluation.bench.worker import Worker, serve


def test_errors_on_purpose_are_replies(tmp_path: Path) -> None:
    lines = ['{"do": "open", "kind": "diffusion", "model": "no-such", "threads": 1}\n', '{"do": "memory"}\n']
    replies: list[str] = []
    serve(Worker(tmp_path), lines, replies.append)
    first, second = (json.loads(line) for line in replies)
    assert first["error"] == "ConfigError"
    assert "no-such" in first["message"]
    assert second["ok"]["peak_bytes"] >= second["ok"]["before_loading_bytes"] > 1 << 20


@pytest.mark.slow
def test_a_process_answers_raises_and_ends(tiny_checkpoint: Path) -> None:
    worker = WorkerProcess("diffusion", num_threads=1)
    try:
        assert worker.ask("memory")["peak_bytes"] > 1 << 20
        with pytest.raises(ConfigError, match="no-such"):
            worker.ask("open", kind="diffusion", model="no-such", threads=1)
        about = worker.ask("open", kind="diffusion", model=str(tiny_checkpoint), threads=1)
        assert about["weights"] == "tiny"
        with pytest.raises(RedraftError, match="diffusion arm ended"):
            worker.ask("no such thing")
    finally:
        worker.close()
