"""Every public family through the engine and the command: seeds, batches, streams, pinned text, and what is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.parity.families import tiny, tiny_diffusion_gemma

from redraft.engine import Engine, Request, load_engine, published
from redraft.errors import CheckpointError, ConfigError, ContextLengthError
from redraft.interfaces import cli
from redraft.sampler import Canvas, sample
from redraft.text import Segment

FAMILIES = (*tiny.FAMILIES, "diffusion_gemma")


def write(folder: Path, family: str) -> Path:
    """Write a tiny checkpoint with a tokenizer."""
    if family != "diffusion_gemma":
        return tiny.write_tiny(folder, family)
    tiny_diffusion_gemma.write_tiny(folder, vocab_size=tiny.VOCAB)
    tokenizer = tiny.tokenizer_of("sdar")
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(tiny.tokenizer_config_of("sdar")))
    path = folder / "generation_config.json"
    ends = [tokenizer.token_to_id(text) for text in ("<|im_end|>", "<|endoftext|>")]
    path.write_text(json.dumps(json.loads(path.read_text()) | {"eos_token_id": ends}))
    return folder


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    written: dict[str, Path] = {}

    def make(family: str) -> Path:
        if family not in written:
            written[family] = write(tmp_path_factory.mktemp("published") / family, family)
        return written[family]

    return make


@pytest.fixture(scope="module")
def engine_of(folder_of: Callable[[str], Path]) -> Callable[[str], Engine]:
    loaded: dict[str, Engine] = {}

    def make(family: str) -> Engine:
        if family not in loaded:
            loaded[family] = load_engine(str(folder_of(family)))
        return loaded[family]

    return make


@pytest.mark.parametrize("family", FAMILIES)
def test_the_command_answers_in_json(
    folder_of: Callable[[str], Path], capsys: pytest.CaptureFixture[str], family: str
) -> None:
    model = str(folder_of(family))
    capsys.readouterr()  # transformers says that it writes
    assert cli.main(["generate", "hi", "--model", model, "--max-tokens", "12", "--json"]) == 0
    out, err = capsys.readouterr()
    record = json.loads(out)
    assert (record["model"], record["seed"], err) == (model, 0, "")
    assert record["nfe"] >= 1
    assert 0 <= record["completion_tokens"] <= 12


@pytest.mark.parametrize("family", FAMILIES)
def test_a_seed_gives_the_same_alone_and_in_a_batch(engine_of: Callable[[str], Engine], family: str) -> None:
    engine = engine_of(family)
    warm = engine.settings("low", temperature=1.0, final_temperature=None, max_new_tokens=17, max_steps=5)
    cool = engine.settings("low", max_new_tokens=9, max_steps=5)
    prompts = ("hi", "ho", "the inn", "hi", "he")
    requests = [
        Request.from_prompt(prompt, id=str(seed), seed=seed, settings=cool if prompt == "he" else warm)
        for seed, prompt in enumerate(prompts)
    ]
    together = engine.generate_batch(requests, batch_size=4)
    for request, result in zip(requests, together, strict=True):
        alone = engine.generate(request)
        assert replace(result, seconds=alone.seconds) == alone
    assert together[0].text != together[3].text, "the seed matters"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stream_ends_with_what_generate_gives(engine_of: Callable[[str], Engine], family: str) -> None:
    engine = engine_of(family)
    request = Request.from_prompt("hi", settings=engine.settings("instant", max_new_tokens=12))
    frames = list(engine.stream(request))
    last = frames[-1]
    assert last.result is not None
    assert last.result.text == engine.generate(request).text
    assert last.result.nfe == len(frames) == last.nfe
    shown = last.text_before + "".join(piece.text for piece in last.pieces())
    assert shown.startswith(last.result.text[:4])
    blocks = engine.desk.layout.block_length
    assert frames[0].num_given == (0 if blocks is None else last.result.prompt_tokens % blocks)
    assert all(frame.num_given == 0 for frame in frames if frame.step.block)


@pytest.mark.parametrize("family", FAMILIES)
def test_pinned_text_stays_and_gaps_are_filled(engine_of: Callable[[str], Engine], family: str) -> None:
    """Two rows with different gaps on a canvas of several blocks; a row is the same alone."""
    engine = engine_of(family)
    special = engine.special_ids
    length = 40 if family != "diffusion_gemma" else tiny_diffusion_gemma.CANVAS
    text = torch.arange(length).remainder(50).add(30).repeat(2, 1)
    is_gap = torch.zeros(2, length, dtype=torch.bool)
    is_gap[0, 2:6], is_gap[1, 1:3], is_gap[1, length - 4 : length - 1] = True, True, True
    tokens = text.masked_fill(is_gap, 7 if special.mask is None else special.mask)
    prompt = torch.tensor([[40, 41, 42, 43, 44], [50, 51, 52, 53, 54]])
    settings = replace(engine.settings(), max_steps=16)

    def fill(rows: slice) -> list[list[int]]:
        with torch.inference_mode():
            steps = sample(
                engine.denoiser,
                context=engine.denoiser.encode(prompt[rows]),
                canvas=Canvas.from_tokens(tokens[rows], is_gap[rows], special.mask),
                settings=settings,
                special=special,
                seeds=torch.tensor([3, 4])[rows],
            )
            *_, last = steps
        assert last.is_last
        return last.tokens.tolist()

    filled = fill(slice(None))
    for row in range(2):
        assert fill(slice(row, row + 1)) == [filled[row]]
        for place in range(length):
            if is_gap[row, place]:
                assert filled[row][place] not in (special.mask, *special.ends), "text can't end before pinned text"
            else:
                assert filled[row][place] == int(text[row, place])


def test_several_canvases_are_the_plain_loop(engine_of: Callable[[str], Engine]) -> None:
    """Finished canvases of DiffusionGemma go into the context as they are, and the first of any end is the last."""
    engine, length = engine_of("diffusion_gemma"), tiny_diffusion_gemma.CANVAS
    special = engine.special_ids
    settings = engine.settings("instant", max_new_tokens=3 * length)
    tokens, seeds = [], torch.tensor([5])
    request = Request.from_prompt("hi", seed=5, settings=settings)
    with torch.inference_mode():
        cache = engine.denoiser.encode(torch.tensor(engine.desk.layout.open(request).segments))
        for block in range(3):
            canvas = Canvas.noise(seeds, length, engine.denoiser.vocab_size, special=special, block=block)
            options = {"context": cache, "canvas": canvas, "seeds": seeds, "block": block}
            *_, last = sample(engine.denoiser, settings=settings, special=special, **options)
            tokens += last.tokens[0].tolist()
            if set(tokens) & set(special.ends):
                break
            cache = engine.denoiser.encode(last.tokens, cache)
    end = next((place for place, token in enumerate(tokens) if token in special.ends), len(tokens))
    assert len(special.ends) == 2
    assert engine.generate(request).text == engine.tokenizer.decode(tokens[:end])


def test_a_model_of_few_positions_leaves_some_for_the_prompt(tmp_path: Path) -> None:
    folder = write(tmp_path / "short", "llada")
    _changed("config.json", max_sequence_length=64)(folder)
    settings = load_engine(str(folder)).settings()
    assert (settings.max_new_tokens, settings.canvas_length) == (32, 32)


@pytest.mark.parametrize("family", FAMILIES)
def test_several_turns_go_through_the_template(engine_of: Callable[[str], Engine], family: str) -> None:
    engine = engine_of(family)
    settings = engine.settings("instant", max_new_tokens=4)
    turns = (Segment("user", "hi"), Segment("assistant", "ho"), Segment("user", "he"))
    several = engine.generate(Request(segments=turns, settings=settings))
    assert several.prompt_tokens > engine.generate(Request(segments=turns[2:], settings=settings)).prompt_tokens


@pytest.mark.parametrize("dtype", ["bfloat16", "int8"])
@pytest.mark.parametrize("family", ["llada", "dream", "llada2_moe", "fast_dllm_v2"])
def test_other_types_of_weights_answer(folder_of: Callable[[str], Path], family: str, dtype: str) -> None:
    engine = load_engine(str(folder_of(family)), dtype=dtype)
    result = engine.generate(Request.from_prompt("hi", settings=engine.settings("instant", max_new_tokens=8)))
    assert result.nfe >= 1


def test_a_block_family_draws_its_own_blocks(engine_of: Callable[[str], Engine]) -> None:
    engine = engine_of("sdar")
    with pytest.raises(ConfigError, match=r"canvas_length=8, but the model .* draws blocks of 4"):
        engine.settings(canvas_length=8)
    with pytest.raises(ConfigError, match="family='uniform'"):
        engine_of("diffusion_gemma").settings(family="masked", stop="settled")
    with pytest.raises(ConfigError, match="effort='maximal'"):
        engine.settings("maximal")


def test_what_outgrows_the_context_is_refused(engine_of: Callable[[str], Engine]) -> None:
    for family in ("llada", "sdar", "llada2_moe"):
        engine = engine_of(family)
        with pytest.raises(ContextLengthError, match=r"takes a context of 512; lower max_new_tokens or shorten it"):
            engine.generate(Request.from_prompt("x" * 500, settings=engine.settings(max_new_tokens=64)))


def test_the_dial_turns(engine_of: Callable[[str], Engine]) -> None:
    for family in FAMILIES:
        engine = engine_of(family)
        efforts = [engine.settings(effort) for effort in ("instant", "low", "medium", "high")]
        dials = [(settings.threshold, settings.max_steps, settings.commit) for settings in efforts]
        assert len(set(dials)) >= 3, family
        assert engine.settings("low", max_steps=3).max_steps == 3


def test_what_does_not_fit_is_refused_before_a_weight_is_read(
    folder_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "available_memory", lambda: 100_000)
    with pytest.raises(ConfigError, match=r"needs .* GB as float32; .* it fits with dtype bfloat16 or int8"):
        load_engine(str(folder_of("llada")))
    monkeypatch.setattr(published, "available_memory", lambda: 1000)
    with pytest.raises(ConfigError, match="it fits with no other type either"):
        load_engine(str(folder_of("llada")))


def test_unknown_types_of_weights(folder_of: Callable[[str], Path], tiny_checkpoint: Path) -> None:
    with pytest.raises(ConfigError, match="dtype='float8' is unknown"):
        load_engine(str(folder_of("llada")), dtype="float8")
    with pytest.raises(ConfigError, match="dtype='float16' is for published models"):
        load_engine(str(tiny_checkpoint), dtype="float16")
    with pytest.raises(ConfigError, match="no int8 here"):
        load_engine(str(folder_of("diffusion_gemma")), dtype="int8")


def _without(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def _changed(name: str, **changes: Any) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        path = folder / name
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return damage


@pytest.mark.parametrize(
    ("damage", "status", "words"),
    [
        (_without("config.json"), 2, "no checkpoint folder"),
        (_changed("config.json", architectures=["GPT2LMHeadModel"], model_type="gpt2"), 2, "not a diffusion family"),
        (_changed("config.json", mask_token_id=10**6), 1, "leaves out its mask"),
        (_without("model.safetensors"), 1, "safetensors"),
        (_without("tokenizer.json"), 1, "tokenizer"),
        (lambda folder: (folder / "config.json").write_text("{"), 1, "config.json"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"x" * 64), 1, "model.safetensors"),
        (_changed("tokenizer_config.json", chat_template="{% for m in range(10**9) %}x{% endfor %}"), 1, "template"),
        (_changed("config.json", hidden_size=16), 1, "shape"),
    ],
)
def test_a_bad_folder_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: Callable[[Path], object], status: int, words: str
) -> None:
    folder = write(tmp_path / "bad", "sdar")
    damage(folder)
    assert cli.main(["generate", "hi", "--model", str(folder), "--json"]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert words in err


def test_a_mask_that_is_an_end_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "bad", "sdar")
    mask = json.loads((folder / "config.json").read_text())["mask_token_id"]
    _changed("generation_config.json", eos_token_id=mask)(folder)
    with pytest.raises(CheckpointError, match="the same id"):
        load_engine(str(folder))
