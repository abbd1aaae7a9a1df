import platform
import subprocess
import sys

import pytest
import torch

from redraft.denoiser import Transformer
from redraft.errors import ConfigError
from redraft.training import hardware
from redraft.training.hardware import autocast, choose_device, choose_dtype, gemm_ceiling, keep_freed_memory, step_flops

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("has_bf16", "has_amx", "is_amd", "wanted"),
    [
        (True, True, False, torch.bfloat16),
        (True, False, False, torch.float32),
        (True, False, True, torch.bfloat16),
        (False, False, True, torch.float32),
    ],
)
def test_auto_uses_bfloat16_only_where_it_is_faster(
    monkeypatch: pytest.MonkeyPatch, has_bf16: bool, has_amx: bool, is_amd: bool, wanted: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has_bf16)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: has_amx)
    monkeypatch.setattr(hardware, "_is_amd", lambda: is_amd)
    assert choose_dtype("auto", CPU) == wanted
    assert choose_dtype("auto", CPU, by_autocast=True) == (torch.bfloat16 if has_amx else torch.float32)
    assert choose_dtype("bfloat16", CPU) == torch.bfloat16
    assert choose_dtype("auto", torch.device("cuda")) == torch.bfloat16
    assert choose_dtype("float32", torch.device("cuda")) == torch.float32


def test_a_missing_cuda_device_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == CPU
    with pytest.raises(ConfigError, match="no CUDA device"):
        choose_device("cuda")


def test_autocast_changes_products_only_when_asked() -> None:
    x = torch.ones(2, 2)
    with autocast(CPU, torch.float32):
        assert (x @ x).dtype == torch.float32
    with autocast(CPU, torch.bfloat16):
        assert (x @ x).dtype == torch.bfloat16


def test_a_step_costs_six_operations_per_weight_and_position(tiny_model: Transformer) -> None:
    inner = sum(weight.numel() for name, weight in tiny_model.named_parameters() if name.startswith("prelude"))
    head = tiny_model.head.weight.numel()
    assert step_flops(tiny_model.config, 10, 4) == 6 * (10 * inner + 4 * head)


def test_the_ceiling_is_a_positive_rate() -> None:
    assert gemm_ceiling(CPU, torch.float32, size=64) > 0


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_freed_memory_is_used_again() -> None:
    """Of fifty results of 8 MiB, 2,048 pages each, few take a page that the process did not hold."""
    code = (
        "import resource, torch; from redraft.training.hardware import keep_freed_memory; assert keep_freed_memory(); "
        "torch.set_num_threads(1); x = torch.ones(2 << 20); [x * x for _ in range(3)]; "
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt; [[x * x, x + x] and None for _ in range(25)]; "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 10_000


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    assert not keep_freed_memory()
