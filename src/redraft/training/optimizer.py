"""Muon for the matrices inside the layers, Adam for embeddings, head and scalars.

Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon): the momentum of each matrix is replaced by the
nearest matrix whose singular values are all near 1, found by Newton-Schulz iterations. ``torch.optim.Muon`` runs these
in bfloat16, which a CPU without native support emulates: 20 to 25 times slower than float32 (``docs/log.md``). Here the
iterations run in float32 on a CPU, on stacks of equal shape, and on the small Gram matrix where that is cheaper.
"""

from collections import defaultdict
from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from redraft.training.config import OptimizerRecipe

__all__ = ["Adam", "Matrices", "MatrixMuon", "MixedOptimizer", "orthogonalise"]

Matrices = Float[Tensor, "count rows columns"]
"""Matrices of one shape."""

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic iteration; they maximise the slope at 0 (Jordan et al. 2024)."""

NUM_FUSED = {"qkv.weight": 3}
"""Parameters that stack several matrices by rows; each is a matrix of its own to Muon."""

EPSILON = 1e-8
"""Keeps Adam's step finite where a gradient has been zero so far (arXiv 1412.6980, section 2)."""

EMBEDDING_NAMES = ("embedding", "canvas_position", "place_value", "head")
"""Top-level modules whose matrices are lookup tables or the output layer, which Adam trains."""


def orthogonalise(stack: Matrices, num_steps: int = 5) -> Matrices:
    """Return, for each matrix, one with the same singular vectors and singular values near 1 (about 0.7 to 1.2).

    X <- p(X X^T) X with p(G) = a I + b G + c G^2, ``num_steps`` times. Since all factors are polynomials of the first
    G = X X^T and commute, the product of the p is kept as one small matrix and multiplies X once.

    Args:
        stack: Matrices of equal shape.
        num_steps: Number of iterations.

    Returns:
        Matrices of the same shape and dtype.
    """
    is_tall = stack.shape[1] > stack.shape[2]
    x = stack.mT if is_tall else stack
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = COEFFICIENTS
    if x.shape[2] >= 2 * x.shape[1]:
        gram = x @ x.mT
        factor = None
        for step in range(num_steps):
            polynomial = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
            polynomial.diagonal(dim1=1, dim2=2).add_(a)
            factor = polynomial if factor is None else polynomial @ factor
            if step + 1 < num_steps:
                gram = polynomial @ gram @ polynomial
        assert factor is not None, "orthogonalise needs one step or more"
        x = factor @ x
    else:
        for _ in range(num_steps):
            gram = x @ x.mT
            x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if is_tall else x


class MatrixMuon:
    """Muon over named matrices, stacked by shape."""

    def __init__(self, named: Iterable[tuple[str, Tensor]], recipe: OptimizerRecipe) -> None:
        self.recipe = recipe
        self.groups: dict[tuple[int, int], list[tuple[str, Tensor]]] = defaultdict(list)
        for name, weight in named:
            parts = next((count for end, count in NUM_FUSED.items() if name.endswith(end)), 1)
            self.groups[(weight.shape[0] // parts, weight.shape[1])].append((name, weight))
        self.momentum = {name: torch.zeros_like(weight) for group in self.groups.values() for name, weight in group}

    @torch.no_grad()
    def step(self, lr_factor: float) -> None:
        """Update every matrix from its gradient."""
        lr, beta = self.recipe.muon_lr * lr_factor, self.recipe.muon_momentum
        for (rows, columns), group in self.groups.items():
            nesterov = []
            for name, weight in group:
                assert weight.grad is not None, f"{name} took no part in the loss"
                momentum = self.momentum[name].lerp_(weight.grad, 1.0 - beta)
                nesterov.append(weight.grad.lerp(momentum, beta).view(-1, rows, columns))
            stack = torch.cat(nesterov)
            if stack.is_cuda:
                stack = stack.bfloat16()
            update = orthogonalise(stack, self.recipe.newton_schulz_steps)
            # Keeps the update's effect on the output the same for wide and tall matrices (Jordan et al. 2024).
            step_size = lr * max(1.0, rows / columns) ** 0.5
            parts = update.to(group[0][1].dtype).split([part.shape[0] for part in nesterov])
            for (_, weight), part in zip(group, parts, strict=True):
                weight.mul_(1.0 - lr * self.recipe.muon_weight_decay)
                weight.add_(part.reshape_as(weight), alpha=-step_size)


class Adam:
    """Adam (arXiv 1412.6980, algorithm 1) over named tensors, without weight decay.

    Written out because ``torch.optim`` imports the compiler with it, which costs seconds of every start.
    """

    def __init__(self, named: Iterable[tuple[str, Tensor]], recipe: OptimizerRecipe) -> None:
        self.recipe = recipe
        self.weights = dict(named)
        self.steps = {name: torch.zeros(()) for name in self.weights}
        self.means = {name: torch.zeros_like(weight) for name, weight in self.weights.items()}
        self.squares = {name: torch.zeros_like(weight) for name, weight in self.weights.items()}

    @torch.no_grad()
    def step(self, lr_factor: float) -> None:
        """Update every tensor from its gradient; one without a gradient is left alone."""
        fast, slow = self.recipe.adamw_betas
        for name, weight in self.weights.items():
            if weight.grad is None:
                continue
            step = float(self.steps[name].add_(1))
            mean = self.means[name].lerp_(weight.grad, 1.0 - fast)
            square = self.squares[name].mul_(slow).addcmul_(weight.grad, weight.grad, value=1.0 - slow)
            spread = square.div(1.0 - slow**step).sqrt_().add_(EPSILON)
            weight.addcdiv_(mean, spread, value=-self.recipe.adamw_lr * lr_factor / (1.0 - fast**step))


class MixedOptimizer:
    """Both optimisers of a model, behind one ``step``; its state is plain named tensors."""

    def __init__(self, model: nn.Module, recipe: OptimizerRecipe) -> None:
        self.recipe = recipe
        self.weights = dict(model.named_parameters())
        uses_muon = recipe.muon_lr > 0
        matrices = {name for name, weight in self.weights.items() if uses_muon and _is_inner_matrix(name, weight)}
        self.muon = MatrixMuon(((name, self.weights[name]) for name in self.weights if name in matrices), recipe)
        self.adam = Adam(((name, self.weights[name]) for name in self.weights if name not in matrices), recipe)

    def clip_gradients(self) -> float:
        """Scale the whole gradient down to ``clip_norm`` and return the norm that it had."""
        return float(nn.utils.clip_grad_norm_(self.weights.values(), self.recipe.clip_norm))

    def step(self, lr_factor: float) -> None:
        """Update every weight and drop the gradients; ``lr_factor`` scales both learning rates."""
        self.muon.step(lr_factor)
        self.adam.step(lr_factor)
        for weight in self.weights.values():
            weight.grad = None

    def state_tensors(self) -> dict[str, Tensor]:
        """Everything that the optimisers remember, by name; the tensors are the live ones."""
        state = {f"muon.{name}": momentum for name, momentum in self.muon.momentum.items()}
        adam = {"step": self.adam.steps, "exp_avg": self.adam.means, "exp_avg_sq": self.adam.squares}
        return state | {f"adamw.{key}.{name}": tensor for key, named in adam.items() for name, tensor in named.items()}


def _is_inner_matrix(name: str, weight: Tensor) -> bool:
    return weight.dim() == 2 and name.split(".")[0] not in EMBEDDING_NAMES
