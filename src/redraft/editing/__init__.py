"""Editing: a text that is there is revised in place, or its gaps are filled; what is pinned keeps its bytes.

Modules are imported by name, and those that only read, check and write texts need no torch: a file that can't be edited
is refused before a model is loaded.
"""

__all__: list[str] = []
