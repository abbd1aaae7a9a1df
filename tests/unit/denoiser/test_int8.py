"""Int8 linear layers: close to the exact ones, a quarter of the memory, the same row alone and in a batch."""

import pytest
import torch
from torch import nn

from redraft.denoiser import int8
from redraft.denoiser.int8 import Int8Linear, quantise_, quantise_rows
from redraft.errors import ConfigError


def weight(rows: int, columns: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_each_weight_comes_back_within_half_a_step(dtype: torch.dtype) -> None:
    exact = weight(40, 24).mul(torch.logspace(-6, 3, 40)[:, None]).to(dtype)
    whole, scale = quantise_rows(exact)
    assert whole.dtype == torch.int8
    assert int(whole.abs().max()) == 127
    assert bool(((whole * scale[:, None] - exact.float()).abs() <= scale[:, None] * 0.5001).all())


def test_rows_of_zeros_and_a_lone_outlier() -> None:
    exact = torch.zeros(3, 8)
    exact[1] = 0.001
    exact[2, 0] = 1e30
    whole, scale = quantise_rows(exact)
    restored = whole * scale[:, None]
    assert bool((restored[0] == 0).all())
    torch.testing.assert_close(restored[1:], exact[1:])


def test_what_can_not_be_quantised() -> None:
    for bad in (float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="NaN"):
            quantise_rows(torch.tensor([[1.0, bad]]))
    with pytest.raises(ConfigError, match="matrix"):
        quantise_rows(torch.zeros(3))


@pytest.mark.parametrize("has_bias", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_product_is_close(has_bias: bool, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    exact = nn.Linear(256, 64, bias=has_bias)
    x = weight(10, 256, seed=1).view(2, 5, 256)
    y = Int8Linear.from_linear(exact)(x.to(dtype))
    assert y.dtype == dtype
    assert y.shape == (2, 5, 64)
    error = (y.float() - exact(x)).norm() / exact(x).norm()
    assert float(error.detach()) < 0.015


def test_slices_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    exact = nn.Linear(32, 50)
    x = weight(7, 32)
    wanted = Int8Linear.from_linear(exact)
    y = wanted(x)
    monkeypatch.setattr(int8, "_SLICE_ELEMENTS", 32 * 16)
    sliced = Int8Linear.from_linear(exact)
    assert bool((sliced.weight == wanted.weight).all())
    assert bool((sliced.scale == wanted.scale).all())
    torch.testing.assert_close(sliced(x), y, atol=1e-6, rtol=1e-6)


def test_a_module_is_changed_in_place_and_shared_layers_stay_shared() -> None:
    torch.manual_seed(0)
    shared = nn.Linear(16, 16)
    model = nn.ModuleDict(
        {
            "embedding": nn.Embedding(5, 16),
            "inside": nn.Sequential(shared, nn.ReLU(), nn.Linear(16, 8)),
            "again": shared,
            "head": nn.Linear(16, 5),
            "norm": nn.LayerNorm(16),
        }
    )
    head = model["head"]
    x = weight(3, 16)
    exact = model["inside"](x)
    bytes_before = sum(p.numel() * p.element_size() for p in model.parameters())
    assert quantise_(model, is_kept=lambda name: name == "head") == 2
    assert model["head"] is head
    assert model["again"] is model["inside"][0]
    assert isinstance(model["inside"][2], Int8Linear)
    torch.testing.assert_close(model["inside"](x), exact, atol=0.02, rtol=0.05)
    tensors = [*model.parameters(), *model.buffers()]
    assert sum(t.numel() * t.element_size() for t in tensors) < 0.6 * bytes_before
    assert quantise_(model, is_kept=lambda name: name == "head") == 0
    again = nn.ModuleDict({"l": Int8Linear.from_linear(nn.Linear(16, 16))})
    again["l"].load_state_dict(model["again"].state_dict())
    assert bool((again["l"](x) == model["again"](x)).all())


def test_a_row_is_the_same_alone_and_in_a_batch() -> None:
    torch.manual_seed(0)
    layer = Int8Linear.from_linear(nn.Linear(64, 64))
    x = weight(4 * 8, 64).view(4, 8, 64)
    together = layer(x)
    for row in range(4):
        torch.testing.assert_close(layer(x[row : row + 1])[0], together[row], atol=1e-6, rtol=1e-6)
