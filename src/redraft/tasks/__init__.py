"""Procedural tasks: each makes problems without end, judges any answer exactly, and holds problems out by their key."""

from redraft.tasks.arithmetic import Arithmetic, ArithmeticDials
from redraft.tasks.code import Code, CodeDials
from redraft.tasks.countdown import Countdown, CountdownDials
from redraft.tasks.extract import Extract, ExtractDials
from redraft.tasks.holdout import split_of
from redraft.tasks.largest import Largest, LargestDials
from redraft.tasks.multiplication import Multiplication, MultiplicationDials
from redraft.tasks.page import Page, PageDials
from redraft.tasks.planning import Planning, PlanningDials
from redraft.tasks.primes import Primes, PrimesDials
from redraft.tasks.problem import Problem, Task, Verdict
from redraft.tasks.registry import get_task, task_names
from redraft.tasks.repair import Repair, RepairDials
from redraft.tasks.rewrite import Rewrite, RewriteDials
from redraft.tasks.sudoku import Sudoku, SudokuDials

__all__ = [
    "Arithmetic",
    "ArithmeticDials",
    "Code",
    "CodeDials",
    "Countdown",
    "CountdownDials",
    "Extract",
    "ExtractDials",
    "Largest",
    "LargestDials",
    "Multiplication",
    "MultiplicationDials",
    "Page",
    "PageDials",
    "Planning",
    "PlanningDials",
    "Primes",
    "PrimesDials",
    "Problem",
    "Repair",
    "RepairDials",
    "Rewrite",
    "RewriteDials",
    "Sudoku",
    "SudokuDials",
    "Task",
    "Verdict",
    "get_task",
    "split_of",
    "task_names",
]
