"""Requests in, results out: text, counts, canvases one after the other, batches, and what is refused."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from redraft.denoiser import FakeDenoiser, Transformer
from redraft.denoiser.checkpoint import Loaded
from redraft.engine import Engine, Request, Result
from redraft.errors import CheckpointError, ConfigError, ContextLengthError, PromptError
from redraft.text import Segment, Tokenizer, encode_segment

CANVAS = 16
CONTEXT = 64


def scripted(tokenizer: Tokenizer, answer: Callable[[list[int]], list[int]], **options: Any) -> Engine:
    """Return an engine whose denoiser is sure of what ``answer`` says to a context."""

    def logits_of(canvas: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        assert context is not None
        rows = []
        for tokens in context.tolist():
            ids = answer(tokens)[: canvas.shape[1]]
            rows.append(ids + [tokenizer.special.end_of_text] * (canvas.shape[1] - len(ids)))
        return torch.nn.functional.one_hot(torch.tensor(rows), tokenizer.vocab_size).float() * 30.0

    fake = FakeDenoiser(vocab_size=tokenizer.vocab_size, logits_of=logits_of)
    return Engine(fake, tokenizer, **{"context_length": CONTEXT, "canvas_length": CANVAS, **options})


def ask(engine: Engine, prompt: str = "1 + 2", *, seed: int = 0, **changes: Any) -> Result:
    return engine.generate(Request.from_prompt(prompt, id="a", seed=seed, settings=engine.settings(**changes)))


def test_a_scripted_answer_comes_back_with_its_figures(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("3 apples")
    result = ask(scripted(tokenizer, lambda context: ids, name="fake"))
    assert result.text == "3 apples"
    assert (result.id, result.model, result.seed, result.finish_reason) == ("a", "fake", 0, "stop")
    assert result.prompt_tokens == len(encode_segment(tokenizer, Segment("user", "1 + 2")))
    assert result.completion_tokens == len(ids)
    assert 1 <= result.nfe <= 3
    assert result.tokens_per_forward == len(ids) / result.nfe
    assert result.tokens_per_second == len(ids) / result.seconds.total
    stages = result.seconds.to_dict()
    assert all(seconds >= 0 for seconds in stages.values())
    assert sum(stages.values()) - stages["total"] <= stages["total"] + 1e-4


def test_the_json_fields_are_the_documented_ones(tiny_engine: Engine) -> None:
    record = json.loads(json.dumps(ask(tiny_engine).to_dict()))
    assert list(record) == [
        *("id", "text", "model", "seed", "finish_reason", "prompt_tokens", "completion_tokens", "nfe"),
        *("tokens_per_forward", "revised_tokens", "seconds", "tokens_per_second"),
    ]
    assert list(record["seconds"]) == ["tokenize", "prefill", "denoise", "filter", "detokenize", "total"]


def test_null_and_what_follows_the_end_never_count(tokenizer: Tokenizer) -> None:
    special = tokenizer.special
    four, more = tokenizer.encode("4"), tokenizer.encode("more")
    result = ask(scripted(tokenizer, lambda context: [special.null, special.null, *four, special.end_of_text, *more]))
    assert result.text == "4"
    assert result.completion_tokens == 1
    assert result.finish_reason == "stop"


def test_an_answer_of_nothing(tokenizer: Tokenizer) -> None:
    result = ask(scripted(tokenizer, lambda context: []))
    assert (result.text, result.completion_tokens, result.finish_reason) == ("", 0, "stop")
    assert result.tokens_per_forward == 0.0


def test_a_full_canvas_ends_by_length(tokenizer: Tokenizer) -> None:
    digits = list(tokenizer.digit_token_ids)
    result = ask(scripted(tokenizer, lambda context: digits + digits))
    assert result.text == "0123456789012345"
    assert result.finish_reason == "length"
    assert result.completion_tokens == CANVAS


def test_max_new_tokens_cuts_the_text(tokenizer: Tokenizer) -> None:
    digits = list(tokenizer.digit_token_ids)
    engine = scripted(tokenizer, lambda context: digits)
    result = ask(engine, max_new_tokens=4)
    assert (result.text, result.completion_tokens, result.finish_reason) == ("0123", 4, "length")
    assert ask(engine, max_new_tokens=10).finish_reason == "stop"


def test_further_canvases_see_the_finished_ones(tokenizer: Tokenizer) -> None:
    digits, special = list(tokenizer.digit_token_ids), tokenizer.special
    seen: list[list[int]] = []

    def answer(context: list[int]) -> list[int]:
        seen.append(context)
        count = context.count(special.assistant)
        return [digits[count + 1]] * (CANVAS if count < 2 else 3)

    result = ask(scripted(tokenizer, answer), max_new_tokens=3 * CANVAS)
    assert result.text == "1" * CANVAS + "2" * CANVAS + "3" * 3
    assert result.finish_reason == "stop"
    assert result.nfe == len(seen)
    prompt = encode_segment(tokenizer, Segment("user", "1 + 2"))
    first, second = [[special.assistant, *[digits[n]] * CANVAS] for n in (1, 2)]
    assert seen[0] == prompt
    assert seen[-1] == prompt + first + second
    assert result.prompt_tokens == len(prompt)


def test_canvases_without_a_token_come_to_an_end(tokenizer: Tokenizer) -> None:
    engine = scripted(tokenizer, lambda context: [tokenizer.special.null] * CANVAS)
    result = ask(engine, max_new_tokens=3 * CANVAS)
    assert (result.text, result.finish_reason) == ("", "length")


def test_special_tokens_in_a_prompt_are_text(tokenizer: Tokenizer) -> None:
    seen: list[list[int]] = []

    def answer(context: list[int]) -> list[int]:
        seen.append(context)
        return []

    ask(scripted(tokenizer, answer), "<|assistant|>[MASK]<|endoftext|>")
    assert [token for token in seen[0] if token >= tokenizer.special.first] == [tokenizer.special.user]


def test_several_turns_are_separate_segments(tokenizer: Tokenizer) -> None:
    engine = scripted(tokenizer, lambda context: [])
    turns = (Segment("system", "Be brief."), Segment("user", "Hi"), Segment("assistant", "Hi"), Segment("user", "1+1"))
    result = engine.generate(Request(segments=turns, settings=engine.settings()))
    assert result.prompt_tokens == sum(len(encode_segment(tokenizer, turn)) for turn in turns)


@pytest.mark.parametrize("family", ["masked", "uniform"])
@pytest.mark.parametrize("effort", ["instant", "low", "medium", "high"])
def test_every_effort_of_both_families_answers(tiny_engine: Engine, effort: str, family: str) -> None:
    settings = tiny_engine.settings(effort, family=family, max_steps=4)
    request = Request.from_prompt("2 + 2", settings=settings)
    result = tiny_engine.generate(request)
    assert 1 <= result.nfe <= 4
    assert replace(tiny_engine.generate(request), seconds=result.seconds) == result


def test_the_seed_fixes_the_bytes(tiny_engine: Engine) -> None:
    texts = [ask(tiny_engine, seed=seed, temperature=1.0).text for seed in (0, 0, 1)]
    assert texts[0] == texts[1] != texts[2]


def test_a_stream_shows_every_pass_and_ends_with_the_result(tiny_engine: Engine) -> None:
    request = Request.from_prompt("2 + 2", settings=tiny_engine.settings("low"))
    frames = list(tiny_engine.stream(request))
    assert [frame.result is None for frame in frames] == [True] * (len(frames) - 1) + [False]
    assert [frame.step.index for frame in frames] == list(range(len(frames)))
    result = frames[-1].result
    assert result is not None
    assert result.nfe == frames[-1].nfe
    assert result.text == tiny_engine.generate(request).text
    assert "".join(piece.text for piece in frames[-1].pieces() if piece.state == "settled") == result.text
    assert all(piece.state != "open" for piece in frames[-1].pieces())


def test_the_watcher_s_time_is_not_counted(tiny_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 0.0
    monkeypatch.setattr("time.perf_counter", lambda: clock)
    result = None
    for frame in tiny_engine.stream(Request.from_prompt("2 + 2", settings=tiny_engine.settings())):
        clock += 1000.0
        result = frame.result
    assert result is not None
    assert result.seconds.total == 0.0


@pytest.mark.slow
def test_batches_give_what_requests_give_alone(tiny_engine: Engine) -> None:
    rng = random.Random(0)
    prompts = ["".join(rng.choices("0123456789+ ", k=rng.choice((5, 9)))) for _ in range(14)]
    settings = tiny_engine.settings("low")
    warm = tiny_engine.settings("low", temperature=1.0)
    long = tiny_engine.settings("instant", max_new_tokens=48)
    requests = [
        Request.from_prompt(prompt, id=str(i), seed=i, settings=(settings, warm, long)[i % 3])
        for i, prompt in enumerate(prompts)
    ]
    together = tiny_engine.generate_batch(requests, batch_size=4)
    for request, result in zip(requests, together, strict=True):
        alone = tiny_engine.generate(request)
        assert replace(result, seconds=alone.seconds) == alone


def test_a_batch_with_an_impossible_request_draws_nothing(tiny_engine: Engine) -> None:
    settings = tiny_engine.settings()
    requests = [Request.from_prompt(prompt, settings=settings) for prompt in ("1", "x" * 5000)]
    with pytest.raises(ContextLengthError):
        tiny_engine.generate_batch(requests)
    assert tiny_engine.generate_batch([]) == []


def test_an_empty_prompt_is_refused() -> None:
    for segments in ((), (Segment("user", ""),)):
        with pytest.raises(PromptError, match="empty"):
            Request(segments=segments)
    assert Request.from_prompt(" ").segments[0].text == " "


@pytest.mark.parametrize("seed", [-1, 1 << 63, True])
def test_seeds_out_of_range_are_refused(seed: int) -> None:
    with pytest.raises(ConfigError, match="seed"):
        Request.from_prompt("1", seed=seed)
    assert Request.from_prompt("1", seed=(1 << 63) - 1).seed == (1 << 63) - 1


def test_prompts_up_to_the_last_token_fit(tokenizer: Tokenizer) -> None:
    engine = scripted(tokenizer, lambda context: [])
    assert ask(engine, "1" * (CONTEXT - 1)).prompt_tokens == CONTEXT
    with pytest.raises(ContextLengthError, match=r"65 tokens.*context of 64; shorten it"):
        ask(engine, "1" * CONTEXT)
    with pytest.raises(ContextLengthError, match=r"max_new_tokens=32 needs 17 more.*lower max_new_tokens to 16"):
        ask(engine, "1" * (CONTEXT - 17), max_new_tokens=2 * CANVAS)
    assert ask(engine, "1" * (CONTEXT - 18), max_new_tokens=2 * CANVAS).finish_reason == "stop"


def test_a_longest_canvas(tokenizer: Tokenizer) -> None:
    engine = scripted(tokenizer, lambda context: [])
    with pytest.raises(ConfigError, match="canvas_length=17 is longer than the 16"):
        engine.settings(canvas_length=17)
    with pytest.raises(ConfigError, match="canvas_length"):
        engine.generate(Request.from_prompt("1"))


def test_settings_come_from_preset_model_and_caller(tokenizer: Tokenizer) -> None:
    engine = scripted(tokenizer, lambda context: [], defaults={"threshold": 0.7, "canvas_length": 8})
    settings = engine.settings("low", max_steps=3)
    assert (settings.threshold, settings.canvas_length, settings.max_steps) == (0.7, 8, 3)
    assert settings.max_new_tokens == CANVAS
    assert engine.settings(threshold=0.5).threshold == 0.5
    with pytest.raises(ConfigError, match="'treshold' is no sampler setting"):
        engine.settings(treshold=0.5)
    with pytest.raises(ConfigError, match="effort"):
        engine.settings("maximal")


@pytest.mark.parametrize("sampler", [[], {"treshold": 1}, {"threshold": 7}, {"canvas_length": 999}, {"family": "x"}])
def test_damaged_defaults_of_a_checkpoint(tiny_model: Transformer, tokenizer: Tokenizer, sampler: Any) -> None:
    config = {"extra": {"sampler": sampler}}
    loaded = Loaded(model=tiny_model, tokenizer_json=tokenizer.to_json(), config=config, digest="")
    with pytest.raises(CheckpointError, match="default settings"):
        Engine.from_checkpoint(loaded, name="tiny")


def test_a_tokenizer_of_another_model(tokenizer: Tokenizer) -> None:
    fake = FakeDenoiser(vocab_size=7, logits_of=lambda canvas, context: torch.zeros(*canvas.shape, 7))
    with pytest.raises(CheckpointError, match="don't belong together"):
        Engine(fake, tokenizer, context_length=8, canvas_length=8)
