"""A transformer in which each path matters."""

import torch

from redraft.denoiser import Transformer, TransformerConfig

__all__ = ["randomised"]


def randomised(config: TransformerConfig) -> Transformer:
    """Every weight drawn, also those that start at zero."""
    model = Transformer(config)
    rng = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0.0, 0.25, generator=rng)
    return model.eval()
