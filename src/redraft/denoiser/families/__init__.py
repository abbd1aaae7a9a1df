"""Public families: LLaDA, LLaDA-MoE, Dream, SDAR, LLaDA2.x, Fast-dLLM v2, DiffusionGemma, without any remote code."""

from redraft.denoiser.families.backbone import Backbone, parameter_shapes
from redraft.denoiser.families.building import build_denoiser
from redraft.denoiser.families.config import read_config
from redraft.denoiser.families.contexts import BlockContext, FullContext
from redraft.denoiser.families.denoisers import BlockDenoiser, FullAttentionDenoiser, block_sight
from redraft.denoiser.families.diffusion_gemma import DiffusionGemmaDenoiser
from redraft.denoiser.families.diffusion_gemma_checkpoint import (
    DiffusionGemmaRules,
    load_diffusion_gemma,
    read_diffusion_gemma_rules,
)
from redraft.denoiser.families.encoder_cache import EncoderCache
from redraft.denoiser.families.family import KNOWN_ARCHITECTURES, FamilySpec, detect_family
from redraft.denoiser.families.names import published_names, redundant_names
from redraft.denoiser.families.shape import BackboneConfig, MixtureConfig
from redraft.denoiser.families.writing import write_config

__all__ = [
    "KNOWN_ARCHITECTURES",
    "Backbone",
    "BackboneConfig",
    "BlockContext",
    "BlockDenoiser",
    "DiffusionGemmaDenoiser",
    "DiffusionGemmaRules",
    "EncoderCache",
    "FamilySpec",
    "FullAttentionDenoiser",
    "FullContext",
    "MixtureConfig",
    "block_sight",
    "build_denoiser",
    "detect_family",
    "load_diffusion_gemma",
    "parameter_shapes",
    "published_names",
    "read_config",
    "read_diffusion_gemma_rules",
    "redundant_names",
    "write_config",
]
