import builtins
from pathlib import Path
from typing import Any

import pytest

from redraft.errors import DependencyError
from redraft.training.metrics import MetricsLog, plot_losses, read_metrics


def records_after(path: Path, num_steps_done: int) -> list[int]:
    MetricsLog(path, num_steps_done=num_steps_done).close()
    return [record["step"] for record in read_metrics(path)]


def fill(path: Path) -> None:
    log = MetricsLog(path, num_steps_done=0)
    for step in range(1, 6):
        log.write("step", step, loss=1.0 / step)
    log.sync()
    log.close()


def test_records_come_back(tmp_path: Path) -> None:
    fill(tmp_path / "m.jsonl")
    records = read_metrics(tmp_path / "m.jsonl")
    assert records[2] == {"kind": "step", "step": 3, "loss": 1 / 3}


def test_steps_that_will_be_done_again_are_dropped(tmp_path: Path) -> None:
    fill(tmp_path / "m.jsonl")
    assert records_after(tmp_path / "m.jsonl", 3) == [1, 2, 3]
    assert records_after(tmp_path / "m.jsonl", 0) == []


def test_a_line_torn_by_a_kill_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    fill(path)
    path.write_bytes(path.read_bytes()[:-9])
    assert records_after(path, 99) == [1, 2, 3, 4]
    log = MetricsLog(path, num_steps_done=99)
    log.write("step", 5, loss=0.2)
    log.close()
    assert [record["step"] for record in read_metrics(path)] == [1, 2, 3, 4, 5]


def test_lines_of_other_kinds_of_json_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text('[1]\n{"kind": "step"}\n{"kind": "step", "step": 1}\n')
    assert [record["step"] for record in read_metrics(tmp_path / "m.jsonl")] == [1]


def test_the_plot_is_a_png(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    steps = [
        {"kind": "step", "step": n, "loss": 2.0 / n, "corrupted_nats": 2.0 / n, "clean_nats": 0.1}
        for n in range(1, 900)
    ]
    steps.append({"kind": "validation", "step": 900, "all_mask_nats": 0.5, "one_pass_first_line/0-primes": 0.25})
    plot_losses(steps, tmp_path / "loss.png")
    assert (tmp_path / "loss.png").read_bytes()[:4] == b"\x89PNG"


def test_a_missing_matplotlib_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **keywords: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DependencyError, match=r"pip install 'redraft\[plot\]'"):
        plot_losses([], tmp_path / "loss.png")
