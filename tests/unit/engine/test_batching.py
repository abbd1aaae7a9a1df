"""The batching engine gives the plain loop's bytes, whoever comes, goes and waits; sync, async, refusals."""

import asyncio
import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

from redraft.engine import BatchEngine, BatchLimits, Engine, Frame, Request, Result, Seconds, Ticket
from redraft.engine.batch import Batch
from redraft.errors import (
    ConfigError,
    ContextLengthError,
    MemoryLimitError,
    QueueFullError,
    RequestCancelledError,
)
from redraft.text import Segment

WORDS = ["sum", "of", "two", "primes", "below", "ninety", "and", "their", "product,", "please"]
SETTINGS: list[dict[str, Any]] = [
    {},
    {"temperature": 0.9, "top_p": 0.8},
    {"canvas_length": 16, "max_new_tokens": 40},
    {"canvas_length": 13, "commit": "most_confident", "max_steps": 5},
    {"canvas_length": 10, "edit_threshold": 0.2, "verify_passes": 2},
    {"guidance_scale": 1.5, "max_steps": 6},
    {"lookahead": 5, "answer_slots": 2, "threshold": 0.3},
    {"lookahead": 4, "follow_end": True, "first_width": 8, "sketch": 8, "threshold": 0.3},
    {"commit": "ancestral", "temperature": 1.0, "max_steps": 7, "remask_threshold": 0.2},
    {"fill_after_end": False, "narrow": False, "block_length": 8},
]


def requests_of(engine: Engine, count: int, *, seed: int = 0) -> list[Request]:
    """Return requests of any length and settings; some share their beginning, some have limits."""
    rng = random.Random(seed)
    requests = []
    for index in range(count):
        text = " ".join(rng.choices(WORDS, k=rng.randint(1, 12)))
        beginning = [Segment("system", "Answer briefly."), Segment("user", "hello")][: rng.randint(0, 2)]
        requests.append(
            Request(
                segments=(*beginning, Segment("user", text)),
                id=str(index),
                seed=rng.randrange(1000),
                settings=engine.settings(rng.choice(["instant", "low"]), **rng.choice(SETTINGS)),
                max_passes=rng.choice([None, None, 1, 3, 9]),
            )
        )
    return requests


NO_SECONDS = Seconds(tokenize=0.0, prefill=0.0, denoise=0.0, filter=0.0, detokenize=0.0, total=0.0)


def content(result: Result) -> Result:
    """Return a result without its times."""
    return replace(result, seconds=NO_SECONDS)


def same_step(mine: Frame, other: Frame) -> bool:
    names = ("tokens", "proposed", "is_settled", "is_masked", "committed", "revised", "confidence")
    return (
        all(torch.equal(getattr(mine.step, name), getattr(other.step, name)) for name in names)
        and (mine.step.index, mine.step.block, mine.step.nfe, mine.nfe)
        == (other.step.index, other.step.block, other.step.nfe, other.nfe)
        and mine.pieces() == other.pieces()
        and (mine.result is None) == (other.result is None)
    )


def drain(batch: Batch) -> None:
    while not batch.is_idle:
        batch.tick()


@pytest.fixture(scope="module")
def requests(tiny_engine: Engine) -> list[Request]:
    return requests_of(tiny_engine, 24)


@pytest.fixture(scope="module")
def alone(tiny_engine: Engine, requests: list[Request]) -> list[Result]:
    return [content(tiny_engine.generate(request)) for request in requests]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "limits"),
    [
        (1, BatchLimits(max_rows=1)),
        (2, BatchLimits(max_rows=5, max_cache_bytes=0)),
        (3, BatchLimits(max_rows=16, max_positions=50, max_prefill_tokens=1)),
        (4, BatchLimits(max_rows=8, max_cache_bytes=60_000, max_bytes=3_000_000)),
    ],
)
def test_any_order_of_arrivals_and_cancellations_gives_the_bytes_of_the_plain_loop(
    tiny_engine: Engine, requests: list[Request], alone: list[Result], seed: int, limits: BatchLimits
) -> None:
    rng = random.Random(seed)
    batch = Batch(tiny_engine, limits)
    left = rng.sample(range(len(requests)), len(requests))
    tickets: dict[int, Ticket] = {}
    doomed: set[int] = set()
    while left or not batch.is_idle:
        for _ in range(rng.choice([0, 0, 1, 4])):
            if left:
                index = left.pop()
                tickets[index] = batch.add(requests[index])
        if tickets and rng.random() < 0.2:
            victim = rng.choice([*tickets])
            if not tickets[victim].is_over:
                doomed.add(victim)
                tickets[victim].cancel()
        batch.tick()
    for index, ticket in tickets.items():
        if index in doomed:
            assert ticket.state == "cancelled"
            with pytest.raises(RequestCancelledError, match="was cancelled"):
                ticket.result()
        else:
            assert content(ticket.result()) == alone[index]
    assert 0 < len(doomed) < len(requests) // 2


def test_rows_do_share_passes(tiny_engine: Engine) -> None:
    request = Request.from_prompt("2 + 3 = ?", settings=tiny_engine.settings())
    batch = Batch(tiny_engine)
    tickets = [batch.add(replace(request, seed=seed)) for seed in range(6)]
    drain(batch)
    assert batch.scorer.num_forwards < sum(ticket.result().nfe for ticket in tickets) / 2
    assert batch.prefixes.num_misses == 1
    assert batch.prefixes.num_hits == 5


def test_steps_are_those_of_the_plain_loop(tiny_engine: Engine, requests: list[Request]) -> None:
    batch = Batch(tiny_engine)
    chosen = requests[:8]
    tickets = [batch.add(request, is_watched=True) for request in chosen]
    drain(batch)
    for request, ticket in zip(chosen, tickets, strict=True):
        frames, expected = [*ticket.frames()], [*tiny_engine.stream(request)]
        assert len(frames) == len(expected)
        assert all(map(same_step, frames, expected))


@pytest.mark.slow
def test_the_number_of_threads_moves_no_bit(tiny_engine: Engine, requests: list[Request], alone: list[Result]) -> None:
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            batch = Batch(tiny_engine)
            tickets = [batch.add(request) for request in requests[:12]]
            drain(batch)
            assert [content(ticket.result()) for ticket in tickets] == alone[:12]
    finally:
        torch.set_num_threads(before)


@pytest.mark.slow
def test_passes_and_deadlines_end_an_answer_with_what_stands(tiny_engine: Engine) -> None:
    settings = tiny_engine.settings("high", max_new_tokens=48, canvas_length=16, threshold=1.0)
    request = Request.from_prompt("a long one", settings=settings)
    whole = tiny_engine.generate(request)
    cut = tiny_engine.generate(replace(request, max_passes=20))
    assert whole.nfe > 20
    assert (cut.nfe, cut.finish_reason) == (20, "passes")
    late = tiny_engine.generate(replace(request, deadline_s=1e-9))
    assert (late.nfe, late.finish_reason) == (1, "deadline")
    batch = Batch(tiny_engine)
    ticket = batch.add(replace(request, deadline_s=1e-9))
    drain(batch)
    result = ticket.result()
    assert (result.text, result.nfe, result.finish_reason) == ("", 0, "deadline"), "it was late before its first pass"
    for changes in ({"max_passes": 0}, {"deadline_s": 0.0}):
        with pytest.raises(ConfigError, match="is not allowed"):
            replace(request, **changes)


def test_what_can_never_fit_is_refused_at_once(tiny_engine: Engine) -> None:
    batch = Batch(tiny_engine, BatchLimits(max_bytes=500_000, max_waiting=2))
    settings = tiny_engine.settings(canvas_length=8, max_new_tokens=8)
    small = Request.from_prompt("2", settings=settings)
    with pytest.raises(
        MemoryLimitError, match=r"needs .* MiB for 2 tokens .*max_bytes=500000 \(0.5 MiB\) in all; shorten"
    ):
        batch.add(replace(small, settings=tiny_engine.settings()))
    with pytest.raises(ContextLengthError):
        batch.add(Request.from_prompt("2 " * 300, settings=settings))
    assert batch.is_idle
    tickets = [batch.add(small), batch.add(small)]
    with pytest.raises(QueueFullError, match="2 requests wait already"):
        batch.add(small)
    drain(batch)
    assert all(ticket.state == "done" for ticket in tickets)


def test_a_fault_reaches_whoever_waits_and_the_engine_goes_on(tiny_engine: Engine, monkeypatch: Any) -> None:
    request = Request.from_prompt("2 + 3", settings=tiny_engine.settings())
    with BatchEngine(tiny_engine) as batching:

        def burst(*_: Any) -> None:
            raise RuntimeError("no memory left")

        with monkeypatch.context() as patch:
            patch.setattr(type(batching.batch.scorer), "__call__", burst)
            with pytest.raises(RuntimeError, match="no memory left"):
                batching.generate(request)
        assert content(batching.generate(request)) == content(tiny_engine.generate(request))


@pytest.mark.slow
def test_many_threads_submit_watch_and_cancel(
    tiny_engine: Engine, requests: list[Request], alone: list[Result]
) -> None:
    outcomes: dict[int, Result | None] = {}
    with BatchEngine(tiny_engine, BatchLimits(max_rows=6)) as batching:

        def watch(index: int) -> None:
            if index % 3 == 0:
                outcomes[index] = batching.generate(requests[index])
            elif index % 3 == 1:
                outcomes[index] = [*batching.stream(requests[index])][-1].result
            else:
                frames = batching.stream(requests[index])
                next(frames)
                frames.close()

        threads = [threading.Thread(target=watch, args=(index,)) for index in range(15)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rest = [content(result) for result in batching.answer_all(iter(requests[15:]))]
    assert {index: content(result) for index, result in outcomes.items() if result} == {
        index: alone[index] for index in range(15) if index % 3 != 2
    }
    assert rest == alone[15:]
    assert batching.batch.is_idle


def test_coroutines_submit_watch_and_cancel(tiny_engine: Engine, requests: list[Request], alone: list[Result]) -> None:
    async def watch(batching: BatchEngine, index: int) -> Result | None:
        if index % 2:
            return await batching.generate_async(requests[index])
        last = None
        async for frame in batching.stream_async(requests[index]):
            last = frame
        return last.result if last else None

    async def main() -> list[Result | None]:
        with BatchEngine(tiny_engine) as batching:
            slow = replace(requests[0], settings=tiny_engine.settings("high", threshold=1.0, max_steps=500))
            lost = asyncio.create_task(batching.generate_async(slow))
            results = await asyncio.gather(*(watch(batching, index) for index in range(10)))
            lost.cancel()
            await asyncio.gather(lost, return_exceptions=True)
            return [*results]

    results = asyncio.run(main())
    assert [content(result) for result in results if result] == alone[:10]


def test_an_open_request_ends_when_the_engine_closes(tiny_engine: Engine) -> None:
    endless = Request.from_prompt(
        "2 + 3", settings=tiny_engine.settings("high", max_steps=10**6, commit="most_confident", max_new_tokens=200)
    )
    with BatchEngine(tiny_engine) as batching:
        ticket = batching.submit(endless)
        with pytest.raises(TimeoutError, match="still pending"):
            ticket.result(timeout_s=0.05)
    assert ticket.state == "cancelled"


def test_a_slow_watcher_loses_the_oldest_frames_only(tiny_engine: Engine) -> None:
    batch = Batch(tiny_engine, BatchLimits(max_unread_frames=2))
    request = Request.from_prompt("2 + 3", settings=tiny_engine.settings("high", threshold=1.0))
    ticket = batch.add(request, is_watched=True)
    drain(batch)
    frames: Iterator[Frame] = ticket.frames()
    kept = [*frames]
    assert len(kept) == 2
    assert kept[-1].result is not None
