import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from redraft.denoiser.elementwise import normalised, squared_relu, turned, with_prefix


def plain_norm(x: Tensor) -> Tensor:
    return x * math.sqrt(x.shape[-1]) / torch.linalg.vector_norm(x, dim=-1, keepdim=True)


def plain_turn(x: Tensor, angles: Tensor) -> Tensor:
    """Turn each pair of axes by its matrix."""
    cosine, sine = angles.cos()[:, :, None], angles.sin()[:, :, None]
    first, second = plain_norm(x)[..., 0::2], plain_norm(x)[..., 1::2]
    return torch.stack([first * cosine - second * sine, first * sine + second * cosine], dim=-1).flatten(-2)


def draw(*shape: int, seed: int = 0) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=rng, dtype=torch.float64).requires_grad_()


ANGLES = draw(1, 5, 2, seed=1).detach()
ROTATIONS = torch.polar(torch.ones_like(ANGLES), ANGLES)


def test_a_norm_is_its_definition_and_so_is_its_gradient() -> None:
    x = draw(3, 4, 6)
    torch.testing.assert_close(normalised(x), plain_norm(x))
    assert torch.autograd.gradcheck(normalised, (x,))


@pytest.mark.parametrize("size", [0.0, 1e-6])
def test_a_row_that_is_too_short_is_scaled_by_a_constant(size: float) -> None:
    x = torch.tensor([[size, 0.0], [3.0, 4.0]], dtype=torch.float64, requires_grad=True)
    y = normalised(x)
    assert y[0].tolist() == [size * math.sqrt(2) / 1e-4, 0.0]
    y[0].sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.tensor([[math.sqrt(2) / 1e-4] * 2, [0.0, 0.0]], dtype=torch.float64))


def test_a_squared_relu_and_its_gradient() -> None:
    x = draw(2, 3, 5)
    torch.testing.assert_close(squared_relu(x), x.clamp_min(0) ** 2)
    assert torch.autograd.gradcheck(squared_relu, (x,))


def test_queries_and_keys_are_turned_and_values_stay() -> None:
    qkv = draw(2, 5, 3, 2, 4)
    q, k, v = turned(qkv, ROTATIONS)
    torch.testing.assert_close(q, plain_turn(qkv[:, :, 0], ANGLES))
    torch.testing.assert_close(k, plain_turn(qkv[:, :, 1], ANGLES))
    assert v.equal(qkv[:, :, 2])
    assert torch.autograd.gradcheck(lambda x: turned(x, ROTATIONS), (qkv,))


def test_half_precision_is_turned_by_the_same_angles() -> None:
    qkv = draw(2, 5, 3, 2, 4)
    half = qkv.detach().bfloat16().requires_grad_()
    exact, rough = turned(qkv, ROTATIONS), turned(half, ROTATIONS.to(torch.complex64))
    for one, other in zip(exact, rough, strict=True):
        assert other.dtype == torch.bfloat16
        torch.testing.assert_close(one, other.double(), atol=0.05, rtol=0.05)
    sum(part.square().sum() for part in (*exact[:2], exact[2] * 3)).backward()
    sum(part.square().sum() for part in (*rough[:2], rough[2] * 3)).backward()
    assert qkv.grad is not None
    assert half.grad is not None
    torch.testing.assert_close(qkv.grad, half.grad.double(), atol=0.2, rtol=0.1)


def test_a_prefix_gives_its_gradient_to_the_first_positions() -> None:
    x = draw(2, 2, 5, 3)
    whole, first = with_prefix(x, 2)
    assert whole.equal(x)
    assert first.equal(x[:, :, :2])
    assert torch.autograd.gradcheck(lambda x: with_prefix(x, 2), (x,))


@pytest.mark.slow
def test_a_compiler_that_is_given_the_plain_parts_comes_to_the_same_scores_and_gradients() -> None:
    program = Path(__file__).parent / "traced.py"
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout.strip()) == (0, "equal"), done.stderr[-2000:]
