"""Reading a canvas left to right: who sees whom, the same positions as diffusion, and exact keys and values."""

import dataclasses

import pytest
import torch
from tests.unit.denoiser.randomised import randomised

from redraft.denoiser import Transformer, TransformerConfig
from redraft.denoiser.causal import SlotReader, shifted
from redraft.errors import ConfigError, ContextLengthError
from redraft.types import Tokens

CONFIG = TransformerConfig(
    vocab_size=40,
    width=32,
    num_heads=2,
    num_prelude_layers=1,
    num_loop_layers=1,
    num_loops=2,
    num_coda_layers=1,
    context_length=64,
    canvas_length=16,
    digit_token_ids=tuple(range(10)),
    is_causal=True,
)
PREFIX = dataclasses.replace(CONFIG, has_bidirectional_context=True)


def draw(*shape: int, seed: int = 5) -> Tokens:
    return torch.randint(0, CONFIG.vocab_size, shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("config", [CONFIG, PREFIX])
@pytest.mark.parametrize("has_context", [True, False])
@torch.no_grad()
def test_slot_by_slot_equals_the_whole_canvas_in_one_pass(config: TransformerConfig, has_context: bool) -> None:
    model = randomised(config)
    canvas = draw(3, 12, seed=6)
    context = model.encode(draw(3, 9)) if has_context else None
    seen = shifted(canvas, first=39)
    reader = SlotReader(model, context, num_rows=3, num_slots=12)
    step_by_step = torch.cat([reader.read(seen[:, slot : slot + 1]) for slot in range(12)], dim=1)
    torch.testing.assert_close(step_by_step, model.denoise(seen, context), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("config", [CONFIG, PREFIX])
@torch.no_grad()
def test_training_sees_what_decoding_sees_padding_included(config: TransformerConfig) -> None:
    model = randomised(config)
    context, canvas = draw(2, 9), draw(2, 12, seed=6)
    is_valid = torch.ones(2, 9, dtype=torch.bool)
    is_valid[0, :4] = False
    together = model(context, canvas, context_is_valid=is_valid)
    alone = model.denoise(canvas[:1], model.encode(context[:1, 4:]))
    torch.testing.assert_close(together[:1], alone, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_only_the_prefix_model_reads_its_prompt_both_ways() -> None:
    context = draw(1, 9)
    changed = context.clone()
    changed[0, -1] = 20 + (changed[0, -1] + 1) % 10
    context[0, -1] = 30
    for config, is_both_ways in ((CONFIG, False), (PREFIX, True)):
        model = randomised(config)
        # The value at the first place in the second layer visit knows of later places only if the first one did.
        first, other = (model.encode(tokens).values[1][:, :, 0] for tokens in (context, changed))
        assert torch.equal(first, other) is not is_both_ways
        canvas, later = draw(1, 8, seed=2), draw(1, 8, seed=2)
        later[0, -1] = (later[0, -1] + 1) % CONFIG.vocab_size
        assert torch.equal(model.denoise(canvas)[:, :-1], model.denoise(later)[:, :-1])


@torch.no_grad()
def test_the_slot_that_is_asked_for_has_the_position_that_diffusion_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slot i of the reader, of the training pass and of a diffusion canvas: one embedding, one rotary position."""
    positions: list[list[int]] = []
    rotations = Transformer._rotations

    def spied(self: Transformer, at: Tokens) -> torch.Tensor:
        positions.append(at[0].tolist())
        return rotations(self, at)

    monkeypatch.setattr(Transformer, "_rotations", spied)
    context, canvas = draw(1, 5), draw(1, 6, seed=6)
    diffusion = randomised(dataclasses.replace(CONFIG, is_causal=False))
    diffusion.denoise(canvas, diffusion.encode(context))
    on_canvas = positions[-1]
    assert on_canvas == [5, 6, 7, 8, 9, 10]
    arm = randomised(CONFIG)
    arm(context, shifted(canvas, first=39))
    assert positions[-1][5:] == on_canvas
    reader = SlotReader(arm, arm.encode(context), num_rows=1, num_slots=6)
    positions.clear()
    for slot in range(6):
        reader.read(canvas[:, :1])
        assert positions[slot] == [on_canvas[slot]]
    # With the tokens' embeddings at zero, what goes in is the slot's own.
    bare = randomised(CONFIG)
    bare.embedding.weight.zero_()
    for slot in range(6):
        one = bare._embed_canvas(canvas[:, :1], None, slot)
        assert torch.equal(one, bare._embed_canvas(canvas, None)[:, slot : slot + 1])


@torch.no_grad()
def test_a_reader_is_refused_where_it_makes_no_sense() -> None:
    with pytest.raises(ConfigError, match="left to right"):
        SlotReader(randomised(dataclasses.replace(CONFIG, is_causal=False)), None, num_rows=1, num_slots=2)
    reader = SlotReader(randomised(CONFIG), None, num_rows=1, num_slots=17)
    for _ in range(16):
        reader.read(draw(1, 1))
    with pytest.raises(ContextLengthError, match="this model takes 16"):
        reader.read(draw(1, 1))
