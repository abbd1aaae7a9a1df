"""A denoiser put together from published weights, each of which must have its place."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from redraft.denoiser.families.backbone import Backbone
from redraft.denoiser.families.config import read_config
from redraft.denoiser.families.denoisers import BlockDenoiser, FullAttentionDenoiser
from redraft.denoiser.families.family import FamilySpec
from redraft.denoiser.families.names import published_names, redundant_names
from redraft.errors import CheckpointError, ConfigError

__all__ = ["build_denoiser"]


def build_denoiser(
    spec: FamilySpec, config: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> FullAttentionDenoiser | BlockDenoiser:
    """A denoiser over published weights.

    Args:
        spec: The checkpoint's family; its block length decides, whatever ``config`` says.
        config: Content of the checkpoint's ``config.json``.
        tensors: The weights by their published names. Each is fetched once and used as it is, without a copy, so
            that memory-mapped ones stay on disk until they are needed.

    Returns:
        The denoiser, in evaluation mode and without gradients.

    Raises:
        CheckpointError: If a weight is missing, left over, of the wrong shape or not a floating-point one.
        ConfigError: If the configuration is out of range or not supported.
    """
    shape = read_config(spec, config)
    if spec.mask_token_id is not None and spec.mask_token_id >= shape.vocab_size:
        raise ConfigError(
            f"the mask token's id {spec.mask_token_id} is outside the vocabulary of {shape.vocab_size}; "
            "give tokenizer_config.json too, or the checkpoint is damaged"
        )
    names = published_names(spec, shape)
    with torch.device("meta"):
        backbone = Backbone(shape)
    _refuse_wrong_names(tensors, names, redundant_names(spec, shape))
    weights: dict[str, Tensor] = {}
    for name, expected in backbone.state_dict().items():
        weight = tensors[names[name]]
        if weight.shape != expected.shape or not weight.is_floating_point():
            raise CheckpointError(
                f"the weight {names[name]} is {weight.dtype} of shape {tuple(weight.shape)}; "
                f"config.json asks for floating point of shape {tuple(expected.shape)}"
            )
        weights[name] = weight
    backbone.load_state_dict(weights, assign=True)
    backbone.requires_grad_(False)
    kind = FullAttentionDenoiser if spec.attention == "full" else BlockDenoiser
    return kind(spec, backbone).eval()


def _refuse_wrong_names(tensors: Mapping[str, Tensor], names: Mapping[str, str], redundant: frozenset[str]) -> None:
    """Every published weight has its place, and every place its weight."""
    missing = sorted(set(names.values()) - set(tensors))
    if missing:
        raise CheckpointError(f"{len(missing)} weights are missing, {missing[0]} for one; a shard may be absent")
    left_over = sorted(set(tensors) - set(names.values()) - redundant)
    if left_over:
        raise CheckpointError(
            f"{len(left_over)} weights have no place in this model, {left_over[0][:200]} for one; "
            "the weights and config.json are of different models"
        )
