"""The run: opens every arm, lets them take turns, and gathers one report."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

from redraft.evaluation.bench.machine import usable_cores
from redraft.evaluation.bench.plan import Plan
from redraft.evaluation.bench.process import WorkerProcess
from redraft.evaluation.bench.summary import Cell, accuracy_rows, speed_rows
from redraft.evaluation.bench.turn import Turn
from redraft.evaluation.bench.workload import TASKS, choose_tasks

__all__ = ["BenchRequest", "run_bench"]


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchRequest:
    """What is asked for."""

    model: str
    """Ours: name or path."""
    plan: Plan
    """How much is measured."""
    autoregressive: str | None = None
    """Name or path of a causal checkpoint; None takes random weights in our model's shape."""
    has_llama: bool = True
    """Whether llama.cpp takes part."""
    has_compiled: bool = False
    """Whether our model takes part a second time, with compiled passes."""
    seed: int = 0
    """Fixes the questions and every random draw."""
    num_threads: int | None = None
    """Most threads of each arm; None takes one per usable core."""
    tasks: tuple[str, ...] = ()
    """What is asked; none for what the model was trained on."""
    dials: tuple[tuple[str, int], ...] = ()
    """Settings of the task's generator; only with one task."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Contestant:
    """One arm at one effort."""

    arm: str
    """Whose process."""
    effort: str
    """No effect but on our model."""


OURS = ("diffusion", "compiled")
"""Arms of the model that is measured: as it comes, and with compiled passes."""


def run_bench(
    request: BenchRequest,
    *,
    tick: Callable[[str], None] | None = None,
    keep: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Measure everything.

    Args:
        request: What is asked for.
        tick: Called with a few words, now and then.
        keep: Called with what there is of the report, whenever there is more.

    Returns:
        The report, without what it was made with.

    Raises:
        DependencyError: llama.cpp is to take part and is not installed.
        ConfigError: A model is not what it has to be.
    """
    threads = request.num_threads or usable_cores()
    say = tick or (lambda words: None)
    say("opening the arms")
    with _open_all(request, threads) as (workers, about):
        ours, plan = about["diffusion"], request.plan
        shape, trained = ours.pop("shape"), ours.pop("trained_tasks")
        tasks = choose_tasks(trained, request.tasks)
        contestants = [_Contestant(arm=arm, effort=effort) for arm in workers if arm in OURS for effort in plan.efforts]
        contestants += [_Contestant(arm=arm, effort="") for arm in workers if arm not in OURS]
        shortest = min(shape["context_length"], about["autoregressive"]["context_length"])
        long_tokens = min(plan.most_long_tokens, shortest * 3 // 4)
        base = {"tasks": tasks, "seed": request.seed, "long_tokens": long_tokens, "dials": request.dials}
        report: dict[str, Any] = {
            "suite": "bench",
            "threads": threads,
            "seed": request.seed,
            "tasks": list(tasks),
            "dials": dict(request.dials),
            "untrained_tasks": [task for task in TASKS if trained and not request.tasks and task not in trained],
            "long_tokens": long_tokens,
            "plan": plan.to_dict(),
            "model": {**ours, "shape": shape},
            "baselines": {arm: about[arm] for arm in about if arm not in OURS},
            "compiled": about.get("compiled"),
        }
        for name, section in _sections(request, workers, contestants, base, shape, say):
            report[name] = section
            if keep is not None:
                keep(report)
    return report


def _sections(
    request: BenchRequest,
    workers: dict[str, WorkerProcess],
    contestants: list[_Contestant],
    base: dict[str, Any],
    shape: dict[str, Any],
    say: Callable[[str], None],
) -> Iterator[tuple[str, Any]]:
    """The measured parts of the report, one after the other; a later one of the same name holds more."""
    plan = request.plan
    cells: list[Cell] = []
    for more in _time(workers, contestants, plan, base, say):
        cells += more
        yield "speed", speed_rows(cells)
    is_trained = {
        "diffusion": True,
        "compiled": True,
        "autoregressive": request.autoregressive is not None,
        "llama": False,
    }
    judged: list[Cell] = []
    for cell in _judge(workers, [one for one in contestants if is_trained[one.arm]], plan, base, say):
        judged.append(cell)
        yield "accuracy", accuracy_rows(judged)
    yield "memory", {arm: worker.ask("memory") for arm, worker in workers.items()}
    say("one pass and the machine's best product")
    for arm, section in {"diffusion": "pass", "compiled": "compiled_pass"}.items():
        if arm in workers:
            yield section, workers[arm].ask("pass", shape=shape, repeats=plan.pass_repeats)
    say("scaling of one pass")
    grid = {line: list(points) for line, points in plan.grid.items()}
    yield "scaling", workers["diffusion"].ask("scaling", grid=grid, repeats=plan.scaling_repeats)


@contextmanager
def _open_all(
    request: BenchRequest, threads: int
) -> Iterator[tuple[dict[str, WorkerProcess], dict[str, dict[str, Any]]]]:
    """Start a process per arm and open our model first: the others are made in its likeness."""
    workers: dict[str, WorkerProcess] = {}
    about: dict[str, dict[str, Any]] = {}
    optional = {"compiled": request.has_compiled, "autoregressive": True, "llama": request.has_llama}
    with ExitStack() as stack:
        for arm in ("diffusion", *(arm for arm, takes_part in optional.items() if takes_part)):
            workers[arm] = WorkerProcess(arm, num_threads=threads, waits_actively=arm == "llama")
            stack.callback(workers[arm].close)
        about["diffusion"] = workers["diffusion"].ask("open", kind="diffusion", model=request.model, threads=threads)
        tokenizer = about["diffusion"].pop("tokenizer")
        for arm in [arm for arm in workers if arm != "diffusion"]:
            about[arm] = workers[arm].ask(
                "open",
                kind=arm,
                model=request.model if arm in OURS else request.autoregressive,
                shape=about["diffusion"]["shape"],
                tokenizer=tokenizer,
                threads=threads,
            )
        yield workers, about


def _take_turn(workers: dict[str, WorkerProcess], one: _Contestant, workload: dict[str, Any], batch: int) -> Turn:
    reply = workers[one.arm].ask("turn", workload=workload, effort=one.effort or "medium", batch=batch)
    return Turn.from_dict(reply)


def _time(
    workers: dict[str, WorkerProcess],
    contestants: list[_Contestant],
    plan: Plan,
    base: dict[str, Any],
    say: Callable[[str], None],
) -> Iterator[list[Cell]]:
    """In each repeat every contestant takes one turn, and who begins changes; a cell for each of them at a time."""
    for prompt, batch in product(plan.prompts, plan.batches):
        workload = {**base, "prompt": prompt, "count": plan.count}
        turns: dict[_Contestant, list[Turn]] = defaultdict(list)
        for repeat in range(plan.repeats + 1):
            say(f"{prompt} prompts, batch {batch}, {f'repeat {repeat}' if repeat else 'warm-up'}")
            first = repeat % len(contestants)
            for one in contestants[first:] + contestants[:first]:
                turn = _take_turn(workers, one, workload, batch)
                if repeat:
                    turns[one].append(turn)
        yield [
            Cell(arm=one.arm, effort=one.effort, prompt=prompt, batch=batch, turns=tuple(turns[one]))
            for one in contestants
        ]


def _judge(
    workers: dict[str, WorkerProcess],
    contestants: list[_Contestant],
    plan: Plan,
    base: dict[str, Any],
    say: Callable[[str], None],
) -> Iterator[Cell]:
    """Ask every contestant with trained weights the same larger set once in each order, in large batches."""
    for order, one in product(plan.orders, contestants):
        workload = {**base, "prompt": "short", "count": plan.accuracy_count, "order": order}
        say(f"accuracy: {one.arm} {one.effort} {order}")
        turns = (_take_turn(workers, one, workload, 16),)
        yield Cell(arm=one.arm, effort=one.effort, prompt="short", batch=16, order=order, turns=turns)
