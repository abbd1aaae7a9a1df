"""What a context promises: cached equals uncached, padded equals alone, in pieces equals at once."""

import pytest
import torch
from tests.parity.families.tiny import FAMILIES, VOCAB, config_of, tokenizer_config_of, weights_of
from torch import Tensor

from redraft.denoiser.families import BlockDenoiser, FullAttentionDenoiser, build_denoiser, detect_family
from redraft.errors import ContextLengthError

TOLERANCE = 2e-5


def denoiser_of(family: str, **changes: object) -> FullAttentionDenoiser | BlockDenoiser:
    config = config_of(family) | changes
    spec = detect_family(config, tokenizer_config=tokenizer_config_of(family))
    return build_denoiser(spec, config, weights_of(family, config))


def draw(batch: int, length: int, seed: int = 0) -> Tensor:
    return torch.randint(0, VOCAB, (batch, length), generator=torch.Generator().manual_seed(seed))


def left_padded(rows: list[Tensor]) -> tuple[Tensor, Tensor]:
    width = max(len(row) for row in rows)
    tokens = torch.stack([torch.cat([torch.full((width - len(row),), 7), row]) for row in rows])
    is_valid = torch.stack([torch.arange(width) >= width - len(row) for row in rows])
    return tokens, is_valid


def close(left: Tensor, right: Tensor) -> None:
    torch.testing.assert_close(left, right, rtol=0.0, atol=TOLERANCE)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("lengths", [(3, 37, 68), (1, 3, 2), (32, 64, 65)])
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_padded_row_is_scored_as_alone(family: str, lengths: tuple[int, ...], side: str) -> None:
    denoiser = denoiser_of(family)
    rows = [draw(1, length, seed=length)[0] for length in lengths]
    canvas = draw(3, 1 if max(lengths) < 4 else 5, seed=1)
    tokens, is_valid = left_padded(rows)
    if side == "right":
        tokens, is_valid = (part.flip(1) for part in left_padded([row.flip(0) for row in rows]))
    together = denoiser.denoise(canvas, denoiser.encode(tokens, is_valid=is_valid))
    for index, row in enumerate(rows):
        close(together[index : index + 1], denoiser.denoise(canvas[index : index + 1], denoiser.encode(row[None])))


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_that_grow_unevenly_are_scored_as_alone(family: str) -> None:
    """One row completes blocks while another completes none, time after time."""
    denoiser = denoiser_of(family)
    grown: list[list[Tensor]] = [[], [], []]
    together = None
    for step, lengths in enumerate([(32, 3, 0), (0, 29, 1), (42, 2, 31), (1, 33, 5)]):
        rows = [draw(1, length, seed=10 * step + length)[0] for length in lengths]
        tokens, is_valid = left_padded(rows)
        together = denoiser.encode(tokens, together, is_valid=is_valid)
        for index, row in enumerate(rows):
            grown[index].append(row)
        canvas = draw(3, 4, seed=step)
        scores = denoiser.denoise(canvas, together)
        for index, pieces in enumerate(grown):
            alone = torch.cat(pieces)[None]
            cache = denoiser.encode(alone) if alone.shape[1] else None
            close(scores[index : index + 1], denoiser.denoise(canvas[index : index + 1], cache))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_row_without_any_context_keeps_its_scores_beside_one_with_context(family: str) -> None:
    denoiser = denoiser_of(family)
    canvas = draw(2, 5, seed=1)
    tokens, is_valid = left_padded([draw(1, 40)[0], torch.zeros(0, dtype=torch.long)])
    together = denoiser.denoise(canvas, denoiser.encode(tokens, is_valid=is_valid))
    close(together[1:], denoiser.denoise(canvas[1:]))
    assert bool(torch.isfinite(together).all())


@pytest.mark.parametrize("family", FAMILIES)
def test_segments_one_after_the_other_are_one_context(family: str) -> None:
    denoiser = denoiser_of(family)
    tokens, canvas = draw(2, 71), draw(2, 9, seed=1)
    in_pieces = None
    for piece in tokens.split([2, 30, 1, 38], dim=1):
        in_pieces = denoiser.encode(piece, in_pieces)
    assert in_pieces is not None
    assert in_pieces.length == 71
    close(denoiser.denoise(canvas, in_pieces), denoiser.denoise(canvas, denoiser.encode(tokens)))


@pytest.mark.parametrize("family", FAMILIES)
def test_padding_between_segments_is_not_seen(family: str) -> None:
    denoiser = denoiser_of(family)
    first, second = draw(2, 33), draw(2, 6, seed=2)
    padded = torch.cat([torch.full((2, 3), 9), second], dim=1)
    is_valid = torch.arange(9).expand(2, 9) >= 3
    canvas = draw(2, 4, seed=3)
    with_padding = denoiser.encode(padded, denoiser.encode(first), is_valid=is_valid)
    close(
        denoiser.denoise(canvas, with_padding), denoiser.denoise(canvas, denoiser.encode(torch.cat([first, second], 1)))
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_selected_rows_keep_their_scores(family: str) -> None:
    denoiser = denoiser_of(family)
    tokens, is_valid = left_padded([draw(1, length, seed=length)[0] for length in (5, 34, 66)])
    canvas, rows = draw(3, 6, seed=1), torch.tensor([2, 0])
    cache = denoiser.encode(tokens, is_valid=is_valid)
    before = denoiser.denoise(canvas, cache)
    close(denoiser.denoise(canvas[rows], cache.select(rows)), before[rows])
    assert torch.equal(denoiser.denoise(canvas, cache), before), "selecting changed the context"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_context_is_not_changed_by_what_follows(family: str) -> None:
    denoiser = denoiser_of(family)
    cache, canvas = denoiser.encode(draw(1, 35)), draw(1, 6, seed=1)
    before = denoiser.denoise(canvas, cache)
    denoiser.encode(draw(1, 40, seed=2), cache)
    assert torch.equal(denoiser.denoise(canvas, cache), before)


@pytest.mark.parametrize(
    "family", [name for name in FAMILIES if name in ("sdar", "sdar_moe", "llada2_moe", "fast_dllm_v2")]
)
def test_a_left_over_token_scores_alike_in_the_context_and_on_the_canvas(family: str) -> None:
    denoiser = denoiser_of(family)
    assert isinstance(denoiser, BlockDenoiser)
    whole, block = draw(2, denoiser.block_length), draw(2, denoiser.block_length, seed=1)
    settled = denoiser.encode(whole)
    in_context = denoiser.denoise(block[:, 3:], denoiser.encode(block[:, :3], settled))
    close(in_context, denoiser.denoise(block, settled)[:, 3:])


@pytest.mark.parametrize("family", FAMILIES)
def test_outgrowing_the_model_is_one_clear_error(family: str) -> None:
    denoiser = denoiser_of(family)
    cache = denoiser.encode(draw(1, 508))
    denoiser.denoise(draw(1, 4), cache)
    with pytest.raises(ContextLengthError, match="513 tokens together; this model takes 512"):
        denoiser.denoise(draw(1, 5), cache)


def test_fast_dllm_opens_a_block_with_what_the_last_one_said() -> None:
    denoiser = denoiser_of("fast_dllm_v2")
    assert isinstance(denoiser, BlockDenoiser)
    tokens, canvas = draw(2, 64), draw(2, 32, seed=1)
    settled = denoiser.encode(tokens)
    close(denoiser.next_logits(settled), denoiser.denoise(canvas, settled)[:, 0])
    other = denoiser.denoise(draw(2, 32, seed=2), settled)
    close(denoiser.next_logits(settled), other[:, 0])


@pytest.mark.parametrize("family", ["dream", "llada2_moe", "sdar"])
def test_bfloat16_stays_near_float32(family: str) -> None:
    config = config_of(family)
    spec = detect_family(config, tokenizer_config=tokenizer_config_of(family))
    weights = {name: weight.bfloat16() for name, weight in weights_of(family, config).items()}
    coarse = build_denoiser(spec, config, weights)
    fine = build_denoiser(spec, config, {name: weight.float() for name, weight in weights.items()})
    tokens, canvas = draw(1, 41), draw(1, 7, seed=1)
    coarse_logits = coarse.denoise(canvas, coarse.encode(tokens))
    assert coarse_logits.dtype == torch.bfloat16
    error = (coarse_logits.float() - fine.denoise(canvas, fine.encode(tokens))).abs()
    assert error.median() < 0.1
