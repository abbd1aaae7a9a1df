"""Products in whole numbers: close to the exact ones, and the same bits in any company."""

import pytest
import torch

from redraft.denoiser import int8_matrix
from redraft.denoiser.int8_matrix import Int8Matrix, add_product_, has_fast_int8, product
from redraft.errors import ConfigError


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_a_product_is_that_of_the_rounded_matrix_and_the_rounded_rows() -> None:
    x, exact = draw(11, 40), draw(40, 24, seed=1)
    matrix = Int8Matrix.of(exact)
    step = x.abs().amax(dim=1, keepdim=True) / 127
    expected = (x / step).round().mul(step).double() @ (matrix.whole * matrix.scale).double()
    torch.testing.assert_close(product(x, matrix), expected.float(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_it_is_within_a_percent_of_the_exact_one(size: float) -> None:
    x, exact = draw(64, 128) * size, draw(128, 96, seed=1)
    error = product(x, Int8Matrix.of(exact)) - product(x, exact)
    assert float(error.norm() / product(x, exact).norm()) < 0.015


def test_an_outlier_costs_only_its_own_row_and_column() -> None:
    x, exact = draw(8, 32), draw(32, 16, seed=1)
    x[3, 5], exact[7, 2] = 1e5, 1e5
    error = (product(x, Int8Matrix.of(exact)) - product(x, exact)).abs()
    error[3], error[:, 2] = 0.0, 0.0
    assert float(error.max()) < 0.3


def test_zeros_stay_zeros() -> None:
    matrix = Int8Matrix.of(torch.zeros(16, 8))
    assert torch.equal(product(torch.zeros(3, 16), matrix), torch.zeros(3, 8))
    assert torch.equal(product(draw(3, 16), matrix), torch.zeros(3, 8))
    assert torch.equal(product(torch.zeros(3, 16), Int8Matrix.of(draw(16, 8))), torch.zeros(3, 8))


def test_a_row_has_the_same_bits_in_any_company() -> None:
    x, matrix = draw(37, 128), Int8Matrix.of(draw(128, 72, seed=1))
    together = product(x, matrix)
    for rows in ([0], [36], [5, 6, 7], list(range(0, 37, 2))):
        assert torch.equal(product(x[rows], matrix), together[rows])


def test_columns_are_those_of_the_whole() -> None:
    x, matrix = draw(9, 32), Int8Matrix.of(draw(32, 48, seed=1))
    assert torch.equal(product(x, matrix.columns(16, 32)), product(x, matrix)[:, 16:32])
    assert torch.equal(product(x, matrix.columns(40)), product(x, matrix)[:, 40:])


def test_adding_is_in_place_for_both_kinds() -> None:
    x, exact = draw(9, 32), draw(32, 48, seed=1)
    for matrix in (exact, Int8Matrix.of(exact)):
        total = draw(9, 48, seed=2)
        before = total.clone()
        assert add_product_(total, x, matrix) is total
        torch.testing.assert_close(total, before + product(x, matrix))


def test_what_can_not_be_rounded_is_refused() -> None:
    with pytest.raises(ConfigError, match="NaN"):
        Int8Matrix.of(torch.tensor([[1.0, float("nan")]]))


def test_a_row_that_is_not_finite_stays_so() -> None:
    x = draw(2, 16)
    x[0, 3] = float("nan")
    found = product(x, Int8Matrix.of(draw(16, 8, seed=1)))
    assert bool(found[0].isnan().all())
    assert bool(found[1].isfinite().all())


def test_the_choice_is_told_by_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    for has_vnni in (False, True):
        monkeypatch.setattr(torch.cpu, "_is_vnni_supported", lambda has=has_vnni: has)
        assert has_fast_int8() == has_vnni


def test_a_torch_without_such_products_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(int8_matrix, "_multiply", None)
    assert not has_fast_int8()
    with pytest.raises(ConfigError, match="no product of whole numbers; use float32"):
        Int8Matrix.of(draw(16, 8))
