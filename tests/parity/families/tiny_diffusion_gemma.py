"""A tiny random DiffusionGemma as it is published: file names, weight names, configuration keys, sampling rules.

One layer with a sliding window and one without, experts, soft cap, self-conditioning, and an image part that text never
goes through. transformers itself writes the weights, since the class is the published layout.
"""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import DiffusionGemmaConfig, DiffusionGemmaForBlockDiffusion, DynamicCache

VOCAB, CANVAS, WINDOW = 64, 8, 6
ENDS, PAD = (1, 46, 62), 0


def tokens_of(seed: int, *shape: int) -> Tensor:
    """Give random text without special ids."""
    return torch.randint(4, 50, shape, generator=torch.Generator().manual_seed(seed))


def published_logits(
    model: Any, prompt: Tensor, canvas: Tensor, last: Tensor | None = None, mask: Tensor | None = None
) -> Tensor:
    """Ask the class itself, in the one call that its documentation shows."""
    seen = None if mask is None else torch.cat([mask, torch.ones_like(canvas, dtype=torch.bool)], dim=1)
    return model(
        input_ids=prompt,
        attention_mask=mask,
        decoder_input_ids=canvas,
        decoder_attention_mask=seen,
        self_conditioning_logits=None if last is None else last.log(),
        cache=DynamicCache(config=model.config.get_text_config(decoder=True)),
    ).logits


def assert_close(ours: Tensor, theirs: Tensor) -> None:
    assert float((ours - theirs).abs().max()) <= 1e-4


def _spell_as_published(path: Path, text: dict[str, Any]) -> None:
    """Give the sizes of the layers without a window in two keys, as Google's file does; ours are written per layer."""
    config = json.loads(path.read_text())
    del config["text_config"]["per_layer_config"]
    config["text_config"] |= {key: text[key] for key in ("global_head_dim", "num_global_key_value_heads")}
    config["eos_token_id"] = list(ENDS[:2])
    path.write_text(json.dumps(config))


def write_tiny(folder: Path, *, vocab_size: int = VOCAB) -> None:
    """Write a checkpoint; a vocabulary of another size changes when canvases come to rest."""
    text: dict[str, Any] = {
        "vocab_size": vocab_size,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "layer_types": ["sliding_attention", "full_attention"],
        "sliding_window": WINDOW,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "global_head_dim": 16,
        "num_global_key_value_heads": 1,
        "num_experts": 4,
        "top_k_experts": 2,
        "moe_intermediate_size": 16,
        "max_position_embeddings": 256,
        "use_bidirectional_attention": "vision",
        "pad_token_id": PAD,
        "eos_token_id": ENDS[0],
        "bos_token_id": 2,
    }
    vision = {
        "model_type": "gemma4_vision",
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "position_embedding_size": 8,
    }
    ids = {"image_token_id": 60, "boi_token_id": 61, "eoi_token_id": 62}
    model = DiffusionGemmaForBlockDiffusion(
        DiffusionGemmaConfig(text_config=text, vision_config=vision, canvas_length=CANVAS, **ids)
    )
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1:  # sizes with which some canvases come to rest early and some never
                weight.normal_(0.0, 1.2 if "embed_tokens" in name else 0.14, generator=rng)
            else:
                weight.uniform_(0.5, 1.5, generator=rng)
        for name, scale in model.named_buffers():
            if name.endswith("layer_scalar"):  # encoder and decoder share all else
                scale.uniform_(0.5, 1.5, generator=rng)
    model.save_pretrained(folder)
    _spell_as_published(folder / "config.json", text)
    rules = {
        "max_new_tokens": 256,
        "max_denoising_steps": 48,
        "sampler_config": {"_cls_name": "EntropyBoundSamplerConfig", "entropy_bound": 0.1},
        "t_max": 0.8,
        "t_min": 0.4,
        "stability_threshold": 1,
        "confidence_threshold": 0.005,
        "eos_token_id": list(ENDS),
        "pad_token_id": PAD,
        "transformers_version": "5.12.1",
    }
    (folder / "generation_config.json").write_text(json.dumps(rules))
