"""From a published folder to an engine: family, weights, tokenizer and rules, all read from the folder."""

from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from redraft.denoiser.families import (
    FamilySpec,
    build_denoiser,
    detect_family,
    load_diffusion_gemma,
    parameter_shapes,
    published_names,
    read_config,
    read_diffusion_gemma_rules,
)
from redraft.denoiser.int8 import quantise_
from redraft.denoiser.memory import available_memory
from redraft.denoiser.published import Published, open_published
from redraft.engine.engine import Engine
from redraft.engine.layout import PublishedLayout
from redraft.engine.presets import ANSWER_LENGTH, family_preset, gemma_preset
from redraft.errors import CheckpointError, ConfigError
from redraft.text import PublishedTokenizer

__all__ = ["DtypeName", "load_published"]

DtypeName = Literal["auto", "float32", "bfloat16", "float16", "int8"]
"""Type of the weights in memory. auto: float32 on a CPU, on which 16 bits are slow, and as stored elsewhere."""

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16, "int8": torch.int8}
_WORKING_SHARE = 10
"""Activations and caches take about a tenth of the weights, in models of some size."""


def load_published(folder: Path, *, name: str, device: str = "cpu", dtype: str = "auto") -> Engine:
    """Load a published checkpoint and put it to work.

    Args:
        folder: The checkpoint.
        name: Says in results which model answered.
        device: Where it shall run.
        dtype: One of ``DtypeName``.

    Returns:
        The engine.

    Raises:
        ConfigError: The architecture is unknown, or the model does not fit into memory in that type.
        CheckpointError: The folder is damaged.
        DependencyError: The family, or its chat template, needs a package that is not installed.
    """
    if dtype not in get_args(DtypeName):
        raise ConfigError(f"dtype={dtype!r} is unknown; use one of {', '.join(get_args(DtypeName))}")
    published = open_published(folder)
    spec = detect_family(
        published.config, tokenizer_config=published.tokenizer_config, generation_config=published.generation_config
    )
    _check_memory(published, name, device, dtype)
    if spec.name == "diffusion_gemma":
        return _diffusion_gemma(folder, name, device, dtype)
    # Everything that can be refused is refused before a weight is read.
    shape = read_config(spec, published.config)
    # A family's own end may lie outside a smaller vocabulary, and then nothing ever says it.
    ends = tuple(token for token in spec.end_token_ids if token < shape.vocab_size)
    tokenizer = PublishedTokenizer.load(folder, mask_token_id=spec.mask_token_id, end_token_ids=ends)
    _check_ids(spec, tokenizer, shape.vocab_size, name)
    weights, names = published.weights(_weight_type(device, dtype)), published_names(spec, shape)
    weights.require({names[weight]: sizes for weight, sizes in parameter_shapes(shape).items()})
    denoiser = build_denoiser(spec, published.config, weights)
    if dtype == "int8":
        quantise_(denoiser.backbone)
        denoiser.backbone.float()  # embeddings and norms; the quantised weights are no floating-point numbers
    denoiser.to(device)
    # A model of few positions still has to leave some for the prompt.
    is_short = shape.context_length < 2 * ANSWER_LENGTH
    return Engine(
        denoiser,
        tokenizer,
        context_length=shape.context_length,
        canvas_length=spec.block_length or shape.context_length,
        name=name,
        device=device,
        defaults={"max_new_tokens": max(1, shape.context_length // 2)} if is_short else None,
        layout=PublishedLayout(
            tokenizer,
            is_masked=True,
            block_length=spec.block_length,
            opens_with_likeliest=spec.name == "fast_dllm_v2",
            adds_bos=published.tokenizer_config.get("add_bos_token") is True,
        ),
        presets=partial(family_preset, spec),
    )


def _diffusion_gemma(folder: Path, name: str, device: str, dtype: str) -> Engine:
    """The one family that runs on transformers' class; its encoder has positions of its own for each canvas."""
    if dtype == "int8":
        raise ConfigError("DiffusionGemma runs on transformers' class, which has no int8 here; use bfloat16")
    rules = read_diffusion_gemma_rules(folder)
    tokenizer = PublishedTokenizer.load(folder, end_token_ids=rules.end_token_ids)
    denoiser = load_diffusion_gemma(folder, device=device, dtype=_weight_type(device, dtype) or torch.bfloat16)
    return Engine(
        denoiser,
        tokenizer,
        context_length=denoiser.context_length,
        canvas_length=rules.canvas_length,
        name=name,
        device=device,
        layout=PublishedLayout(tokenizer, is_masked=False, adds_bos=True),
        presets=gemma_preset(rules),
    )


def _weight_type(device: str, dtype: str) -> torch.dtype | None:
    """The type to read weights in; None as they are stored, which maps them and takes no memory at first."""
    if dtype == "auto":
        return torch.float32 if device == "cpu" else None
    return None if dtype == "int8" else _DTYPES[dtype]


def _check_memory(published: Published, name: str, device: str, dtype: str) -> None:
    """Refuse what does not fit before a weight is read."""
    if device != "cpu":
        return
    available = available_memory()
    chosen = "float32" if dtype == "auto" else dtype
    needed = {key: _with_work(published.memory_needed(kind)) for key, kind in _DTYPES.items()}
    if available is None or needed[chosen] <= available:
        return
    fitting = [key for key in ("bfloat16", "int8") if key != chosen and needed[key] <= available]
    remedy = f"it fits with dtype {' or '.join(fitting)}" if fitting else "it fits with no other type either"
    raise ConfigError(
        f"the model {name} needs {needed[chosen] / 1e9:.1f} GB as {chosen}; {available / 1e9:.1f} GB are available, "
        f"{remedy}"
    )


def _with_work(num_bytes: int) -> int:
    return num_bytes + num_bytes // _WORKING_SHARE


def _check_ids(spec: FamilySpec, tokenizer: PublishedTokenizer, vocab_size: int, name: str) -> None:
    special: Any = tokenizer.special
    if special.mask is None:
        raise CheckpointError(
            f"the model {name} is of the masked family {spec.name}, but neither its configuration nor its tokenizer "
            "names a mask token"
        )
    if max(special.mask, *special.ends) >= vocab_size:
        raise CheckpointError(
            f"the model {name} scores {vocab_size} ids, which leaves out its mask {special.mask} or one of its ends "
            f"{list(special.ends)}; the tokenizer and the weights don't belong together"
        )
    if special.mask in special.ends:
        raise CheckpointError(f"the model {name} has the same id {special.mask} for its mask and its end of text")
