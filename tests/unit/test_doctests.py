"""Every example in a docstring runs and prints what it says."""

import doctest
import importlib
import pkgutil
from types import ModuleType
from typing import Any

import pytest

import redraft

MODULES = [
    "redraft",
    *(
        info.name
        for info in pkgutil.walk_packages(redraft.__path__, "redraft.")
        if info.name.rpartition(".")[2] != "__main__"
    ),
]
ROOMS = sorted({".".join(name.split(".")[:2]) for name in MODULES})
"""The packages of the package, and its modules outside them."""

OPTIONS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
ROOMS_WITH_EXAMPLES = ["noise", "text", "denoiser", "sampler", "tasks"]


class Finder(doctest.DocTestFinder):
    """Finds the examples of wrapped functions too: the shape checks of the tests wrap every function of the package."""

    def _from_module(self, module: ModuleType | None, object: Any) -> bool:
        owner = getattr(object, "__module__", None)
        return module is None or owner is None or owner == module.__name__


def examples_of(name: str) -> list[doctest.DocTest]:
    module = importlib.import_module(name)
    return [test for test in Finder(exclude_empty=True).find(module, name) if test.examples]


@pytest.mark.parametrize("room", ROOMS)
def test_examples_run(room: str) -> None:
    runner = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False)
    report: list[str] = []
    for name in MODULES:
        if name == room or (room != "redraft" and name.startswith(f"{room}.")):
            for test in examples_of(name):
                runner.run(test, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)


@pytest.mark.parametrize("room", ROOMS_WITH_EXAMPLES)
def test_rooms_show_examples(room: str) -> None:
    names = [name for name in MODULES if name.startswith(f"redraft.{room}.")]
    assert sum(len(test.examples) for name in names for test in examples_of(name)) >= 3
