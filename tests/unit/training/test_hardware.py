import pytest
import torch

from redraft.denoiser import Transformer
from redraft.errors import ConfigError
from redraft.training.hardware import autocast, choose_device, choose_dtype, gemm_ceiling, step_flops

CPU = torch.device("cpu")


def test_auto_uses_bfloat16_only_where_the_processor_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for has_avx, has_amx in ((False, False), (True, False), (False, True)):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda answer=has_avx: answer)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda answer=has_amx: answer)
        expected = torch.bfloat16 if has_avx or has_amx else torch.float32
        assert choose_dtype("auto", CPU) == expected
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
