"""Requests that come and go leave nothing behind: no tensor, no reserved byte, no wrong answer."""

import json

import pytest

from redraft.engine import BatchLimits, Engine
from redraft.evaluation.soak import main, soak


@pytest.fixture(scope="module")
def quick_engine(tiny_engine: Engine) -> Engine:
    """Return an engine whose canvases are short."""
    desk = tiny_engine.desk
    defaults = {"canvas_length": 16, "max_new_tokens": 24}
    return Engine(
        tiny_engine.denoiser, desk.tokenizer, context_length=128, canvas_length=16, name="quick", defaults=defaults
    )


@pytest.mark.slow
def test_a_crowd_leaves_nothing_behind_and_gets_the_plain_loops_answers(quick_engine: Engine) -> None:
    limits = BatchLimits(max_rows=7, max_cache_bytes=200_000)
    soaked = soak(quick_engine, count=30, check_every=4, limits=limits)
    assert soaked.num_requests == 30
    assert 3 <= soaked.num_cancelled <= 15
    assert (soaked.num_different, soaked.reserved_bytes_after) == (0, 0)
    assert soaked.num_checked >= 5
    again = soak(quick_engine, count=30, check_every=100, limits=limits)
    assert again.digest == soaked.digest
    assert again.tensors_after <= soaked.tensors_after, "only tables that are made once stay"


@pytest.mark.slow
def test_a_large_crowd_needs_no_more_memory_and_no_more_time_at_its_end(quick_engine: Engine) -> None:
    soaked = soak(quick_engine, count=1000, check_every=50)
    assert 200 <= soaked.num_cancelled <= 400
    assert (soaked.num_different, soaked.reserved_bytes_after) == (0, 0)
    assert soaked.peak_bytes_by_part[-1] - soaked.peak_bytes_by_part[1] < 32 << 20
    assert max(soaked.seconds_by_part) < 2 * min(soaked.seconds_by_part)


def test_the_command_prints_one_json_object(tiny_checkpoint: object, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--model", str(tiny_checkpoint), "--count", "3", "--check-every", "1"])
    record = json.loads(capsys.readouterr().out)
    assert (record["num_requests"], record["num_different"]) == (3, 0)
