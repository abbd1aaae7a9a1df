"""The baseline of every claim: an autoregressive model of our model's size on our own engine, with its cache."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from redraft.denoiser import Transformer, TransformerConfig
from redraft.engine import AutoregressiveEngine, load_engine
from redraft.errors import ConfigError
from redraft.evaluation.bench.arms import EngineArm
from redraft.text import Tokenizer

__all__ = ["open_left_to_right"]


def open_left_to_right(
    model: str | None, config: TransformerConfig, tokenizer: Tokenizer
) -> tuple[EngineArm, dict[str, Any]]:
    """Open the arm: a trained checkpoint, or random weights in our model's shape.

    Args:
        model: Name or path of a causal checkpoint; None for random weights.
        config: The shape to have where there is no checkpoint.
        tokenizer: The one to read with where there is no checkpoint.

    Returns:
        The arm, and what the report says of it.

    Raises:
        ConfigError: The checkpoint is not causal.
    """
    if model is None:
        transformer = _random(replace(config, is_causal=True, uses_self_conditioning=False), tokenizer)
        engine = AutoregressiveEngine.from_transformer(transformer, tokenizer, name="random")
        weights = "random; for speed only"
    else:
        engine = load_engine(model)
        weights = Path(model).name
        if not isinstance(engine, AutoregressiveEngine):
            raise ConfigError(f"--autoregressive {weights}: this model doesn't write left to right; train a causal arm")
    transformer = engine.denoiser
    assert isinstance(transformer, Transformer), "the engine takes nothing else"
    return EngineArm(engine, is_trained=model is not None), {
        "engine": "redraft",
        "weights": weights,
        "digest": engine.digest,
        "dtype": engine.dtype,
        "context_length": engine.context_length,
        "num_parameters": sum(weight.numel() for weight in transformer.parameters()),
    }


@torch.no_grad()
def _random(config: TransformerConfig, tokenizer: Tokenizer) -> Transformer:
    """Weights drawn everywhere; what is no text scores 0, which is never the most, so that every pass gives a token."""
    model = Transformer(config).eval().requires_grad_(False)
    rng = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        weight.normal_(0.0, 0.02, generator=rng)
    model.head.weight[tokenizer.special.first :] = 0.0
    return model
