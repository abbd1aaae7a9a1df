"""Redraft: text diffusion language models that redraft the whole text at once.

Nothing is imported here, so that a command pays only for what it uses. Start reading at ``docs/architecture.md``.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
