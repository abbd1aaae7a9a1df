"""The shape of a public model's backbone, as validated records: bounded, so that a damaged file can't ask for much."""

from dataclasses import dataclass
from typing import Literal

from redraft.errors import ConfigError

__all__ = ["MOST_LAYERS", "BackboneConfig", "MixtureConfig"]

MOST_LAYERS = 1000
"""Above any published model's number of layers."""

_LARGEST = {
    "vocab_size": 1 << 21,
    "width": 1 << 16,
    "num_layers": MOST_LAYERS,
    "num_heads": 1024,
    "num_kv_heads": 1024,
    "head_width": 1 << 12,
    "rotary_width": 1 << 12,
    "mlp_width": 1 << 20,
    "num_experts": 1 << 13,
    "expert_width": 1 << 20,
    "context_length": 1 << 24,
}
"""Bounds for numbers from a file, an order of magnitude above any published model."""

_MOST_EXPERTS = 1 << 16
"""Routed experts of all layers together: each is three modules, made before a weight is read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MixtureConfig:
    """How a layer's experts are chosen and weighed."""

    num_experts: int
    """Routed experts of a layer."""

    experts_per_token: int
    """Experts that one token visits."""

    expert_width: int
    """Hidden width of one routed expert."""

    shared_width: int = 0
    """Hidden width of the expert that every token visits; 0 when there is none."""

    score: Literal["softmax", "sigmoid"] = "softmax"
    """How router outputs become scores."""

    is_normalised: bool = False
    """Whether the chosen experts' weights are made to sum to one."""

    scale: float = 1.0
    """Factor on the chosen experts' weights."""

    num_groups: int = 1
    """Groups of experts; a token first chooses groups, by the sum of each group's two best scores."""

    kept_groups: int = 1
    """Groups that a token may choose experts from; no effect with one group."""

    has_bias: bool = False
    """Whether a bias per expert is added to the scores before choosing."""

    is_bias_weighed: bool = False
    """Whether that bias counts in the weights as well (LLaDA-MoE), not in the choice alone (LLaDA2.x)."""

    def __post_init__(self) -> None:
        _check_bounds(self, ("num_experts", "expert_width"))
        if not 1 <= self.experts_per_token <= self.num_experts:
            raise ConfigError(
                f"experts_per_token={self.experts_per_token} is not in 1 to {self.num_experts}, the number of experts"
            )
        if not 0 <= self.shared_width <= _LARGEST["expert_width"]:
            raise ConfigError(f"shared_width={self.shared_width} is not in 0 to {_LARGEST['expert_width']}")
        if not 0.0 < self.scale < 1e6:
            raise ConfigError(f"the scale {self.scale} of the experts' weights is out of range")
        if self.num_groups < 1 or self.num_experts % self.num_groups or not 1 <= self.kept_groups <= self.num_groups:
            raise ConfigError(
                f"{self.num_experts} experts do not split into num_groups={self.num_groups} "
                f"of which kept_groups={self.kept_groups} are kept"
            )
        in_group = self.num_experts // self.num_groups
        if self.num_groups > 1 and (in_group < 2 or self.kept_groups * in_group < self.experts_per_token):
            raise ConfigError(
                f"{self.kept_groups} groups of {in_group} experts can't give a token {self.experts_per_token} experts"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class BackboneConfig:
    """Everything that fixes a backbone's weights and what its forward pass does with them."""

    vocab_size: int
    """Rows of the embedding, all of which are scored."""

    width: int
    """Size of the residual stream."""

    num_layers: int
    """Layers."""

    num_heads: int
    """Query heads."""

    num_kv_heads: int
    """Key and value heads; divides ``num_heads``."""

    head_width: int
    """Width of one head."""

    rotary_width: int
    """Leading part of each head that is rotated (RoPE, arXiv 2104.09864); even, at most ``head_width``."""

    rope_base: float
    """Base of the rotary frequencies."""

    norm_epsilon: float
    """Added to the mean square in each RMSNorm."""

    mlp_width: int
    """Hidden width of a dense layer's MLP; no effect when every layer is a mixture."""

    context_length: int
    """Positions that the model was made for."""

    has_qkv_bias: bool = False
    """Whether queries, keys and values have biases."""

    has_out_bias: bool = False
    """Whether the attention's output projection has a bias."""

    has_qk_norm: bool = False
    """Whether each query and key head goes through an RMSNorm of its own."""

    has_fused_qkv: bool = False
    """Whether the weights of queries, keys and values are one matrix, as LLaDA2.x publishes them."""

    is_tied: bool = False
    """Whether the embedding is the output head as well."""

    mixture: MixtureConfig | None = None
    """Experts of the layers in ``mixture_layers``; None when every layer is dense."""

    mixture_layers: tuple[int, ...] = ()
    """Layers whose MLP is a mixture of experts."""

    def __post_init__(self) -> None:
        names = ("vocab_size", "width", "num_layers", "num_heads", "num_kv_heads", "head_width", "rotary_width")
        _check_bounds(self, (*names, "mlp_width", "context_length"))
        if self.num_heads % self.num_kv_heads:
            raise ConfigError(f"num_kv_heads={self.num_kv_heads} does not divide num_heads={self.num_heads}")
        if self.rotary_width % 2 or self.rotary_width > self.head_width:
            raise ConfigError(f"rotary_width={self.rotary_width} is odd or above head_width={self.head_width}")
        if not (0.0 < self.norm_epsilon < 1.0 and 1.0 < self.rope_base < 1e15):
            raise ConfigError(f"norm_epsilon={self.norm_epsilon} or rope_base={self.rope_base} is out of range")
        if bool(self.mixture_layers) != (self.mixture is not None):
            raise ConfigError("mixture and mixture_layers go together; give both or neither")
        if any(not 0 <= layer < self.num_layers for layer in self.mixture_layers):
            raise ConfigError(f"mixture_layers={self.mixture_layers} leaves the {self.num_layers} layers")
        if self.mixture is not None and self.mixture.num_experts * len(self.mixture_layers) > _MOST_EXPERTS:
            raise ConfigError(f"the layers have more than {_MOST_EXPERTS} experts together; config.json is damaged")


def _check_bounds(record: BackboneConfig | MixtureConfig, names: tuple[str, ...]) -> None:
    for name in names:
        if not 1 <= getattr(record, name) <= _LARGEST[name]:
            raise ConfigError(f"{name}={getattr(record, name)} is not in 1 to {_LARGEST[name]}")
