"""All blocks of a row in one pass give what decoding gives block by block."""

from pathlib import Path

import pytest
import torch
from tests.unit.training.autoregressive import write_autoregressive
from torch import Tensor

from redraft.denoiser.families import BlockDenoiser, build_denoiser, detect_family
from redraft.denoiser.published import open_published
from redraft.training.adapt_config import BlockNoiseRecipe
from redraft.training.block_copies import copies_sight, score_copies
from redraft.training.block_noise import NoisedCopies, draw_masks
from redraft.training.block_start import make_block_start
from redraft.training.packing import TextBatch, pack

BLOCK, MASK = 4, 258


def packed(*lengths: int, row_length: int = 16) -> TextBatch:
    rng = torch.Generator().manual_seed(len(lengths))
    texts = [torch.randint(0, 256, (length,), generator=rng).tolist() for length in lengths]
    return pack(texts, row_length=row_length, block_length=BLOCK, end=256, end_tokens=1)


def load(kind: str, folder: Path) -> BlockDenoiser:
    write_autoregressive(folder / "source", kind)
    make_block_start(folder / "source", folder / "start", block_length=BLOCK)
    found = open_published(folder / "start")
    denoiser = build_denoiser(detect_family(found.config), found.config, found.weights())
    assert isinstance(denoiser, BlockDenoiser)
    return denoiser


def decoded(denoiser: BlockDenoiser, batch: TextBatch, noised: NoisedCopies) -> Tensor:
    """Score every text by itself and every block after the clean ones before it, as the sampler would."""
    scores = []
    for is_masked, is_scored in zip(noised.is_masked, noised.is_scored, strict=True):
        for row in range(batch.num_rows):
            x_0, x_t = batch.tokens[row], batch.tokens[row].masked_fill(is_masked[row], MASK)
            for begin in range(0, len(x_0), BLOCK):
                wanted = is_scored[row, begin : begin + BLOCK]
                if not wanted.any():
                    continue
                first = begin - int(batch.position[row, begin])
                context = denoiser.encode(x_0[None, first:begin]) if begin > first else None
                scores.append(denoiser.denoise(x_t[None, begin : begin + BLOCK], context)[0][wanted])
    return torch.cat(scores)


@pytest.mark.parametrize("kind", ["qwen2", "qwen3"])
@pytest.mark.parametrize("is_complementary", [True, False])
def test_one_pass_scores_what_decoding_scores(kind: str, is_complementary: bool, tmp_path: Path) -> None:
    denoiser = load(kind, tmp_path)
    batch = packed(9, 2, 22, 5)
    recipe = BlockNoiseRecipe(block_length=BLOCK, is_complementary=is_complementary)
    noised = draw_masks(batch, recipe, torch.Generator().manual_seed(3))
    ours = score_copies(
        denoiser.backbone,
        batch,
        noised,
        mask_token_id=MASK,
        block_length=BLOCK,
        is_shifted=denoiser.spec.is_shifted,
    )
    assert len(ours) == int(noised.is_scored.sum()) > 20
    assert float((ours - decoded(denoiser, batch, noised)).abs().max()) <= 1e-4


def test_a_mask_and_its_inverse_score_every_token_once() -> None:
    batch = packed(9, 2, 22, 5)
    noised = draw_masks(batch, BlockNoiseRecipe(block_length=BLOCK), torch.Generator().manual_seed(0))
    assert torch.equal(noised.is_masked[0], ~noised.is_masked[1])
    assert torch.equal(noised.is_scored.sum(dim=0), batch.is_supervised.long())


@pytest.mark.parametrize(("low", "high", "share"), [(0.0, 1.0, 0.5), (0.3, 0.5, 0.4), (1.0, 1.0, 1.0)])
def test_shares_are_drawn_for_each_block(low: float, high: float, share: float) -> None:
    batch = packed(*[15] * 300)
    recipe = BlockNoiseRecipe(block_length=BLOCK, low_time=low, high_time=high, is_complementary=False)
    is_masked = draw_masks(batch, recipe, torch.Generator().manual_seed(0)).is_masked[0]
    assert float(is_masked.float().mean()) == pytest.approx(share, abs=0.02)
    per_block = is_masked.view(300, 4, BLOCK).float().mean(dim=2)
    if (low, high) == (0.0, 1.0):
        assert float((per_block == 1.0).float().mean()) == pytest.approx(1 / (BLOCK + 1), abs=0.04)


def test_all_mask_blocks_are_as_many_as_asked_for() -> None:
    recipe = BlockNoiseRecipe(block_length=BLOCK, low_time=0.1, high_time=0.1, all_mask_share=0.5)
    is_masked = draw_masks(packed(*[15] * 300), recipe, torch.Generator().manual_seed(0)).is_masked[0]
    assert float(is_masked.view(300, 4, BLOCK).all(dim=2).float().mean()) == pytest.approx(0.5, abs=0.05)


def test_texts_of_a_row_never_see_each_other() -> None:
    batch = packed(3, 7)
    assert batch.document.tolist() == [[0] * 4 + [1] * 8 + [-1] * 4]
    sight = copies_sight(batch.document, batch.position, block_length=BLOCK, num_copies=2)
    text = batch.document.repeat(1, 3)[0]
    assert not sight[0][text[:, None] != text].any()
    assert sight[0].diagonal().all()
    clean = sight[0, 32:, 32:]
    assert clean[4:8, 4:8].all()
    assert clean[8:12, 4:12].all()
    assert not clean[4:8, 8:12].any()
    assert not sight[0, 32:, :32].any(), "the clean copy sees nothing noised"
    assert not sight[0, :16, 16:32].any(), "the noised copies see nothing of each other"
