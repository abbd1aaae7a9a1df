import pytest
import torch

from redraft.denoiser import Transformer
from redraft.errors import ConfigError
from redraft.training.hardware import autocast, choose_device, choose_dtype, gemm_ceiling, step_flops

CPU = torch.device("cpu")


@pytest.mark.parametrize(("has_avx", "has_amx"), [(True, False), (False, True)])
@pytest.mark.parametrize(("gain", "expected"), [(0.5, torch.float32), (1.1, torch.float32), (2.0, torch.bfloat16)])
def test_auto_uses_bfloat16_only_where_it_is_faster(
    monkeypatch: pytest.MonkeyPatch, has_avx: bool, has_amx: bool, gain: float, expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has_avx)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: has_amx)
    rates = {torch.float32: 100.0, torch.bfloat16: 100.0 * gain}
    monkeypatch.setattr("redraft.training.hardware.gemm_ceiling", lambda device, dtype: rates[dtype])
    assert choose_dtype("auto", CPU) == expected


def test_a_type_that_is_named_or_can_not_be_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redraft.training.hardware.gemm_ceiling", lambda *_: pytest.fail("nothing is to be measured"))
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    assert choose_dtype("auto", CPU) == torch.float32
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
