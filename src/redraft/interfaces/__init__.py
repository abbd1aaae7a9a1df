"""Interfaces: how people and programs reach the engine. Nothing is imported here, so the command starts quickly."""

__all__: list[str] = []
