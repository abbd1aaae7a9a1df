"""The shape of the native transformer, as one validated record."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from redraft.errors import ConfigError, did_you_mean

__all__ = ["TransformerConfig"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TransformerConfig:
    """Everything that fixes the weights' shapes and what the forward pass does with them.

    >>> TransformerConfig(vocab_size=32, width=16, num_heads=2, num_prelude_layers=1).num_visits
    1
    """

    vocab_size: int
    """Token ids that are embedded and scored, special tokens included."""

    width: int
    """Size of the residual stream."""

    num_heads: int
    """Attention heads; divides ``width`` into heads of an even size."""

    num_prelude_layers: int
    """Layers that run once, before the loop; without a loop, all of them."""

    num_loop_layers: int = 0
    """Layers whose weights are shared by all loops; 0 means that there is no loop."""

    num_loops: int = 1
    """How often the loop layers run; no effect when ``num_loop_layers`` is 0."""

    num_coda_layers: int = 0
    """Layers that run once, after the loop."""

    mlp_multiple: int = 4
    """Width of the hidden layer of each MLP over ``width``."""

    context_length: int = 1024
    """Longest settled context, in tokens."""

    canvas_length: int = 128
    """Longest canvas: each position has an embedding of its own, since an all-mask canvas is otherwise blind."""

    digit_token_ids: tuple[int, ...] = ()
    """Ids of the ten digits; empty switches place values off."""

    num_place_values: int = 4
    """Places told apart in a run of context digits, from the units up; no effect without ``digit_token_ids``."""

    rope_base: float = 1000.0
    """Base of the rotary frequencies (RoPE, arXiv 2104.09864); small, since texts here are short."""

    uses_self_conditioning: bool = False
    """Whether the last pass's probabilities are fed back (Analog Bits, arXiv 2208.04202)."""

    is_causal: bool = False
    """Left to right: each position sees only itself and earlier ones. Makes the autoregressive baseline."""

    has_bidirectional_context: bool = False
    """With ``is_causal``: settled segments still see themselves whole, only the canvas is read left to right (prefix
    LM, arXiv 1910.10683). Without it they always do, so it has no effect."""

    def __post_init__(self) -> None:
        for name in (
            "vocab_size",
            "width",
            "num_heads",
            "num_loops",
            "mlp_multiple",
            "context_length",
            "canvas_length",
        ):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}={getattr(self, name)} is too small; use 1 or more")
        for name in ("num_prelude_layers", "num_loop_layers", "num_coda_layers", "num_place_values"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name}={getattr(self, name)} is negative; use 0 or more")
        if self.num_visits < 1:
            raise ConfigError("the transformer has no layer; set num_prelude_layers to 1 or more")
        if self.width % self.num_heads or (self.width // self.num_heads) % 2:
            raise ConfigError(
                f"width={self.width} does not split into num_heads={self.num_heads} heads of an even size; "
                f"use a width that is a multiple of {2 * self.num_heads}"
            )
        if self.digit_token_ids and len(self.digit_token_ids) != 10:
            raise ConfigError(f"digit_token_ids holds {len(self.digit_token_ids)} ids; give all ten digits or none")
        if any(not 0 <= token < self.vocab_size for token in self.digit_token_ids):
            raise ConfigError(f"digit_token_ids={self.digit_token_ids} leaves the vocabulary of {self.vocab_size}")

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.width // self.num_heads

    @property
    def num_visits(self) -> int:
        """Layer passes in one forward: each loop visits the shared layers again."""
        return self.num_prelude_layers + self.num_loop_layers * self.num_loops + self.num_coda_layers

    @property
    def has_causal_context(self) -> bool:
        """Whether settled segments, too, are read left to right."""
        return self.is_causal and not self.has_bidirectional_context

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self) | {"digit_token_ids": list(self.digit_token_ids)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TransformerConfig":
        """Read what ``to_dict`` wrote.

        Args:
            values: Settings by name; those with a default may be missing.

        Returns:
            The checked record.

        Raises:
            ConfigError: If a key is unknown or missing, or a value is out of range.
        """
        known = {field.name: field for field in fields(cls)}
        for key in values:
            if key not in known:
                raise ConfigError(f"unknown model setting {key!r}; {did_you_mean(key, sorted(known))}")
        read = {key: _checked(key, value, str(known[key].type)) for key, value in values.items()}
        try:
            return cls(**read)
        except TypeError as error:
            raise ConfigError(f"the model settings are incomplete: {error}") from None


def _checked(key: str, value: Any, kind: str) -> Any:
    """Refuse a value of the wrong type, which JSON and TOML can carry."""
    if kind.startswith("tuple"):
        if isinstance(value, list | tuple) and all(type(item) is int for item in value):
            return tuple(value)
        raise ConfigError(f"{key}={value!r} is not a list of whole numbers")
    allowed = {"int": (int,), "float": (int, float), "bool": (bool,)}[kind.removeprefix("<class '").removesuffix("'>")]
    if type(value) not in allowed:
        raise ConfigError(f"{key}={value!r} is not of type {kind}")
    return value
