"""Every published weight has its place and every place its weight; bad checkpoints get one clear error each."""

import pytest
import torch
from tests.parity.families.tiny import FAMILIES, config_of, shapes_of, tokenizer_config_of, weights_of
from torch import Tensor

from redraft.denoiser.families import (
    Backbone,
    BackboneConfig,
    FamilySpec,
    build_denoiser,
    detect_family,
    parameter_shapes,
    published_names,
    read_config,
    redundant_names,
    write_config,
)
from redraft.errors import CheckpointError, ConfigError

VARIANTS = {family: {} for family in FAMILIES} | {
    "llada_moe": {"shared_expert_intermediate_size": 24, "moe_router_enable_expert_bias": True}
}


def records(family: str) -> tuple[FamilySpec, BackboneConfig, dict[str, object]]:
    config = config_of(family) | VARIANTS[family]
    spec = detect_family(config, tokenizer_config=tokenizer_config_of(family))
    return spec, read_config(spec, config), config


def build(family: str, weights: dict[str, Tensor], **changes: object) -> object:
    spec, _, config = records(family)
    return build_denoiser(spec, config | changes, weights)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_name_table_covers_the_published_weights_and_reads_both_ways(family: str) -> None:
    spec, shape, config = records(family)
    names = published_names(spec, shape)
    published = shapes_of(family, config)
    assert len(set(names.values())) == len(names), "two of our weights share a published name"
    assert set(names.values()) == set(published)
    ours = parameter_shapes(shape)
    assert {names[name]: size for name, size in ours.items()} == published


@pytest.mark.parametrize("family", FAMILIES)
def test_the_listed_shapes_are_the_backbones(family: str) -> None:
    _, shape, _ = records(family)
    with torch.device("meta"):
        made = Backbone(shape).state_dict()
    assert {name: tuple(weight.shape) for name, weight in made.items()} == parameter_shapes(shape)


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_are_used_as_they_are(family: str) -> None:
    spec, shape, config = records(family)
    weights = weights_of(family, config)
    denoiser = build_denoiser(spec, config, weights)
    held = denoiser.backbone.state_dict()
    for name, published in published_names(spec, shape).items():
        assert held[name].data_ptr() == weights[published].data_ptr()
    assert not any(weight.requires_grad for weight in denoiser.parameters())


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "open_dcoder"])
def test_a_configuration_written_here_reads_back(family: str) -> None:
    spec, shape, _ = records(family)
    written = write_config(spec, shape)
    again = detect_family(written)
    assert again == spec
    assert read_config(again, written) == shape


@pytest.mark.parametrize("family", FAMILIES)
def test_a_missing_weight_is_named(family: str) -> None:
    _, _, config = records(family)
    weights = weights_of(family, config)
    gone = next(name for name in weights if name.endswith(("down_proj.weight", "ff_out.weight")))
    del weights[gone]
    with pytest.raises(CheckpointError, match=f"1 weights are missing, {gone}"):
        build(family, weights)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_weight_without_a_place_is_named(family: str) -> None:
    _, _, config = records(family)
    weights = weights_of(family, config) | {"model.layers.0.adapter.weight": torch.zeros(2)}
    with pytest.raises(CheckpointError, match=r"have no place in this model, model\.layers\.0\.adapter\.weight"):
        build(family, weights)


def test_what_holds_nothing_new_is_accepted() -> None:
    spec, shape, config = records("open_dcoder")
    assert "lm_head.weight" in redundant_names(spec, shape)
    weights = weights_of("open_dcoder", config)
    more = {"lm_head.weight": weights["model.embed_tokens.weight"], "model.rotary_emb.inv_freq": torch.zeros(4)}
    build("open_dcoder", weights | more)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [(torch.zeros(31), r"of shape \(31,\)"), (torch.zeros(32, dtype=torch.int8), r"is torch\.int8")],
)
def test_a_weight_of_the_wrong_kind_is_named(wrong: Tensor, message: str) -> None:
    _, _, config = records("sdar")
    with pytest.raises(CheckpointError, match=message):
        build("sdar", weights_of("sdar", config) | {"model.norm.weight": wrong})


HOSTILE = [
    None,
    -1,
    0,
    1,
    1 << 70,
    float("nan"),
    float("inf"),
    1.5,
    "x",
    "9" * 5000,
    [],
    [None],
    {},
    {"type": []},
    True,
]


@pytest.mark.parametrize("family", FAMILIES)
def test_any_wrong_value_is_one_clear_error(family: str) -> None:
    config, messages = config_of(family), []
    for key in [*config, "rope_parameters", "head_dim", "text_config", "moe_layer_freq", "mlp_only_layers"]:
        for value in HOSTILE:
            try:
                spec = detect_family(config | {key: value}, tokenizer_config=tokenizer_config_of(family))
                read_config(spec, config | {key: value})
            except ConfigError as error:
                messages.append(str(error))
    assert len(messages) > 100
    assert max(map(len, messages)) < 500


def test_a_mask_token_outside_the_vocabulary_is_refused() -> None:
    config = config_of("llada2_moe")  # without its tokenizer's record, the published default stands in
    with pytest.raises(ConfigError, match="mask token's id 156895 is outside the vocabulary of 320"):
        build_denoiser(detect_family(config), config, weights_of("llada2_moe", config))


def test_a_family_without_a_published_layout_is_refused() -> None:
    spec, shape, _ = records("sdar")
    foreign = detect_family({"architectures": ["DiffusionGemmaForBlockDiffusion"]})
    for refused in (lambda: write_config(foreign, shape), lambda: published_names(foreign, shape)):
        with pytest.raises(ConfigError, match="diffusion_gemma"):
            refused()
    with pytest.raises(ConfigError, match="adapter"):
        read_config(foreign, {})
    assert spec.name == "sdar"
