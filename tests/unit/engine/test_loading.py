from pathlib import Path

import pytest
import torch

from redraft.engine import load_engine
from redraft.errors import ConfigError


@pytest.mark.parametrize("device", ["", "gpu", "cuda:one", "meta", "mps"])
def test_a_device_that_is_not_known_is_refused(tiny_checkpoint: Path, device: str) -> None:
    with pytest.raises(ConfigError, match=f"device={device!r} is not known here; use 'cpu' or 'cuda'"):
        load_engine(str(tiny_checkpoint), device=device)


def test_a_missing_cuda_device_is_one_clear_error(tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="device='cuda:1', but torch finds no CUDA device; use 'cpu'"):
        load_engine(str(tiny_checkpoint), device="cuda:1")


def test_graphs_without_a_gpu_are_refused(tiny_checkpoint: Path) -> None:
    with pytest.raises(ConfigError, match="uses_graphs needs a GPU, but device='cpu'"):
        load_engine(str(tiny_checkpoint), uses_graphs=True)
