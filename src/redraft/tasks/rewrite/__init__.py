"""Texts in place: sentences and code with what is to be changed, each with exactly one right revision."""

from redraft.tasks.rewrite.task import Rewrite, RewriteDials

__all__ = ["Rewrite", "RewriteDials"]
