"""All tasks by name."""

from redraft.errors import ConfigError, did_you_mean
from redraft.tasks.arithmetic import Arithmetic
from redraft.tasks.code import Code
from redraft.tasks.countdown import Countdown
from redraft.tasks.extract import Extract
from redraft.tasks.largest import Largest
from redraft.tasks.multiplication import Multiplication
from redraft.tasks.page import Page
from redraft.tasks.planning import Planning
from redraft.tasks.primes import Primes
from redraft.tasks.problem import Task
from redraft.tasks.repair import Repair
from redraft.tasks.rewrite import Rewrite
from redraft.tasks.sudoku import Sudoku

__all__ = ["get_task", "task_names"]

_ALL: tuple[Task, ...] = (
    Arithmetic(),
    Code(),
    Countdown(),
    Extract(),
    Largest(),
    Multiplication(),
    Page(),
    Planning(),
    Primes(),
    Repair(),
    Rewrite(),
    Sudoku(),
)

_TASKS = {task.name: task for task in _ALL}


def task_names() -> tuple[str, ...]:
    """The names, sorted."""
    return tuple(sorted(_TASKS))


def get_task(name: str) -> Task:
    """Look a task up.

    Args:
        name: Name of a task, see ``task_names``.

    Returns:
        The task.

    Raises:
        ConfigError: If there is none of this name; the message names the nearest.
    """
    if name not in _TASKS:
        raise ConfigError(f"no task is called {name!r}; {did_you_mean(name, task_names())}")
    return _TASKS[name]
