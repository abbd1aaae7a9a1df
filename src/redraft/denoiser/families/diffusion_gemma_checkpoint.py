"""A published DiffusionGemma folder: checked, then loaded by transformers' own class; and the rules it comes with.

transformers trusts a folder more than we do: a configuration may name attention kernels to fetch and run, a generation
configuration the class of its sampler, and weights that are missing are drawn at random. So the small files are read
here, only what is known is handed on, and the weights are counted before a model is made of them. No file can run code.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from redraft.denoiser.families.diffusion_gemma import DiffusionGemmaDenoiser
from redraft.denoiser.shards import find_tensors
from redraft.errors import CheckpointError, DependencyError
from redraft.reading import find_inside, parse_json, read_file

__all__ = ["DiffusionGemmaRules", "load_diffusion_gemma", "read_diffusion_gemma_rules"]

_MODEL_TYPE = "diffusion_gemma"
_MAX_CONFIG_BYTES = 1 << 20

_MAX_LAYERS = 1000
_MAX_SIZE = 1 << 22
"""Bounds for whole numbers of the shape; the published model's greatest is its vocabulary, 262 144."""

_NOT_OURS = ("vision_tower.", "embed_vision.")
"""Weights of the image part, which is not kept."""

_HANDS_ON = frozenset(
    {
        "architectures",
        "boi_token_id",
        "canvas_length",
        "eoi_token_id",
        "eos_token_id",
        "image_token_id",
        "initializer_range",
        "model_type",
        "text_config",
        "tie_word_embeddings",
        "vision_config",
    }
)
"""What of config.json is handed on; the rest is not the network's shape."""

_CHOOSES_CODE = ("attn_implementation", "experts_implementation", "auto_map", "quantization_config")
"""Keys by which a configuration chooses code to run; left out wherever they stand, private spellings too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DiffusionGemmaRules:
    """How the checkpoint says that it wants to be sampled; the defaults are transformers' own."""

    canvas_length: int = 256
    """Positions of one canvas."""
    max_new_tokens: int = 256
    """Most tokens of one answer. The published file says 256, which is one canvas."""
    max_denoising_steps: int = 48
    """Most passes over one canvas."""
    entropy_bound: float = 0.1
    """Nats that a pass may risk."""
    t_max: float = 0.8
    """Temperature of the first pass."""
    t_min: float = 0.4
    """Where the temperature heads for."""
    stability_threshold: int = 1
    """Passes for which the likeliest canvas must have stood still."""
    confidence_threshold: float = 0.005
    """Mean nats per position below which a canvas is certain."""
    end_token_ids: tuple[int, ...] = (1,)
    """Ids that end an answer, wherever one stands on a finished canvas."""
    pad_token_id: int | None = None
    """What transformers puts behind such an end; None for nothing."""

    def sampler_settings(self) -> dict[str, Any]:
        """The same rules under the names of ``redraft.sampler.SamplerSettings``.

        >>> DiffusionGemmaRules().sampler_settings()["final_temperature"]
        0.4
        """
        return {
            "family": "uniform",
            "canvas_length": self.canvas_length,
            "max_new_tokens": self.max_new_tokens,
            "max_steps": self.max_denoising_steps,
            "temperature": self.t_max,
            "final_temperature": self.t_min,
            "commit": "entropy_bound",
            "entropy_bound": self.entropy_bound,
            "stop": "stable",
            "stability_threshold": self.stability_threshold,
            "stop_entropy": self.confidence_threshold,
            "edit_threshold": None,
        }


def read_diffusion_gemma_rules(folder: Path) -> DiffusionGemmaRules:
    """Read how a checkpoint wants to be sampled.

    Args:
        folder: The published folder: ``config.json`` and, if there is one, ``generation_config.json``.

    Returns:
        The rules; what the files don't say has transformers' default.

    Raises:
        CheckpointError: A file is damaged, or a rule is of the wrong kind.
    """
    config = _read_config(folder)
    path = find_inside(folder, "generation_config.json")
    given = parse_json(read_file(path, _MAX_CONFIG_BYTES), path) if path.exists() else {}
    values: dict[str, Any] = {}
    sampler = given.get("sampler_config")
    if sampler is not None:
        name = sampler.get("_cls_name") if isinstance(sampler, Mapping) else sampler
        if not isinstance(sampler, Mapping) or name != "EntropyBoundSamplerConfig":
            raise CheckpointError(
                f"{path} asks for the sampler {str(name)[:80]!r}; only EntropyBoundSamplerConfig is known"
            )
        values["entropy_bound"] = _number(path, "entropy_bound", sampler.get("entropy_bound"))
    for key in ("t_max", "t_min", "confidence_threshold"):
        if given.get(key) is not None:
            values[key] = _number(path, key, given[key])
    for key in ("max_new_tokens", "max_denoising_steps", "stability_threshold", "pad_token_id"):
        if given.get(key) is not None:
            values[key] = _whole(path, key, given[key])
    if config.get("canvas_length") is not None:
        values["canvas_length"] = _whole(folder / "config.json", "canvas_length", config["canvas_length"])
    # The published files disagree: [1, 106, 50] for generation, [1, 106] for the model, 1 for its text part.
    places = (given, config, config["text_config"])
    ends = next((place["eos_token_id"] for place in places if place.get("eos_token_id") is not None), None)
    if ends is not None:
        values["end_token_ids"] = tuple(
            _whole(path, "eos_token_id", end) for end in (ends if isinstance(ends, list) else [ends])
        )
        if not values["end_token_ids"]:
            raise CheckpointError(f"{path} has an empty list eos_token_id; without an end no answer ever ends")
    return DiffusionGemmaRules(**values)


def load_diffusion_gemma(
    folder: Path, *, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> DiffusionGemmaDenoiser:
    """Load a published DiffusionGemma, text only.

    Args:
        folder: ``config.json`` and ``model.safetensors``, or shards with their index.
        device: Where it shall live.
        dtype: Of the weights in memory.

    Returns:
        The denoiser, ready to use.

    Raises:
        CheckpointError: The folder is missing, damaged, incomplete, quantised or of another architecture.
        DependencyError: transformers is not installed.
    """
    try:
        from transformers import (  # heavy, and only this family needs it
            DiffusionGemmaConfig,
            DiffusionGemmaForBlockDiffusion,
        )
        from transformers.models.diffusion_gemma.generation_diffusion_gemma import DiffusionGemmaGenerationConfig
    except ImportError as error:
        raise DependencyError("DiffusionGemma needs transformers: pip install 'redraft[hub]'") from error

    values = _read_config(folder)
    faults = (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError, RuntimeError, SafetensorError)
    try:
        config = DiffusionGemmaConfig.from_dict(values)
        with torch.device("meta"):
            empty = DiffusionGemmaForBlockDiffusion(config)
    except (*faults, _strict_error()) as error:
        raise CheckpointError(f"{folder / 'config.json'} describes no DiffusionGemma: {_first_line(error)}") from error
    _check_weights(folder, (weight.shape for name, weight in empty.named_parameters() if not _is_not_ours(name)))
    del empty
    try:
        with _quietly():
            loaded: Any = DiffusionGemmaForBlockDiffusion.from_pretrained(
                folder,
                config=config,
                generation_config=DiffusionGemmaGenerationConfig(),
                dtype=dtype,
                attn_implementation="sdpa",
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
            )
    except faults as error:
        raise CheckpointError(f"the weights in {folder} can't be loaded: {_first_line(error)}") from error
    model, report = loaded
    missing = sorted(name for name in report["missing_keys"] if not _is_not_ours(name))
    if missing:
        raise CheckpointError(
            f"{folder} lacks {len(missing)} weights, {missing[0]} for one; was it downloaded completely?"
        )
    # Half a gigabyte in bf16 that text never goes through.
    model.model.encoder.vision_tower = None
    model.model.encoder.embed_vision = None
    return DiffusionGemmaDenoiser(model.to(device).eval().requires_grad_(False))


def _read_config(folder: Path) -> dict[str, Any]:
    """The known part of config.json, checked."""
    if not folder.is_dir():
        raise CheckpointError(f"there is no checkpoint folder {folder}")
    path = find_inside(folder, "config.json")
    config = parse_json(read_file(path, _MAX_CONFIG_BYTES), path)
    if config.get("model_type") != _MODEL_TYPE:
        raise CheckpointError(
            f"{path} has model_type={str(config.get('model_type'))[:80]!r}; needed is {_MODEL_TYPE!r}"
        )
    if config.get("quantization_config") is not None:
        raise CheckpointError(f"{path} says that the weights are quantised; use the float32, float16 or bfloat16 ones")
    if find_inside(folder, "adapter_config.json").exists():
        raise CheckpointError(f"{folder} holds an adapter (adapter_config.json); merge it into the weights first")
    text, vision = config.get("text_config"), config.get("vision_config")
    if not isinstance(text, dict) or not isinstance(vision, dict | None):
        raise CheckpointError(f"{path} needs an object 'text_config', and 'vision_config' to be one if it is there")
    if vision is not None and vision.get("model_type", "gemma4_vision") != "gemma4_vision":
        raise CheckpointError(f"{path} has a vision part of unknown kind; needed is 'gemma4_vision'")
    if text.get("use_bidirectional_attention") == "all":
        raise CheckpointError(f"{path} wants context read in both directions; the published model reads it causally")
    known = {key: value for key, value in config.items() if key in _HANDS_ON}
    _check_sizes(known, path)
    return _without_code(known)


def _without_code(value: Any) -> Any:
    """The same configuration without the keys that choose code."""
    if isinstance(value, dict):
        return {
            key: _without_code(item)
            for key, item in value.items()
            if not key.startswith("_") and not any(name in key for name in _CHOOSES_CODE)
        }
    return [_without_code(item) for item in value] if isinstance(value, list) else value


def _check_sizes(value: Any, path: Path, name: str = "") -> None:
    """Refuse whole numbers that no model has: each costs memory or time before a weight could be compared with it."""
    if isinstance(value, dict):
        for key, item in value.items():
            _check_sizes(item, path, key)
    elif isinstance(value, list):
        for item in value:
            _check_sizes(item, path, name)
    elif type(value) is int:
        limit = _MAX_LAYERS if "layers" in name else _MAX_SIZE
        if not -1 <= value <= limit:
            raise CheckpointError(f"{path} has {name}={value}; 0 to {limit} are allowed")


def _check_weights(folder: Path, shapes: Iterable[torch.Size]) -> None:
    """Count the numbers in the weight files before memory is taken for a model of that size."""
    stored = {name: tensor for name, tensor in find_tensors(folder).items() if not _is_not_ours(name)}
    for name, tensor in stored.items():
        if tensor.dtype is None:
            raise CheckpointError(
                f"{tensor.path} holds {name[:80]} as {tensor.dtype_name}; weights may be F32, F16 or BF16"
            )
    needed, found = sum(shape.numel() for shape in shapes), sum(tensor.numel for tensor in stored.values())
    if found < needed:
        raise CheckpointError(f"{folder} holds {found} weights, its config.json needs {needed}; is a file missing?")


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep transformers' progress bar and its report on missing weights off the terminal: we say what is wrong."""
    from transformers.utils import logging

    verbosity, shows_progress = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if shows_progress:
            logging.enable_progress_bar()


def _is_not_ours(name: str) -> bool:
    return any(part in name for part in _NOT_OURS)


def _strict_error() -> type[Exception]:
    """What transformers' configurations raise for a value of the wrong kind."""
    from huggingface_hub.errors import StrictDataclassError

    return StrictDataclassError


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


def _number(path: Path, name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1e6:
        raise CheckpointError(f"{path} has {name}={str(value)[:80]}; a number of at least 0 is needed")
    return float(value)


def _whole(path: Path, name: str, value: Any) -> int:
    if type(value) is not int or not 0 <= value <= _MAX_SIZE:
        raise CheckpointError(f"{path} has {name}={str(value)[:80]}; a whole number from 0 to {_MAX_SIZE} is needed")
    return value
