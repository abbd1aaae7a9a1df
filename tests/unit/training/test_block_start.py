"""An autoregressive checkpoint becomes a block-diffusion start without a changed weight but the mask's."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.unit.training.autoregressive import END, ROLE, write_autoregressive
from torch import Tensor

from redraft.denoiser.families import BlockDenoiser, build_denoiser, detect_family
from redraft.denoiser.published import open_published
from redraft.errors import CheckpointError, ConfigError
from redraft.text import PublishedTokenizer
from redraft.training.block_start import BlockStart, make_block_start

RESERVED = [f"<|reserved_special_token_{index}|>" for index in range(3)]


def load(folder: Path) -> BlockDenoiser:
    found = open_published(folder)
    settings = {"tokenizer_config": found.tokenizer_config, "generation_config": found.generation_config}
    denoiser = build_denoiser(detect_family(found.config, **settings), found.config, found.weights())
    assert isinstance(denoiser, BlockDenoiser)
    return denoiser


def causal_logits(denoiser: BlockDenoiser, tokens: Tensor) -> Tensor:
    """Score as the source did: nobody sees what is to the right."""
    length = tokens.shape[1]
    sight = torch.ones(1, length, length, dtype=torch.bool).tril()
    hidden, _, _ = denoiser.backbone(tokens, torch.arange(length).expand(len(tokens), -1), sight=sight)
    return denoiser.backbone.score(hidden)


@pytest.mark.parametrize(
    ("kind", "family", "is_shifted", "mask"),
    [
        ("qwen2", "fast_dllm_v2", True, "|<MASK>|"),
        ("qwen3", "sdar", False, "<|MASK|>"),
        ("llama", "fast_dllm_v2", True, "|<MASK>|"),
    ],
)
def test_the_start_computes_what_the_source_computed(
    kind: str, family: str, is_shifted: bool, mask: str, tmp_path: Path
) -> None:
    model = write_autoregressive(tmp_path / "source", kind)
    made = make_block_start(tmp_path / "source", tmp_path / "start", block_length=8, shard_bytes=30_000)
    expected = BlockStart(
        folder=str(tmp_path / "start"),
        source_architecture=type(model).__name__,
        family=family,
        is_shifted=is_shifted,
        block_length=8,
        mask_token_id=258,
        mask_text=mask,
        mask_origin="unused",
        mask_row="mean",
        vocab_size=320,
        size_bytes=made.size_bytes,
        manifest_sha256=made.manifest_sha256,
    )
    assert made == expected
    denoiser = load(tmp_path / "start")
    assert (denoiser.spec.name, denoiser.block_length, denoiser.spec.mask_token_id) == (family, 8, 258)
    assert 256 in denoiser.spec.end_token_ids
    tokens = torch.randint(0, 256, (2, 21), generator=torch.Generator().manual_seed(1))
    ours, theirs = causal_logits(denoiser, tokens), model(tokens).logits.detach()
    other = [token for token in range(320) if token != 258]
    assert float((ours - theirs)[..., other].abs().max()) <= 1e-4
    assert denoiser.denoise(tokens[:, 16:], denoiser.encode(tokens[:, :16])).shape == (2, 5, 320)


@pytest.mark.parametrize("is_tied", [False, True])
def test_the_masks_row_is_the_mean_of_the_others(is_tied: bool, tmp_path: Path) -> None:
    model = write_autoregressive(tmp_path / "source", "qwen3", tie_word_embeddings=is_tied)
    make_block_start(tmp_path / "source", tmp_path / "start")
    old, new = model.model.embed_tokens.weight, load(tmp_path / "start").backbone.embedding.weight
    other = [token for token in range(320) if token != 258]
    assert torch.equal(old[other], new[other])
    torch.testing.assert_close(new[258], old[other].mean(dim=0))
    weights = open_published(tmp_path / "start").weights()
    if not is_tied:
        torch.testing.assert_close(weights["lm_head.weight"][258], model.lm_head.weight[other].mean(dim=0))


@pytest.mark.parametrize(
    ("num_rows", "specials", "origin", "token"),
    [
        (259, [END, ROLE], "unused", 258),
        (258, [END, ROLE], "new", 258),
        (261, [END, ROLE, *RESERVED], "reserved", 258),
        (320, [END, ROLE, *RESERVED], "unused", 261),
        (320, [END, "|<MASK>|", ROLE], "present", 257),
    ],
)
def test_the_mask_takes_a_spare_id_or_grows_the_embedding(
    num_rows: int, specials: list[str], origin: str, token: int, tmp_path: Path
) -> None:
    model = write_autoregressive(tmp_path / "source", "qwen2", num_rows=num_rows, specials=specials)
    made = make_block_start(tmp_path / "source", tmp_path / "start")
    assert (made.mask_origin, made.mask_token_id) == (origin, token)
    assert made.vocab_size == (259 if origin == "new" else num_rows)
    assert load(tmp_path / "start").backbone.embedding.weight.shape[0] == made.vocab_size
    if origin == "present":
        weight = load(tmp_path / "start").backbone.embedding.weight
        assert (made.mask_row, torch.equal(weight, model.model.embed_tokens.weight)) == ("kept", True)


@pytest.mark.parametrize("num_rows", [320, 258])
def test_the_tokenizer_knows_the_mask(num_rows: int, tmp_path: Path) -> None:
    source = tmp_path / "source"
    write_autoregressive(source, "qwen3", num_rows=num_rows)
    (source / "special_tokens_map.json").write_text(json.dumps({"eos_token": END}))
    (source / "added_tokens.json").write_text(json.dumps({END: 256, ROLE: 257}))
    make_block_start(source, tmp_path / "start")
    tokenizer = PublishedTokenizer.load(tmp_path / "start")
    assert (tokenizer.special.mask, tokenizer.token_text(258)) == (258, "<|MASK|>")
    assert 258 not in tokenizer.encode("a <|MASK|> that somebody typed")
    assert tokenizer.encode_markup("<|MASK|>") == [258]
    assert tokenizer.decode(tokenizer.encode("a 素数")) == "a 素数"
    assert json.loads((tmp_path / "start" / "special_tokens_map.json").read_text())["mask_token"] == "<|MASK|>"
    assert json.loads((tmp_path / "start" / "added_tokens.json").read_text())["<|MASK|>"] == 258


def test_other_readers_find_the_mask_too(tmp_path: Path) -> None:
    from tokenizers import Tokenizer

    write_autoregressive(tmp_path / "source", "qwen3")
    make_block_start(tmp_path / "source", tmp_path / "start")
    assert Tokenizer.from_file(str(tmp_path / "start" / "tokenizer.json")).token_to_id("<|MASK|>") == 258


def test_the_type_is_kept_or_changed(tmp_path: Path) -> None:
    write_autoregressive(tmp_path / "source", "llama", dtype=torch.bfloat16)
    make_block_start(tmp_path / "source", tmp_path / "same")
    make_block_start(tmp_path / "source", tmp_path / "wide", dtype=torch.float32)
    assert {weight.dtype for weight in load(tmp_path / "same").state_dict().values()} == {torch.bfloat16}
    assert {weight.dtype for weight in load(tmp_path / "wide").state_dict().values()} == {torch.float32}


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("llama", {"attention_bias": True}, "attention_bias"),
        ("llama", {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}}, "linear"),
        ("qwen2", {"hidden_act": "gelu"}, "gelu"),
    ],
)
def test_what_the_family_lacks_is_refused(kind: str, changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    write_autoregressive(tmp_path / "source", kind, **changes)
    with pytest.raises(ConfigError, match=message):
        make_block_start(tmp_path / "source", tmp_path / "start")
    assert not (tmp_path / "start").exists()


def test_other_faults_are_one_clear_error_each(tmp_path: Path) -> None:
    source = tmp_path / "source"
    write_autoregressive(source, "qwen3")
    with pytest.raises(ConfigError, match="block_length=0 is not in 1 to 4096"):
        make_block_start(source, tmp_path / "start", block_length=0)
    with pytest.raises(ConfigError, match="nothing is overwritten"):
        make_block_start(source, source)
    config = json.loads((source / "config.json").read_text())
    (source / "config.json").write_text(json.dumps(config | {"architectures": ["GPT2LMHeadModel"]}))
    with pytest.raises(ConfigError, match=r"GPT2LMHeadModel.*known are Qwen2ForCausalLM"):
        make_block_start(source, tmp_path / "start")
    write_autoregressive(tmp_path / "small", "qwen3", num_rows=257)
    with pytest.raises(CheckpointError, match="has the id 257, its embedding 257 rows"):
        make_block_start(tmp_path / "small", tmp_path / "start")
