"""Evaluation: what the models that ship can do, and the figures that say so."""

__all__: list[str] = []
