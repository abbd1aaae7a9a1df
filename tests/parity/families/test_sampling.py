"""Our engine and loop against each published procedure: the same tokens after every pass, and as many passes.

The procedures are written anew in ``procedures.py``. Both sides start from the same folder in the published layout,
ours through ``load_engine``, theirs through an independent model.
"""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.parity.families.procedures import (
    States,
    confident_enough,
    dream,
    fast_dllm_v2,
    llada2,
    low_confidence,
    sdar,
    spoken_by,
)
from tests.parity.families.tiny import write_tiny

from redraft.engine import Engine, Request, load_engine
from redraft.engine.layout import Opening

PROMPTS = ("hi", "What is 2 + 2?", "the inn")
BLOCKS = {"sdar": 4, "sdar_moe": 4, "llada2_moe": 32, "fast_dllm_v2": 32}


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Engine]:
    return {}


@pytest.fixture
def engine_of(engines: dict[str, Engine], tmp_path_factory: pytest.TempPathFactory) -> Any:
    def make(family: str) -> Engine:
        if family not in engines:
            engines[family] = load_engine(str(write_tiny(tmp_path_factory.mktemp("tiny") / family, family)))
        return engines[family]

    return make


def tokens_of(engine: Engine, prompt: str) -> list[int]:
    opening: Opening = engine.desk.layout.open(Request.from_prompt(prompt))
    return [token for part in (*opening.segments, opening.given) for token in part]


def ours(engine: Engine, prompt: str, **changes: Any) -> States:
    """What follows the prompt after each pass, over all canvases."""
    settings = engine.settings(temperature=0.0, **changes)
    before: list[int] = []
    canvas: list[int] = []
    states, block, frame = States(), 0, None
    for frame in engine.stream(Request.from_prompt(prompt, settings=settings)):
        if frame.step.block != block:
            before, block = before + canvas, frame.step.block
        canvas = frame.step.tokens[0, frame.num_given :].tolist()
        states.append(before + canvas)
    assert frame is not None
    assert frame.result is not None
    assert frame.result.nfe == len(states)
    return states


@pytest.mark.parametrize("family", ["llada", "llada_moe"])
@pytest.mark.parametrize(("block_length", "num_steps"), [(24, 24), (24, 7), (8, 24), (8, 9), (8, 3)])
def test_low_confidence(engine_of: Any, family: str, block_length: int, num_steps: int) -> None:
    engine, spoken = engine_of(family), spoken_by(family, None)
    for prompt in PROMPTS[:2]:
        theirs = low_confidence(
            spoken, tokens_of(engine, prompt), length=24, block_length=block_length, num_steps=num_steps
        )
        changes = {"max_new_tokens": 24, "block_length": block_length, "max_steps": num_steps}
        assert ours(engine, prompt, commit="most_confident", **changes) == theirs


@pytest.mark.parametrize("family", ["llada", "llada_moe"])
@pytest.mark.parametrize("block_length", [8, 24])
@pytest.mark.parametrize("threshold", [0.25, 0.9])
def test_confidence_threshold(engine_of: Any, family: str, block_length: int, threshold: float) -> None:
    engine, spoken = engine_of(family), spoken_by(family, None)
    theirs = confident_enough(
        spoken, tokens_of(engine, "hi"), length=24, block_length=block_length, threshold=threshold
    )
    assert ours(engine, "hi", max_new_tokens=24, block_length=block_length, threshold=threshold) == theirs
    assert len(theirs) < 24 or threshold > 0.5, "several positions settle in one pass, or this tests little"


@pytest.mark.parametrize("family", ["dream", "open_dcoder"])
@pytest.mark.parametrize(
    ("rule", "commit"), [("entropy", "least_entropy"), ("margin", "margin"), ("confidence", "most_confident")]
)
@pytest.mark.parametrize("num_steps", [24, 10, 5, 1])
def test_dream(engine_of: Any, family: str, rule: str, commit: str, num_steps: int) -> None:
    engine, spoken = engine_of(family), spoken_by(family, None)
    theirs = dream(spoken, tokens_of(engine, "hi"), length=24, num_steps=num_steps, rule=rule)
    assert ours(engine, "hi", max_new_tokens=24, commit=commit, max_steps=num_steps) == theirs


@pytest.mark.parametrize("family", ["sdar", "sdar_moe"])
@pytest.mark.parametrize("num_steps", [4, 2])
@pytest.mark.parametrize("threshold", [0.2, 0.85])
def test_sdar(engine_of: Any, family: str, num_steps: int, threshold: float) -> None:
    engine, spoken = engine_of(family), spoken_by(family, 4)
    for prompt in PROMPTS:
        theirs = sdar(
            spoken,
            tokens_of(engine, prompt),
            length=17,
            block_length=4,
            threshold=threshold,
            num_steps=num_steps,
        )
        changes = {"max_new_tokens": 17, "threshold": threshold, "least_commits": 4 // num_steps}
        assert ours(engine, prompt, **changes) == theirs


@pytest.mark.parametrize(
    ("threshold", "edit_threshold", "post_steps"), [(0.95, 0.9, 16), (0.3, 0.25, 16), (0.25, 0.0, 3), (0.3, 0.2, 0)]
)
def test_llada2(engine_of: Any, threshold: float, edit_threshold: float, post_steps: int) -> None:
    engine, spoken = engine_of("llada2_moe"), spoken_by("llada2_moe", 32)
    revised = 0
    for prompt in PROMPTS[:2]:
        theirs = llada2(
            spoken,
            tokens_of(engine, prompt),
            length=40,
            block_length=32,
            threshold=threshold,
            edit_threshold=edit_threshold,
            post_steps=post_steps,
        )
        changes = {"threshold": threshold, "edit_threshold": edit_threshold, "verify_passes": post_steps}
        assert ours(engine, prompt, max_new_tokens=40, **changes) == theirs
        revised += sum(
            a not in (spoken.mask, b) for old, new in pairwise(theirs) for a, b in zip(old, new, strict=False)
        )
    assert revised > 0 or edit_threshold > 0.5, "something is edited, or this tests little"


@pytest.mark.parametrize("threshold", [0.3, 0.9])
@pytest.mark.parametrize("prompt", [*PROMPTS, "x" * 9])
def test_fast_dllm_v2(engine_of: Any, prompt: str, threshold: float) -> None:
    engine, spoken = engine_of("fast_dllm_v2"), spoken_by("fast_dllm_v2", 32)
    tokens = tokens_of(engine, prompt)
    theirs = fast_dllm_v2(spoken, tokens, num_blocks=2, block_length=32, sub_length=8, threshold=threshold)
    assert ours(engine, prompt, max_new_tokens=64 - len(tokens) % 32, threshold=threshold) == theirs


@pytest.mark.parametrize(("family", "prompt"), [("sdar", "the inn"), ("llada2_moe", "hi"), ("fast_dllm_v2", "hi")])
def test_no_block_is_opened_behind_an_end(engine_of: Any, tmp_path: Path, family: str, prompt: str) -> None:
    """A token that the model says in a later block is made its end of text; what comes before stays as it was."""
    engine, length = engine_of(family), BLOCKS[family]
    asked = tokens_of(engine, prompt)
    start = -len(asked) % length
    max_new_tokens = start + (6 if length == 4 else 2) * length
    whole = ours(engine, prompt, max_new_tokens=max_new_tokens)[-1]
    place = next(at for at in range(start, len(whole)) if whole[at] not in (*whole[:at], *asked))
    folder = write_tiny(tmp_path / family, family)
    for name in ("config.json", "generation_config.json"):
        content = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(content | {"eos_token_id": whole[place]}))
    ended = load_engine(str(folder))
    assert tokens_of(ended, prompt) == asked
    stop = (place - start) // length * length + start + length
    assert ours(ended, prompt, max_new_tokens=max_new_tokens)[-1] == whole[:stop]
    settings = ended.settings(temperature=0.0, max_new_tokens=max_new_tokens)
    result = ended.generate(Request.from_prompt(prompt, settings=settings))
    assert result.finish_reason == "stop"
    assert 0 < result.completion_tokens <= place
