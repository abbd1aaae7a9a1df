"""Evaluation: how right a model is, and how sure that is. Modules are imported by name; the package itself is light."""

__all__: list[str] = []
