"""Runs written programs where they can do no harm and can't cheat."""

from redraft.tasks.sandbox.host import Limits, Sandbox, Trial, default_sandbox
from redraft.tasks.sandbox.inside.plain import spelled

__all__ = ["Limits", "Sandbox", "Trial", "default_sandbox", "spelled"]
