"""From a published folder to scores: one file or shards, other types, one byte a weight."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.parity.families.tiny import FAMILIES, VOCAB, config_of, tokenizer_config_of, weights_of, write_tiny

from redraft.denoiser import Denoiser
from redraft.denoiser.families import build_denoiser, detect_family, published_names, read_config, write_config
from redraft.denoiser.int8 import quantise_
from redraft.denoiser.published import open_published


def load(folder: Path, dtype: torch.dtype | None = None) -> Denoiser:
    found = open_published(folder)
    spec = detect_family(
        found.config, tokenizer_config=found.tokenizer_config, generation_config=found.generation_config
    )
    return build_denoiser(spec, found.config, found.weights(dtype))


def scores(denoiser: Denoiser) -> torch.Tensor:
    tokens = torch.randint(0, VOCAB, (1, 45), generator=torch.Generator().manual_seed(0))
    return denoiser.denoise(tokens[:, 40:], denoiser.encode(tokens[:, :40]))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_folder_gives_the_scores_of_its_weights(family: str, tmp_path: Path) -> None:
    config = config_of(family)
    spec = detect_family(config, tokenizer_config=tokenizer_config_of(family))
    expected = scores(build_denoiser(spec, config, weights_of(family, config)))
    for num_shards in (1, 3):
        folder = write_tiny(tmp_path / str(num_shards), family, num_shards=num_shards)
        torch.testing.assert_close(scores(load(folder)), expected, rtol=0.0, atol=2e-5)  # alignment moves last bits


@pytest.mark.parametrize("family", ["llada", "sdar", "llada2_moe"])
def test_bfloat16_weights_can_be_read_as_float32(family: str, tmp_path: Path) -> None:
    folder = write_tiny(tmp_path, family, dtype=torch.bfloat16)
    fine, coarse = scores(load(folder, torch.float32)), scores(load(folder))
    assert (fine.dtype, coarse.dtype) == (torch.float32, torch.bfloat16)


@pytest.mark.parametrize("family", FAMILIES)
def test_linear_layers_of_one_byte_a_weight_stay_near(family: str, tmp_path: Path) -> None:
    folder = write_tiny(tmp_path, family)
    exact, small = load(folder), load(folder)
    assert isinstance(small, torch.nn.Module)
    num_linear = sum(isinstance(module, torch.nn.Linear) for module in small.modules())
    assert quantise_(small) == num_linear > 0
    assert (scores(small) - scores(exact)).abs().median() < 0.2


def test_a_llama_becomes_a_llada_by_its_names_alone() -> None:
    """Converting from one layout to another is a table of names and a record."""
    config = config_of("llada")
    weights = weights_of("llada", config)
    llada = detect_family(config)
    shape = read_config(llada, config)
    llama = replace(llada, layout="llama")
    theirs = {published_names(llama, shape)[name]: weights[old] for name, old in published_names(llada, shape).items()}
    assert "model.layers.1.self_attn.q_proj.weight" in theirs
    llama_config = {
        "model_type": "llama",
        "hidden_size": config["d_model"],
        "num_hidden_layers": config["n_layers"],
        "num_attention_heads": config["n_heads"],
        "num_key_value_heads": config["n_kv_heads"],
        "intermediate_size": config["mlp_hidden_size"],
        "vocab_size": config["vocab_size"],
        "max_position_embeddings": config["max_sequence_length"],
        "rms_norm_eps": config["rms_norm_eps"],
        "rope_theta": config["rope_theta"],
    }
    assert read_config(llama, llama_config) == shape
    written = write_config(llada, shape)
    one, other = build_denoiser(llama, llama_config, theirs), build_denoiser(detect_family(written), written, weights)
    assert torch.equal(scores(one), scores(other))
