"""Which public family a checkpoint belongs to, read from its ``config.json``: facts only, no weights, no code.

A family says who sees whom, whether a position is scored by its neighbour to the left, and which ids are special. Ids
come from the checkpoint; where the published configuration lacks one, the published sampling code's own default stands
in, with its source beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from redraft.errors import ConfigError

__all__ = ["KNOWN_ARCHITECTURES", "FamilySpec", "detect_family"]

Attention = Literal["full", "block", "encoder_canvas"]
Layout = Literal["llada", "llada_moe", "llama", "qwen2", "qwen3", "qwen3_moe", "llada2_moe", "transformers"]

_MAX_BLOCK_LENGTH = 4096
"""Published blocks have 4 to 256 positions; far more is a damaged configuration."""

_MAX_TOKEN_ID = 1 << 24


@dataclass(frozen=True, kw_only=True, slots=True)
class FamilySpec:
    """What the sampler and the engine have to know of a public model.

    >>> detect_family({"architectures": ["SDARForCausalLM"], "block_size": 8, "mask_token_id": 5}).block_length
    8
    """

    name: str
    """One of "llada", "llada_moe", "dream", "sdar", "llada2_moe", "fast_dllm_v2", "diffusion_gemma"."""

    layout: Layout
    """How the published weights and shape keys are named; see ``names`` and ``config``."""

    attention: Attention
    """full: everything sees everything; block: blocks see themselves and earlier ones; encoder_canvas: two passes."""

    is_shifted: bool
    """Whether the output at position i - 1 scores position i, as in the autoregressive model that it grew from."""

    noise: Literal["masked", "uniform"]
    """What an open position holds."""

    block_length: int | None
    """Positions of a block or a canvas; None when the family has no length of its own."""

    mask_token_id: int | None
    """Id of the mask; None when there is none, or when only the tokenizer knows."""

    end_token_ids: tuple[int, ...] = ()
    """Ids that end an answer, as far as the configuration tells; a tokenizer may name more."""

    def __post_init__(self) -> None:
        if self.block_length is not None and not 1 <= self.block_length <= _MAX_BLOCK_LENGTH:
            raise ConfigError(f"block_length={self.block_length} is not in 1 to {_MAX_BLOCK_LENGTH}")
        if self.attention == "block" and self.block_length is None:
            raise ConfigError(f"the family {self.name} needs a block_length; give the checkpoint's own")
        for token in (*self.end_token_ids, *(() if self.mask_token_id is None else (self.mask_token_id,))):
            if not 0 <= token < _MAX_TOKEN_ID:
                raise ConfigError(f"special token id {token} is out of range; the checkpoint's config.json is damaged")


_LLADA = FamilySpec(
    name="llada",
    layout="llada",
    attention="full",
    is_shifted=False,
    noise="masked",
    block_length=None,
    mask_token_id=126336,  # LLaDA generate.py, default of mask_id; the configuration has it too
    end_token_ids=(126081,),  # LLaDA configuration, eos_token_id
)

_LLADA_MOE = replace(
    _LLADA,
    name="llada_moe",
    layout="llada_moe",
    mask_token_id=156895,  # dInfer benchmarks, mask_id of LLaDA-MoE; its configuration has none
    end_token_ids=(156892,),  # likewise, eos_id
)

_DREAM = FamilySpec(
    name="dream",
    layout="qwen2",
    attention="full",
    is_shifted=True,
    noise="masked",
    block_length=None,
    mask_token_id=151666,  # Dream configuration class, default of mask_token_id
    end_token_ids=(151643,),  # Dream configuration, eos_token_id
)

_SDAR = FamilySpec(
    name="sdar",
    layout="qwen3",
    attention="block",
    is_shifted=False,
    noise="masked",
    block_length=4,  # SDAR README; each checkpoint's configuration has its own block_size
    mask_token_id=151669,  # SDAR README and configuration
    end_token_ids=(151643,),
)

_LLADA2 = FamilySpec(
    name="llada2_moe",
    layout="llada2_moe",
    attention="block",
    is_shifted=False,
    noise="masked",
    block_length=32,  # LLaDA2.x generate, default of block_length; the configuration has none
    mask_token_id=156895,  # likewise, mask_id
    end_token_ids=(156892,),  # likewise, eos_id
)

_FAST_DLLM_V2 = FamilySpec(
    name="fast_dllm_v2",
    layout="qwen2",
    attention="block",
    is_shifted=True,
    noise="masked",
    block_length=32,  # configuration class, default of bd_size
    mask_token_id=151665,  # Fast-dLLM v2 forward and generate, default of mask_id; the configuration has none
    end_token_ids=(151645,),  # likewise, stop_token
)

_DIFFUSION_GEMMA = FamilySpec(
    name="diffusion_gemma",
    layout="transformers",
    attention="encoder_canvas",
    is_shifted=False,
    noise="uniform",
    block_length=256,  # transformers' DiffusionGemmaConfig, default of canvas_length
    mask_token_id=None,
    end_token_ids=(1,),  # likewise, eos_token_id of the text configuration
)

KNOWN_ARCHITECTURES: Mapping[str, FamilySpec] = {
    "LLaDAModelLM": _LLADA,
    "LLaDAMoEModel": _LLADA_MOE,
    "LLaDAMoEModelLM": _LLADA_MOE,
    "DreamModel": _DREAM,
    "SDARForCausalLM": _SDAR,
    "SDARMoeForCausalLM": replace(_SDAR, layout="qwen3_moe"),
    "LLaDA2MoeModelLM": _LLADA2,
    "Fast_dLLM_QwenForCausalLM": _FAST_DLLM_V2,
    "DiffusionGemmaForBlockDiffusion": _DIFFUSION_GEMMA,
}
"""The family behind each class name that published configurations carry in ``architectures``."""

_BY_MODEL_TYPE: Mapping[str, FamilySpec] = {
    "llada": _LLADA,
    "lladamoe": _LLADA_MOE,
    "Dream": _DREAM,
    "sdar": _SDAR,
    "sdar_moe": replace(_SDAR, layout="qwen3_moe"),
    "llada2_moe": _LLADA2,
    "Fast_dLLM_Qwen": _FAST_DLLM_V2,
    "diffusion_gemma": _DIFFUSION_GEMMA,
}
"""Asked only when a configuration names no class: LLaDA and LLaDA-MoE share their ``model_type``."""

_AUTOREGRESSIVE = "autoregressive; convert it first (redraft convert --to block-diffusion) and adapt it"

_BLOCK_KEYS = {"sdar": "block_size", "fast_dllm_v2": "bd_size", "diffusion_gemma": "canvas_length"}


def detect_family(
    config: Mapping[str, Any],
    *,
    tokenizer_config: Mapping[str, Any] | None = None,
    generation_config: Mapping[str, Any] | None = None,
) -> FamilySpec:
    """The family of a checkpoint, with the checkpoint's own block length and special ids in it.

    Args:
        config: Content of its ``config.json``.
        tokenizer_config: Content of its ``tokenizer_config.json``. A plain Qwen2 with a mask token in it is a
            diffusion model that kept Qwen2's name (Open-dCoder).
        generation_config: Content of its ``generation_config.json``, which may name more ids that end an answer.

    Returns:
        The family.

    Raises:
        ConfigError: If the architecture is unknown, or a value is of the wrong type or out of range.
    """
    spec = _known_family(config, tokenizer_config or {})
    block_length = config.get(_BLOCK_KEYS.get(spec.name, ""))
    if block_length is not None:
        spec = replace(spec, block_length=_whole("block length", block_length))
    mask = config.get("mask_token_id")
    mask = _mask_in_tokenizer(tokenizer_config or {}) if mask is None else mask
    if mask is not None and spec.noise == "masked":
        spec = replace(spec, mask_token_id=_whole("mask_token_id", mask))
    text_config = config.get("text_config")  # DiffusionGemma keeps its ids one floor down
    holders = (generation_config or {}, text_config if isinstance(text_config, Mapping) else config)
    found = [token for holder in holders for token in _ends(holder)]
    if not found:
        return spec
    # Fast-dLLM v2 inherits the base model's end of text but stops at the end of a turn, so that both are kept.
    kept = spec.end_token_ids if spec.name == "fast_dllm_v2" else ()
    return replace(spec, end_token_ids=tuple(dict.fromkeys((*kept, *found))))


def _ends(holder: Mapping[str, Any]) -> list[int]:
    """The ids under ``eos_token_id``, which is one id or a list."""
    ends = holder.get("eos_token_id")
    if ends is None:
        return []
    return [_whole("eos_token_id", token) for token in (ends if isinstance(ends, list | tuple) else [ends])]


def _known_family(config: Mapping[str, Any], tokenizer_config: Mapping[str, Any]) -> FamilySpec:
    """The table's entry, before the checkpoint's own numbers."""
    listed = config.get("architectures") or []
    architecture = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], str) else None
    model_type = config.get("model_type")
    if architecture is not None and architecture in KNOWN_ARCHITECTURES:
        return KNOWN_ARCHITECTURES[architecture]
    if architecture is None and isinstance(model_type, str) and model_type in _BY_MODEL_TYPE:
        return _BY_MODEL_TYPE[model_type]
    if architecture in ("Qwen2ForCausalLM", None) and model_type == "qwen2":
        if tokenizer_config.get("mask_token") is not None:
            return replace(_DREAM, mask_token_id=None)
        raise ConfigError(f"this Qwen2 checkpoint has no mask token, so it is {_AUTOREGRESSIVE}")
    if architecture in ("Qwen3ForCausalLM", "LlamaForCausalLM"):
        raise ConfigError(f"{architecture} is {_AUTOREGRESSIVE}")
    raise ConfigError(
        f"architecture {str(architecture)[:80]!r} (model_type {str(model_type)[:80]!r}) is not a diffusion family "
        f"known here; known: {', '.join(sorted(KNOWN_ARCHITECTURES))}"
    )


def _mask_in_tokenizer(tokenizer_config: Mapping[str, Any]) -> int | None:
    """The mask token's id, looked up in the tokenizer's table of added tokens."""
    mask = tokenizer_config.get("mask_token")
    text = mask.get("content") if isinstance(mask, Mapping) else mask
    added = tokenizer_config.get("added_tokens_decoder")
    if not isinstance(text, str) or not isinstance(added, Mapping):
        return None
    for token, entry in added.items():
        if isinstance(entry, Mapping) and entry.get("content") == text and str(token).isdecimal():
            return int(token)
    return None


def _whole(name: str, value: Any) -> int:
    """Refuse what JSON can carry but an id or a length can't be."""
    if type(value) is not int:
        raise ConfigError(f"{name}={str(value)[:80]} in config.json is not a whole number")
    return value
