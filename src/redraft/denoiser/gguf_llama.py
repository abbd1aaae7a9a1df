"""A llama to time llama.cpp with: as much work per token as one of our own transformers, and random weights.

Our own layers (norms without parameters, normalised queries, ReLU², places on a canvas) have no architecture there, so
the file holds a *llama* of the same width, depth, heads and vocabulary, with as wide an MLP as gives it as many
parameters: good for speed, and for nothing else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from redraft.denoiser.config import TransformerConfig
from redraft.denoiser.gguf import BLOCK, F32, Q8_0, Setting, Stored, quantise_blocks, write_gguf
from redraft.errors import ConfigError

__all__ = ["LlamaShape", "write_random_llama"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LlamaShape:
    """The shape of a llama.

    >>> LlamaShape.like(TransformerConfig(vocab_size=2048, width=128, num_heads=4, num_prelude_layers=6)).hidden_width
    352
    """

    vocab_size: int
    """Token ids."""
    width: int
    """Size of the residual stream; a multiple of 32, which is a block of Q8_0."""
    num_heads: int
    """Attention heads."""
    num_layers: int
    """Layers."""
    hidden_width: int
    """Width of the gated MLP, which has three matrices; a multiple of 32."""
    context_length: int
    """Longest text."""
    rope_base: float
    """Base of the rotary frequencies."""

    def __post_init__(self) -> None:
        for name in ("width", "hidden_width"):
            if getattr(self, name) % BLOCK:
                raise ConfigError(
                    f"{name}={getattr(self, name)} does not fill blocks of Q8_0; use a multiple of {BLOCK}"
                )

    @classmethod
    def like(cls, config: TransformerConfig) -> "LlamaShape":
        """Return the llama that does as much work per token as one of our own transformers.

        Layers that a loop visits several times count as often as they are visited.

        Args:
            config: The transformer's.

        Returns:
            The shape.

        Raises:
            ConfigError: Its width does not go with Q8_0.
        """
        # Two matrices of mlp_multiple * width against three of hidden_width, rounded to whole blocks.
        hidden = round(2 * config.mlp_multiple * config.width / (3 * BLOCK)) * BLOCK
        return cls(
            vocab_size=config.vocab_size,
            width=config.width,
            num_heads=config.num_heads,
            num_layers=config.num_visits,
            hidden_width=max(BLOCK, hidden),
            context_length=config.context_length + config.canvas_length,
            rope_base=config.rope_base,
        )

    @property
    def num_parameters(self) -> int:
        """Weights, norms included."""
        return sum(rows * columns for _, rows, columns in self.matrices()) + (2 * self.num_layers + 1) * self.width

    def matrices(self) -> Iterator[tuple[str, int, int]]:
        """Yield the name, the outputs and the inputs of each matrix, as the format calls them."""
        width, hidden = self.width, self.hidden_width
        yield "token_embd.weight", self.vocab_size, width
        for layer in range(self.num_layers):
            for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
                yield f"blk.{layer}.{name}.weight", width, width
            yield f"blk.{layer}.ffn_gate.weight", hidden, width
            yield f"blk.{layer}.ffn_up.weight", hidden, width
            yield f"blk.{layer}.ffn_down.weight", width, hidden
        yield "output.weight", self.vocab_size, width

    def norms(self) -> Iterator[str]:
        """Yield the name of each norm's weight."""
        for layer in range(self.num_layers):
            yield f"blk.{layer}.attn_norm.weight"
            yield f"blk.{layer}.ffn_norm.weight"
        yield "output_norm.weight"

    def settings(self) -> dict[str, Setting]:
        """Return what llama.cpp reads before the weights; tokens go in and out as ids, so there is no tokenizer."""
        return {
            "general.architecture": "llama",
            "general.name": "redraft-bench",
            "general.file_type": 7,  # mostly Q8_0
            "general.quantization_version": 2,
            "llama.vocab_size": self.vocab_size,
            "llama.context_length": self.context_length,
            "llama.embedding_length": self.width,
            "llama.block_count": self.num_layers,
            "llama.feed_forward_length": self.hidden_width,
            "llama.attention.head_count": self.num_heads,
            "llama.attention.layer_norm_rms_epsilon": 1e-6,
            "llama.rope.dimension_count": self.width // self.num_heads,
            "llama.rope.freq_base": float(self.rope_base),
            "tokenizer.ggml.model": "none",
        }


def write_random_llama(path: Path, shape: LlamaShape, *, seed: int = 0) -> None:
    """Write a llama with random weights in Q8_0.

    Args:
        path: The file.
        shape: Its shape.
        seed: Fixes the weights.
    """
    rng = np.random.default_rng(seed)
    tensors: dict[str, Stored] = {}
    for name, rows, columns in shape.matrices():
        weight = rng.standard_normal((rows, columns), np.float32) / np.sqrt(np.float32(columns))
        tensors[name] = ((columns, rows), Q8_0, quantise_blocks(weight))
    for name in shape.norms():
        tensors[name] = ((shape.width,), F32, np.ones(shape.width, "<f4").tobytes())
    write_gguf(path, shape.settings(), tensors)
