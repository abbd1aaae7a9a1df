"""A mixture of experts: each token visits the few experts that the router scores best, and the shared one if any."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from redraft.denoiser.families.shape import MixtureConfig
from redraft.types import Hidden

__all__ = ["GatedMlp", "Mixture", "Projection", "Router"]

TokenStates = Float[Tensor, "tokens width"]
"""Activations of all tokens of a batch, one row each."""

Choice = Int[Tensor, "tokens chosen"]
"""Which experts each token visits."""

Weights = Float[Tensor, "tokens chosen"]
"""What each visited expert's output is multiplied by, in float32."""


class Projection(nn.Linear):
    """A linear layer that draws no weights: a checkpoint fills them in, and thousands of draws take many seconds."""

    def reset_parameters(self) -> None:
        """Leave the weights as they are."""


class GatedMlp(nn.Module):
    """down(silu(gate(x)) * up(x)): SwiGLU, arXiv 2002.05202."""

    def __init__(self, width: int, hidden_width: int) -> None:
        super().__init__()
        self.gate = Projection(width, hidden_width, bias=False)
        self.up = Projection(width, hidden_width, bias=False)
        self.down = Projection(hidden_width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Each position by itself."""
        return self.down(F.silu(self.gate(x)) * self.up(x))


class Router(nn.Module):
    """Chooses experts and weighs them, in float32 whatever the weights' type: near-ties decide what a token sees."""

    bias: Tensor | None

    def __init__(self, width: int, config: MixtureConfig) -> None:
        super().__init__()
        self.config = config
        self.weight = nn.Parameter(torch.empty(config.num_experts, width))
        # A buffer, since training moves it by the load of the experts and not by a gradient (arXiv 2408.15664).
        self.register_buffer("bias", torch.empty(config.num_experts) if config.has_bias else None)

    def forward(self, x: TokenStates) -> tuple[Choice, Weights]:
        """Choose the experts of every token.

        Args:
            x: Activations.

        Returns:
            The experts, and the weight of each.
        """
        config = self.config
        outputs = F.linear(x.float(), self.weight.float())
        scores = outputs.softmax(dim=-1) if config.score == "softmax" else outputs.sigmoid()
        biased = scores if self.bias is None else scores + self.bias.float()
        candidates = biased if config.num_groups == 1 else self._in_best_groups(biased)
        chosen = candidates.topk(config.experts_per_token, dim=-1).indices
        weights = (biased if config.is_bias_weighed else scores).gather(1, chosen)
        if config.is_normalised:
            weights = weights / (weights.sum(dim=-1, keepdim=True) + 1e-20)
        return chosen, weights * config.scale

    def _in_best_groups(self, scores: Tensor) -> Tensor:
        """Minus infinity outside the groups whose two best experts score highest together (DeepSeek-V3)."""
        grouped = scores.unflatten(1, (self.config.num_groups, -1))
        kept = grouped.topk(2, dim=-1).values.sum(dim=-1).topk(self.config.kept_groups, dim=-1).indices
        is_kept = torch.zeros_like(grouped[..., 0], dtype=torch.bool).scatter_(1, kept, True)
        return grouped.masked_fill(~is_kept[..., None], -torch.inf).flatten(1)


class Mixture(nn.Module):
    """Router and experts of one layer."""

    def __init__(self, width: int, config: MixtureConfig) -> None:
        super().__init__()
        self.router = Router(width, config)
        self.experts = nn.ModuleList(GatedMlp(width, config.expert_width) for _ in range(config.num_experts))
        self.shared = GatedMlp(width, config.shared_width) if config.shared_width else None

    def forward(self, x_BLD: Hidden) -> Hidden:
        """Each position by itself."""
        x = x_BLD.flatten(0, 1)
        chosen, weights = self.router(x)
        total = torch.zeros_like(x, dtype=torch.float32)
        for expert in chosen.unique().tolist():
            token, place = (chosen == expert).nonzero(as_tuple=True)
            gathered = self.experts[expert](x[token]).float() * weights[token, place, None]
            total.index_add_(0, token, gathered)
        total = total.to(x.dtype)
        if self.shared is not None:
            total = total + self.shared(x)
        return total.view_as(x_BLD)
