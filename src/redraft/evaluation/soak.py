"""A soak of the batching engine: thousands of requests that come and go, some of them cancelled; does anything leak?

``python -m redraft.evaluation.soak --count 10000`` prints one JSON object. With ``--check-every 1`` every answer is
held against the plain loop's; the digest is the same for every number of threads.
"""

import argparse
import gc
import hashlib
import json
import random
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from redraft.engine import BatchLimits, Engine, Request, Ticket, load_engine
from redraft.engine.batch import Batch
from redraft.text import Segment

__all__ = ["Soaked", "main", "soak"]

_NUM_PARTS = 5
_LONGEST_WAIT = 40
"""Requests under way beyond which none arrives, so that memory does not follow from a queue without end."""

_SETTINGS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("instant", {}),
    ("low", {}),
    ("low", {"temperature": 0.9}),
    ("instant", {"guidance_scale": 1.0}),
    ("instant", {"edit_threshold": 0.5}),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Soaked:
    """What became of the requests, and of the machine."""

    num_requests: int
    """Requests that came."""
    num_cancelled: int
    """Those that were cancelled before they were done."""
    num_checked: int
    """Answers held against those of the plain loop."""
    num_different: int
    """Answers among them that are not the same in every field but the times."""
    num_passes: int
    """Ticks of the engine in which something was scored."""
    num_forwards: int
    """Forward passes of the denoiser; fewer than rows scored, where rows shared one."""
    seconds_by_part: tuple[float, ...]
    """Processor time of each fifth of the requests, the checks left out."""
    peak_bytes_by_part: tuple[int, ...]
    """Most memory of the process until the end of each fifth."""
    tensors_before: int
    """Tensors alive before the first request."""
    tensors_after: int
    """Tensors alive after the last one, kept contexts forgotten."""
    reserved_bytes_after: int
    """Memory that the engine believes to be in use after the last one."""
    digest: str
    """SHA-256 of all answers in the order in which they came."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def soak(
    engine: Engine,
    *,
    count: int,
    seed: int = 0,
    cancel_share: float = 0.3,
    check_every: int = 100,
    limits: BatchLimits | None = None,
) -> Soaked:
    """Send requests that arrive, share beginnings and are cancelled at random.

    Args:
        engine: Whose model answers.
        count: Number of requests.
        seed: Picks one of many such crowds.
        cancel_share: Share of requests that are cancelled at some pass, if they are not done by then.
        check_every: One of so many answers is held against the plain loop's; 1 checks all.
        limits: Of the batching engine.

    Returns:
        The figures.
    """
    rng = random.Random(seed)
    batch = Batch(engine, limits)
    tensors_before = _num_tensors()
    crowd = _requests(engine, rng, count)
    open_tickets: list[tuple[int, Ticket]] = []
    cancel_at: dict[int, int] = {}
    digest, seconds, peaks = hashlib.sha256(), [0.0] * _NUM_PARTS, [0] * _NUM_PARTS
    num_arrived = num_cancelled = num_checked = num_different = 0
    while num_arrived < count or open_tickets:
        since, part = time.process_time(), min(_NUM_PARTS - 1, num_arrived * _NUM_PARTS // count)
        for _ in range(rng.choice((0, 1, 1, 2, 6))):
            if num_arrived < count and len(open_tickets) < _LONGEST_WAIT:
                open_tickets.append((num_arrived, batch.add(next(crowd))))
                if rng.random() < cancel_share:
                    cancel_at[num_arrived] = batch.num_passes + rng.randint(0, 6)
                num_arrived += 1
        _cancel_due(open_tickets, cancel_at, batch.num_passes)
        batch.tick()
        seconds[part] += time.process_time() - since
        peaks[part] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        done = [(index, ticket) for index, ticket in open_tickets if ticket.is_over]
        open_tickets = [(index, ticket) for index, ticket in open_tickets if not ticket.is_over]
        for index, ticket in done:
            cancel_at.pop(index, None)
            if ticket.state == "cancelled":
                num_cancelled += 1
                continue
            result = ticket.result()
            digest.update(f"{index} {result.text}\n".encode())
            if index % check_every == 0:
                num_checked += 1
                num_different += replace(engine.generate(ticket.request), seconds=result.seconds) != result
    done, ticket = [], None
    batch.prefixes.clear()
    return Soaked(
        num_requests=num_arrived,
        num_cancelled=num_cancelled,
        num_checked=num_checked,
        num_different=num_different,
        num_passes=batch.num_passes,
        num_forwards=batch.scorer.num_forwards,
        seconds_by_part=tuple(round(part, 3) for part in seconds),
        peak_bytes_by_part=tuple(peaks),
        tensors_before=tensors_before,
        tensors_after=_num_tensors(),
        reserved_bytes_after=batch.num_reserved_bytes,
        digest=digest.hexdigest(),
    )


def _cancel_due(tickets: list[tuple[int, Ticket]], cancel_at: dict[int, int], now: int) -> None:
    for index, ticket in tickets:
        if cancel_at.get(index, now + 1) <= now:
            ticket.cancel()


def _requests(engine: Engine, rng: random.Random, count: int) -> Iterator[Request]:
    """Sums of any length, some behind a beginning that others share, under several settings."""
    settings = [engine.settings(effort, **changes) for effort, changes in _SETTINGS]
    for index in range(count):
        numbers = [str(rng.randrange(10 ** rng.randint(1, 3))) for _ in range(rng.randint(1, 6))]
        beginning = (Segment("system", "Answer first."),) if rng.random() < 0.3 else ()
        yield Request(
            segments=(*beginning, Segment("user", " + ".join(numbers) + " = ?")),
            id=str(index),
            seed=rng.randrange(1 << 40),
            settings=rng.choice(settings),
            max_passes=rng.choice((None, None, None, 2, 5)),
        )


def _num_tensors() -> int:
    gc.collect()
    return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())


def main(arguments: Sequence[str] | None = None) -> None:
    """Soak a model's engine and print the figures.

    Args:
        arguments: Words after the module's name; None takes those of the process.
    """
    parser = argparse.ArgumentParser(prog="python -m redraft.evaluation.soak", description="Soak the batching engine.")
    parser.add_argument("--model", default="nano")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--check-every", type=int, default=100)
    parser.add_argument(
        "--cancel-share", type=float, default=0.3, help="most are done before their turn to be cancelled"
    )
    parser.add_argument("--compile", action="store_true", help="with compiled passes; takes a C++ compiler")
    chosen = parser.parse_args(arguments)
    engine = load_engine(chosen.model, is_compiled=chosen.compile)
    soaked = soak(
        engine,
        count=chosen.count,
        seed=chosen.seed,
        cancel_share=chosen.cancel_share,
        check_every=chosen.check_every,
    )
    made_with = {"model": engine.name, "is_compiled": engine.is_compiled, "threads": torch.get_num_threads()}
    print(json.dumps(made_with | soaked.to_dict()))


if __name__ == "__main__":
    main()
