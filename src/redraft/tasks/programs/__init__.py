"""Small Python programs as chains of operations: drawn, run by their meaning, written out and put in words."""

from redraft.tasks.programs.describing import describe, request_for, what_it_returns
from redraft.tasks.programs.generation import count_programs, draw_program
from redraft.tasks.programs.inputs import grading_inputs, probes
from redraft.tasks.programs.judging import judge, key_of, program_of
from redraft.tasks.programs.operations import Kind
from redraft.tasks.programs.program import OPERATIONS, Program, Step, canonical, outcomes, read_program
from redraft.tasks.programs.rendering import render
from redraft.tasks.programs.signature import Signature, draw_signature
from redraft.tasks.programs.wording import KIND_NAMES, noun

__all__ = [
    "KIND_NAMES",
    "OPERATIONS",
    "Kind",
    "Program",
    "Signature",
    "Step",
    "canonical",
    "count_programs",
    "describe",
    "draw_program",
    "draw_signature",
    "grading_inputs",
    "judge",
    "key_of",
    "noun",
    "outcomes",
    "probes",
    "program_of",
    "read_program",
    "render",
    "request_for",
    "what_it_returns",
]
