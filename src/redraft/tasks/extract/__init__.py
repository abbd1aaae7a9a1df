"""Records out of sentences and forms: JSON with given keys."""

from redraft.tasks.extract.task import Extract, ExtractDials

__all__ = ["Extract", "ExtractDials"]
