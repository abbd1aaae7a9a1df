"""The autoregressive arm: token for token a plain full recompute, the right decoder chosen, the same result fields."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from redraft.denoiser import Transformer
from redraft.denoiser.causal import shifted
from redraft.denoiser.checkpoint import save_checkpoint
from redraft.engine import AutoregressiveEngine, Engine, Request, Result, load_engine
from redraft.engine.autoregressive import engine_for
from redraft.errors import ConfigError
from redraft.interfaces.cli import main
from redraft.text import Segment, Tokenizer, encode_segment

PROMPTS = ("2 + 3", "17 - 4 = ?", "12 × 5", "9 + 1", "What is 8 ÷ 2?", "1 + 2")


@pytest.fixture(scope="module", params=[False, True], ids=["causal", "prefix"])
def arm(request: pytest.FixtureRequest, tiny_model: Transformer) -> Transformer:
    config = dataclasses.replace(tiny_model.config, is_causal=True, has_bidirectional_context=request.param)
    model = Transformer(config).eval().requires_grad_(False)
    model.load_state_dict(tiny_model.state_dict())
    return model


@pytest.fixture(scope="module")
def engine(arm: Transformer, tokenizer: Tokenizer) -> Engine:
    return AutoregressiveEngine.from_transformer(arm, tokenizer, name="arm")


def recomputed(model: Transformer, tokenizer: Tokenizer, prompt: str, length: int) -> list[int]:
    """Decode greedily without any cache: the whole text anew for each token."""
    special = tokenizer.special
    context = torch.tensor([encode_segment(tokenizer, Segment("user", prompt))])
    never = [id for id in special.ids if id not in (special.end_of_text, special.null)]
    written: list[int] = []
    while len(written) < length and special.end_of_text not in written:
        canvas = torch.tensor([[*written, special.mask]])
        logits = model(context, shifted(canvas, first=special.mask))[0, -1]
        logits[never] = -torch.inf
        written.append(int(logits.argmax()))
    return written


def text_of(tokens: list[int], tokenizer: Tokenizer) -> str:
    end = tokenizer.special.end_of_text
    return tokenizer.decode(tokens[: tokens.index(end)] if end in tokens else tokens)


def ask(engine: Engine, prompt: str, *, seed: int = 0, **changes: Any) -> Result:
    return engine.generate(Request.from_prompt(prompt, id="a", seed=seed, settings=engine.settings(**changes)))


def without_time(result: Result) -> dict[str, object]:
    return {key: value for key, value in result.to_dict().items() if "second" not in key}


@pytest.mark.slow
@torch.no_grad()
def test_it_writes_what_a_full_recompute_writes(arm: Transformer, engine: Engine, tokenizer: Tokenizer) -> None:
    for prompt in PROMPTS:
        tokens = recomputed(arm, tokenizer, prompt, arm.config.canvas_length)
        result = ask(engine, prompt)
        assert result.text == text_of(tokens, tokenizer)
        assert result.nfe == len(tokens)
        assert result.finish_reason == ("stop" if tokenizer.special.end_of_text in tokens else "length")
        assert result.completion_tokens == sum(not tokenizer.is_control(token) for token in tokens)
        assert (result.id, result.model, result.revised_tokens) == ("a", "arm", 0)


@pytest.mark.slow
def test_a_batch_and_a_stream_say_the_same(engine: Engine) -> None:
    requests = [Request.from_prompt(prompt, seed=3, settings=engine.settings()) for prompt in PROMPTS]
    alone = [without_time(engine.generate(request)) for request in requests]
    done: list[int] = []
    together = engine.generate_batch(requests, batch_size=4, tick=done.append)
    assert [without_time(result) for result in together] == alone
    assert done[-1] == len(requests)
    for request, expected in zip(requests, alone, strict=True):
        frames = list(engine.stream(request))
        last = frames[-1].result
        assert last is not None
        assert without_time(last) == expected
        assert len(frames) == last.nfe
        assert [frame.nfe for frame in frames] == list(range(1, len(frames) + 1))
        assert all(frame.result is None for frame in frames[:-1])
        assert frames[-1].step.is_last
        assert bool(frames[-1].step.is_settled.all())
        assert "".join(piece.text for piece in frames[-1].pieces()) == last.text
        if len(frames) > 1:
            assert frames[0].pieces()[-1].state == "open"


@pytest.mark.slow
def test_a_temperature_draws_by_the_requests_seed(engine: Engine) -> None:
    settings = engine.settings(temperature=3.0)
    texts = {ask(engine, "2 + 3", seed=seed, temperature=3.0).text for seed in range(4)}
    assert len(texts) > 1
    requests = [Request.from_prompt("2 + 3", seed=seed, settings=settings) for seed in range(4)]
    assert [result.text for result in engine.generate_batch(requests)] == [
        ask(engine, "2 + 3", seed=seed, temperature=3.0).text for seed in range(4)
    ]


def test_the_greatest_length_ends_it(engine: Engine) -> None:
    result = ask(engine, "2 + 3", max_new_tokens=2)
    assert result.completion_tokens <= 2
    request = Request.from_prompt("2 + 3", settings=engine.settings())
    limited = engine.generate(dataclasses.replace(request, max_passes=2))
    assert limited.nfe <= 2
    assert (limited.finish_reason == "passes") is (ask(engine, "2 + 3").nfe > 2)
    with pytest.raises(ConfigError, match="max_new_tokens=99, but the model arm writes one canvas of 24"):
        ask(engine, "2 + 3", max_new_tokens=99)


def test_what_has_no_effect_is_refused(engine: Engine, tiny_model: Transformer, tokenizer: Tokenizer) -> None:
    with pytest.raises(ConfigError, match="threshold has no effect: the model arm writes left to right"):
        engine.settings(threshold=0.5)
    with pytest.raises(ConfigError, match="does not write left to right"):
        AutoregressiveEngine.from_transformer(tiny_model, tokenizer)
    assert engine_for(tiny_model) is Engine


def test_a_folder_says_by_itself_how_it_is_decoded(
    arm: Transformer, tokenizer: Tokenizer, tmp_path: Path, capsys: pytest.CaptureFixture[str], tiny_checkpoint: Path
) -> None:
    folder = tmp_path / "arm"
    save_checkpoint(folder, model=arm, tokenizer_json=tokenizer.to_json(), card="# Arm\n")
    assert isinstance(load_engine(str(folder)), AutoregressiveEngine)
    assert not isinstance(load_engine(str(tiny_checkpoint)), AutoregressiveEngine)
    assert main(["generate", "2 + 3", "--model", str(folder), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    tokens = recomputed(arm, tokenizer, "2 + 3", arm.config.canvas_length)
    assert (record["text"], record["nfe"]) == (text_of(tokens, tokenizer), len(tokens))
    assert main(["generate", "2 + 3", "--model", str(folder), "--threshold", "0.5"]) == 2
    assert "threshold has no effect" in capsys.readouterr().err
