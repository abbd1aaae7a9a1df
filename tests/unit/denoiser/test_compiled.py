"""Compiled passes: the function of the layout for answering, the same bits in company, and where programs are kept."""

import dataclasses
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from tests.unit.denoiser.interpreted import Interpreted
from tests.unit.denoiser.randomised import randomised
from torch import Tensor

from redraft.denoiser import Denoiser, LeanTransformer, ScoresSome, Transformer, TransformerConfig
from redraft.denoiser.compiled import _MAX_CONTEXTS, CompiledTransformer
from redraft.denoiser.pass_program import ProgramShape, samples, tables_of
from redraft.denoiser.program_store import find_programs, program_folder
from redraft.denoiser.protocol import Sketch
from redraft.errors import ConfigError, ContextLengthError, DependencyError

CONFIG = TransformerConfig(
    vocab_size=40,
    width=32,
    num_heads=2,
    num_prelude_layers=2,
    context_length=64,
    canvas_length=40,
    digit_token_ids=tuple(range(10)),
)
HAS_COMPILER = shutil.which(os.environ.get("CXX", "g++")) is not None
SKETCH = Sketch(places=torch.tensor([25, 31, 38]), counts=torch.tensor([4.0, 7.0, 5.0]), mask_token_id=39)


def shape_of(model: Transformer, *, is_int8: bool = False) -> ProgramShape:
    shape = ProgramShape.of(model, is_int8=is_int8)
    assert shape is not None
    return shape


def draw(*shape: int, seed: int = 5) -> Tensor:
    return torch.randint(0, CONFIG.vocab_size, shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def model() -> Transformer:
    return randomised(CONFIG)


@pytest.fixture
def interpreted(model: Transformer) -> Interpreted:
    return Interpreted(shape_of(model))


@pytest.fixture
def compiled(model: Transformer, interpreted: Interpreted) -> CompiledTransformer:
    return CompiledTransformer(model, interpreted)


def test_it_is_a_denoiser_that_scores_some(compiled: CompiledTransformer) -> None:
    assert isinstance(compiled, Denoiser)
    assert isinstance(compiled, ScoresSome)


@pytest.mark.parametrize("sketch", [None, SKETCH])
@pytest.mark.parametrize("places", [None, [[3]], [[7, 0, 19, 2]]])
def test_a_pass_computes_what_the_lean_layout_computes(
    model: Transformer,
    compiled: CompiledTransformer,
    interpreted: Interpreted,
    sketch: Sketch | None,
    places: list[list[int]] | None,
) -> None:
    lean = LeanTransformer(model)
    wanted = None if places is None else torch.tensor(places)
    ours, theirs = compiled.encode(draw(1, 9)), lean.encode(draw(1, 9))
    for mine, other in zip((*ours.keys, *ours.values), (*theirs.keys, *theirs.values), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)
    canvas = draw(1, 24, seed=6)
    expected = lean.denoise_some(canvas, wanted, theirs, sketch=sketch)
    torch.testing.assert_close(
        compiled.denoise_some(canvas, wanted, ours, sketch=sketch), expected, rtol=1e-3, atol=1e-3
    )
    # Its contexts are the lean layout's, as far as that one is concerned: segments may be laid behind each other.
    longer, theirs_longer = compiled.encode(draw(1, 4, seed=7), ours), lean.encode(draw(1, 4, seed=7), theirs)
    expected = lean.denoise_some(canvas, wanted, theirs_longer, sketch=sketch)
    torch.testing.assert_close(
        compiled.denoise_some(canvas, wanted, longer, sketch=sketch), expected, rtol=1e-3, atol=1e-3
    )
    assert interpreted.num_passes == 2


def test_what_no_program_knows_is_scored_all_the_same(
    model: Transformer, compiled: CompiledTransformer, interpreted: Interpreted
) -> None:
    lean = LeanTransformer(model)
    canvas, segments = draw(2, 16, seed=6), draw(2, 6)
    padded = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    for segment, valid, tokens in (
        (None, None, canvas),
        (segments, padded, canvas),
        (segments[:, :1], None, canvas),
        (segments, None, canvas[:, :1]),
    ):
        caches = [None if segment is None else one.encode(segment, is_valid=valid) for one in (compiled, lean)]
        expected = lean.denoise(tokens, caches[1])
        torch.testing.assert_close(compiled.denoise(tokens, caches[0]), expected, rtol=1e-3, atol=1e-3)
    assert interpreted.num_passes == 0


def test_rows_get_the_same_bits_in_company(compiled: CompiledTransformer) -> None:
    segments, canvas, places = draw(3, 9), draw(3, 24, seed=6), torch.tensor([[0, 5], [9, 2], [23, 11]])
    together = compiled.denoise_some(canvas, places, compiled.encode(segments), sketch=SKETCH)
    # The places of a selection are a part of a longer row, so they are not contiguous.
    places = torch.cat([places, places], dim=1)[:, :2]
    for row in range(3):
        part = slice(row, row + 1)
        alone = compiled.denoise_some(canvas[part], places[part], compiled.encode(segments[part]), sketch=SKETCH)
        assert torch.equal(alone[0], together[row])


def test_only_so_many_contexts_are_kept(compiled: CompiledTransformer) -> None:
    canvas = draw(1, 8)
    caches = [compiled.encode(draw(1, 5, seed=seed)) for seed in range(_MAX_CONTEXTS + 5)]
    before = [compiled.denoise(canvas, cache) for cache in caches]
    assert len(compiled._contexts) == _MAX_CONTEXTS
    for cache, logits in zip(caches, before, strict=True):
        assert torch.equal(compiled.denoise(canvas, cache), logits), "one that was let go is made again"


def test_what_is_too_long_is_refused(compiled: CompiledTransformer) -> None:
    cache = compiled.encode(draw(1, 5))
    with pytest.raises(ContextLengthError, match="the canvas has 41 positions; this model takes 40"):
        compiled.denoise(draw(1, 41), cache)
    with pytest.raises(ContextLengthError, match="the canvas has 41 positions; this model takes 40"):
        compiled.denoise_some(draw(1, 38), None, cache, sketch=SKETCH)
    with pytest.raises(ContextLengthError, match="would hold 65 tokens; this model takes 64"):
        compiled.encode(draw(1, 65))


def test_loops_and_self_conditioning_have_no_shape(model: Transformer) -> None:
    assert ProgramShape.of(model, is_int8=False) == shape_of(model)
    for changes in ({"num_loop_layers": 1}, {"num_coda_layers": 1}, {"uses_self_conditioning": True}):
        other = Transformer(dataclasses.replace(CONFIG, **cast(Any, changes)))
        assert ProgramShape.of(other, is_int8=False) is None
    assert ProgramShape.of(Transformer(dataclasses.replace(CONFIG, is_causal=True)), is_int8=False) is None


@pytest.mark.parametrize("is_int8", [False, True])
def test_samples_are_shaped_as_a_model_is(model: Transformer, is_int8: bool) -> None:
    """A program is traced by the samples and run with a model's own tables."""
    shape = shape_of(model, is_int8=is_int8)
    tables = tables_of(model, is_int8=is_int8)
    for _, arguments, lengths in samples(shape).values():
        (place,) = [place for place, one in enumerate(arguments) if isinstance(one, list) and len(one) == len(tables)]
        for table, sample, free in zip(tables, arguments[place], lengths[place], strict=True):
            assert table.dtype == sample.dtype
            assert table.is_contiguous()
            fixed = [axis for axis in range(table.dim()) if axis not in free]
            assert [table.shape[axis] for axis in fixed] == [sample.shape[axis] for axis in fixed]


@pytest.fixture
def cache_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_machine_code_comes_from_a_folder_of_ones_own_only(model: Transformer, cache_home: Path) -> None:
    folder = program_folder()
    assert folder == cache_home / "redraft" / "programs"
    folder.mkdir(parents=True)
    folder.chmod(0o770)
    with pytest.raises(ConfigError, match=r"others may write to it.*chmod 700"):
        find_programs(shape_of(model))
    folder.rmdir()
    folder.write_text("in the way")
    with pytest.raises(ConfigError, match=r"can't use .*XDG_CACHE_HOME"):
        find_programs(shape_of(model))


@pytest.mark.slow
@pytest.mark.usefixtures("cache_home")
def test_no_compiler_is_said_in_words(model: Transformer) -> None:
    from torch._inductor import config

    said: list[str] = []
    lacks_compiler = config.patch({"cpp.cxx": ("no-such-compiler",)})
    with lacks_compiler, pytest.raises(DependencyError, match=r"can't be compiled here.*C\+\+ compiler such as g\+\+"):
        find_programs(shape_of(model), tell=said.append)
    assert len(said) == 1
    assert [*program_folder().iterdir()] == [], "nothing half made is left behind"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """Programs that were really compiled, and where they lie; int8, since that has all of float32's steps and more."""
    if not HAS_COMPILER:
        pytest.skip("there is no C++ compiler")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        shape = shape_of(randomised(CONFIG), is_int8=True)
        said: list[str] = []
        programs = find_programs(shape, tell=said.append)
        assert ["pass-" in said[0], "encode-" in said[1]] == [True, True]
        yield SimpleNamespace(shape=shape, programs=programs, folder=program_folder())


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_compiled_programs_compute_what_is_written(found: SimpleNamespace) -> None:
    model = randomised(CONFIG)
    written = CompiledTransformer(model, Interpreted(found.shape), is_int8=True)
    compiled = CompiledTransformer(model, found.programs, is_int8=True)
    for num_seen, width, places in ((2, 2, [1]), (9, 8, [0, 1, 5]), (33, 24, [*range(24)]), (64, 37, [36, 0])):
        segment, canvas = draw(1, num_seen), draw(1, width, seed=6)
        sketch = SKETCH if width == 24 else None
        scores = [
            one.denoise_some(canvas, torch.tensor([places]), one.encode(segment), sketch=sketch)
            for one in (compiled, written)
        ]
        # Where a number is rounded up in one and down in the other, scores differ by more than float32's rounding.
        torch.testing.assert_close(*scores, rtol=0.05, atol=0.5)
    # A prompt of few tokens and a canvas of few positions: their products are the ones that threads might divide.
    segments, canvas = draw(3, 3), draw(3, 8, seed=6)
    together = compiled.denoise(canvas, compiled.encode(segments))
    threads = torch.get_num_threads()
    try:
        for row, count in enumerate((1, 2, 1)):
            torch.set_num_threads(count)
            part = slice(row, row + 1)
            assert torch.equal(compiled.denoise(canvas[part], compiled.encode(segments[part]))[0], together[row])
    finally:
        torch.set_num_threads(threads)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_was_compiled_is_found_again(found: SimpleNamespace) -> None:
    said: list[str] = []
    find_programs(found.shape, tell=said.append)
    assert said == []
    assert len([*found.folder.iterdir()]) == 2
    path = next(found.folder.glob("pass-*"))
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    try:
        with pytest.raises(ConfigError, match=r"can't be loaded .*delete it to compile it again"):
            find_programs(found.shape)
    finally:
        path.write_bytes(whole)
