import pytest
import torch

from redraft.denoiser import Transformer
from redraft.training import OptimizerRecipe
from redraft.training.checkpoint import copy_into
from redraft.training.optimizer import Adam, MatrixMuon, MixedOptimizer, orthogonalise


@pytest.mark.parametrize("shape", [(8, 8), (8, 12), (8, 32), (32, 8)])
def test_orthogonalise_keeps_singular_vectors_and_evens_the_values(shape: tuple[int, int]) -> None:
    rng = torch.Generator().manual_seed(0)
    stack = torch.randn(3, *shape, generator=rng, dtype=torch.float64)
    left, _, right = torch.linalg.svd(stack, full_matrices=False)
    evened = left.mT @ orthogonalise(stack, 5) @ right.mT
    values = evened.diagonal(dim1=1, dim2=2)
    assert float((evened - torch.diag_embed(values)).abs().max()) < 1e-6
    assert 0.3 < float(values.min()) <= float(values.max()) < 1.3


def test_the_small_gram_route_equals_the_plain_iteration() -> None:
    x = torch.randn(2, 8, 40, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    plain = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        gram = plain @ plain.mT
        plain = 3.4445 * plain + (-4.7750 * gram + 2.0315 * gram @ gram) @ plain
    assert torch.allclose(orthogonalise(x, 5), plain, atol=1e-9)


def test_a_matrix_without_gradient_direction_does_not_blow_up() -> None:
    assert bool(orthogonalise(torch.zeros(1, 4, 16)).isfinite().all())


def test_one_muon_step_by_hand() -> None:
    recipe = OptimizerRecipe(muon_lr=0.1, muon_momentum=0.9, muon_weight_decay=0.5)
    weight = torch.nn.Parameter(torch.eye(4))
    weight.grad = torch.arange(16.0).view(4, 4)
    gradient = weight.grad.clone()
    MatrixMuon([("w", weight)], recipe).step(1.0)
    # Nesterov from rest: 0.1 g becomes the momentum, and the update direction is 0.1 g + 0.9 * 0.1 g.
    expected = torch.eye(4) * (1 - 0.1 * 0.5) - 0.1 * orthogonalise(0.19 * gradient[None])[0]
    assert torch.allclose(weight.detach(), expected, atol=1e-6)


def test_fused_query_key_value_matrices_are_treated_one_by_one() -> None:
    recipe = OptimizerRecipe(muon_weight_decay=0.0)
    gradient = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
    fused = torch.nn.Parameter(torch.zeros(12, 4))
    fused.grad = gradient.clone()
    MatrixMuon([("attention.qkv.weight", fused)], recipe).step(1.0)
    for part in range(3):
        single = torch.nn.Parameter(torch.zeros(4, 4))
        single.grad = gradient[4 * part : 4 * part + 4].clone()
        MatrixMuon([("w", single)], recipe).step(1.0)
        assert torch.allclose(fused[4 * part : 4 * part + 4], single, atol=1e-6)


def test_adam_is_torchs_adam() -> None:
    rng = torch.Generator().manual_seed(0)
    ours = torch.nn.Parameter(torch.randn(5, 3, generator=rng))
    theirs = torch.nn.Parameter(ours.detach().clone())
    adam = Adam([("w", ours)], OptimizerRecipe(adamw_lr=0.1, adamw_betas=(0.8, 0.9)))
    reference = torch.optim.Adam([theirs], lr=0.05, betas=(0.8, 0.9))
    for _ in range(5):
        ours.grad = torch.randn(5, 3, generator=rng)
        theirs.grad = ours.grad.clone()
        adam.step(0.5)
        reference.step()
    assert torch.allclose(ours, theirs, atol=1e-6)


@pytest.fixture
def model(tiny_model: Transformer) -> Transformer:
    model = Transformer(tiny_model.config)
    model.reset_parameters(torch.Generator().manual_seed(0))
    return model


def give_gradients(model: Transformer, seed: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    for weight in model.parameters():
        weight.grad = torch.randn(weight.shape, generator=rng)


def test_every_weight_is_trained_by_exactly_one_of_the_two(model: Transformer) -> None:
    optimizer = MixedOptimizer(model, OptimizerRecipe())
    by_muon, by_adam = set(optimizer.muon.momentum), set(optimizer.adam.weights)
    assert by_muon | by_adam == {name for name, _ in model.named_parameters()}
    assert not by_muon & by_adam
    assert "prelude.0.attention.qkv.weight" in by_muon
    assert "head.weight" not in by_muon
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    give_gradients(model, 0)
    optimizer.step(1.0)
    assert all(not weight.detach().equal(before[name]) for name, weight in model.named_parameters())
    assert all(weight.grad is None for weight in model.parameters())


def test_a_zero_factor_changes_nothing(model: Transformer) -> None:
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    optimizer = MixedOptimizer(model, OptimizerRecipe())
    give_gradients(model, 0)
    optimizer.step(0.0)
    assert all(weight.detach().equal(before[name]) for name, weight in model.named_parameters())


def test_the_gradient_is_clipped_as_a_whole(model: Transformer) -> None:
    optimizer = MixedOptimizer(model, OptimizerRecipe(clip_norm=0.5))
    give_gradients(model, 0)
    assert optimizer.clip_gradients() > 0.5
    total = sum(float(weight.grad.square().sum()) for weight in model.parameters() if weight.grad is not None)
    assert total**0.5 == pytest.approx(0.5, rel=1e-3)


def test_state_survives_as_plain_tensors(model: Transformer) -> None:
    twin = Transformer(model.config)
    first = MixedOptimizer(model, OptimizerRecipe())
    give_gradients(model, 0)
    first.step(1.0)
    twin.load_state_dict(model.state_dict())
    second = MixedOptimizer(twin, OptimizerRecipe())
    copy_into(second.state_tensors(), first.state_tensors(), "state")
    for seed in (1, 2):
        for optimizer, each in ((first, model), (second, twin)):
            give_gradients(each, seed)
            optimizer.step(0.5)
    assert all(a.equal(b) for a, b in zip(model.parameters(), twin.parameters(), strict=True))
