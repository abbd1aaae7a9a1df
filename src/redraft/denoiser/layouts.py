"""Which published layout can hold which model.

A layout is how a family publishes: names of weights, keys of config.json. It says how a model computes, too: who sees
whom, whether the output is shifted, what an open position holds. So one layout can hold another's model only where both
compute the same from the same shape.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from redraft.denoiser.families import KNOWN_ARCHITECTURES, FamilySpec, detect_family, read_config, write_config
from redraft.denoiser.published import Published
from redraft.errors import ConfigError

__all__ = ["LAYOUTS", "config_in", "layout_of", "spec_in"]

_PLAIN_QWEN2 = "Qwen2ForCausalLM"
"""The class name under which Open-dCoder publishes what computes like Dream."""

LAYOUTS: Mapping[str, str] = {
    "llada": "LLaDAModelLM",
    "llada_moe": "LLaDAMoEModelLM",
    "dream": "DreamModel",
    "qwen2": _PLAIN_QWEN2,
    "sdar": "SDARForCausalLM",
    "sdar_moe": "SDARMoeForCausalLM",
    "llada2_moe": "LLaDA2MoeModelLM",
    "fast_dllm_v2": "Fast_dLLM_QwenForCausalLM",
    "diffusion_gemma": "DiffusionGemmaForBlockDiffusion",
}
"""Class name in config.json by the name of the published layout."""


def layout_of(config: Mapping[str, Any], spec: FamilySpec) -> str:
    """The name that a checkpoint's layout has in ``LAYOUTS``.

    Args:
        config: Content of its config.json.
        spec: Its family.

    Returns:
        The name.
    """
    listed = config.get("architectures")
    architecture = listed[0] if isinstance(listed, list) and listed else None
    if spec.name == "dream" and (architecture == _PLAIN_QWEN2 or config.get("model_type") == "qwen2"):
        return "qwen2"
    return "sdar_moe" if spec.layout == "qwen3_moe" else spec.name


def spec_in(layout: str, spec: FamilySpec) -> FamilySpec:
    """The family behind a layout, with this model's block length and special ids.

    Args:
        layout: A name in ``LAYOUTS``.
        spec: The model's own family.

    Returns:
        The family to write.

    Raises:
        ConfigError: The family computes something else than the model.
    """
    known = KNOWN_ARCHITECTURES["DreamModel" if layout == "qwen2" else LAYOUTS[layout]]
    ours, theirs = (_how_it_computes(one) for one in (spec, known))
    if ours != theirs:
        differing = "; ".join(f"{a}, not {b}" for a, b in zip(ours, theirs, strict=True) if a != b)
        raise ConfigError(
            f"{spec.name} can't be written as {layout}: this model has {differing}. A layout that computes something "
            "else would hold another model"
        )
    return replace(
        known,
        block_length=spec.block_length,
        mask_token_id=spec.mask_token_id,
        end_token_ids=spec.end_token_ids,
    )


def _how_it_computes(spec: FamilySpec) -> tuple[str, ...]:
    shift = "shifted" if spec.is_shifted else "unshifted"
    return f"{spec.attention} attention", f"{shift} outputs", f"{spec.noise} noise"


def config_in(layout: str, spec: FamilySpec, found: Published) -> dict[str, Any]:
    """The configuration of a model in another layout.

    Args:
        layout: A name in ``LAYOUTS``.
        spec: The family behind it, as ``spec_in`` gives it.
        found: The model.

    Returns:
        Content of config.json.

    Raises:
        ConfigError: It would not read back as the same model.
    """
    shape = read_config(detect_family(found.config, tokenizer_config=found.tokenizer_config), found.config)
    if layout == "qwen2" and found.tokenizer_config.get("mask_token") is None:
        raise ConfigError("can't be written as qwen2: only a mask_token in tokenizer_config.json tells it from Qwen2")
    # Keys that the layouts share, such as the padding token's id, stay; what differs is written anew.
    config = {**found.config, **write_config(spec, shape)}
    if layout == "qwen2":
        config |= {"architectures": [_PLAIN_QWEN2], "model_type": "qwen2"}
    settings = {"tokenizer_config": found.tokenizer_config, "generation_config": found.generation_config}
    try:
        again = detect_family(config, **settings)
        is_same = read_config(again, config) == shape and _same_but_for_layout(again, spec)
    except ConfigError as error:
        raise ConfigError(f"{layout} can't hold this model: {error}") from error
    if not is_same:
        raise ConfigError(f"{layout} can't hold this model: its config.json has no keys for this shape or block length")
    return config


def _same_but_for_layout(one: FamilySpec, other: FamilySpec) -> bool:
    return replace(one, name=other.name, layout=other.layout) == other
