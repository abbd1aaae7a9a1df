"""What ``redraft bench`` refuses, before anything is opened."""

from dataclasses import replace
from pathlib import Path

import pytest

from redraft.errors import ConfigError
from redraft.interfaces.bench import BenchOptions, bench

OPTIONS = BenchOptions(
    model="nano",
    autoregressive=None,
    is_quick=True,
    has_llama=False,
    has_compiled=False,
    threads=None,
    tasks=(),
    prompts=(),
    dials=(),
    seed=0,
    plot=None,
    save=None,
    is_json=True,
    arguments=("bench",),
)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"threads": 0}, "--threads 0 is too few; use 1 or more"),
        ({"plot": Path("no-such") / "plot.png"}, "there is no folder no-such; make it first"),
        ({"save": Path("no-such")}, "--save no-such: there is no such folder; make it first"),
        ({"dials": ("max_value=100",)}, "--dial belongs to a single task; name it, as in --task arithmetic"),
        ({"dials": ("max_value=100",), "tasks": ("arithmetic", "primes")}, "--dial belongs to a single task"),
        ({"dials": ("max_value",), "tasks": ("arithmetic",)}, "is not of the form name=number"),
        ({"dials": ("height=3",), "tasks": ("arithmetic",)}, "height"),
        ({"tasks": ("arithmetics",)}, "arithmetic"),
    ],
)
def test_what_can_not_be_measured_is_refused_at_once(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        bench(replace(OPTIONS, **changes))  # pyright: ignore[reportArgumentType]
