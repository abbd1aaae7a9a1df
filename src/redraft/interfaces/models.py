"""``redraft models``: what ships, and what any model is. The list needs no torch, so it answers at once."""

import sys
from typing import TYPE_CHECKING

from redraft.engine import shipped
from redraft.interfaces.output import to_json, write_text
from redraft.interfaces.start import import_torch

if TYPE_CHECKING:
    from redraft.engine import Inspection

__all__ = ["list_models", "print_inspection"]

_RULES = ("commit", "threshold", "edit_threshold", "temperature", "canvas_length", "max_steps")
"""What a line can hold of the rules; ``--json`` has all of them."""


def list_models(*, is_json: bool) -> None:
    """Print the list.

    Args:
        is_json: JSON instead of a table.
    """
    entries = shipped()
    if is_json:
        sys.stdout.write(to_json({"models": [entry.to_dict() for entry in entries]}) + "\n")
        return
    if not entries:
        sys.stdout.write("No model ships with this installation; name a checkpoint folder with --model ./FOLDER.\n")
        return
    width = max(len(entry.name) for entry in entries)
    sys.stdout.write(f"{'model':<{width}}  {'weights':>8}  {'on disk':>8}  {'canvas':>6}  {'context':>7}  trained on\n")
    for entry in entries:
        role = " (default)" if entry.is_default else f" ({', '.join(entry.commands)})" if entry.commands else ""
        tasks = f"  {', '.join(entry.tasks)}" if entry.tasks else ""
        sys.stdout.write(
            f"{entry.name:<{width}}  {entry.num_parameters / 1e6:>6.1f} M  {entry.size_bytes / 1e6:>5.1f} MB  "
            f"{entry.canvas_length:>6}  {entry.context_length:>7}{tasks}{role}\n"
        )


def print_inspection(model: str, *, is_json: bool) -> None:
    """Say what a model is and whether it fits this machine; no weight is read.

    Args:
        model: A shipped name, a path, or ``owner/name`` on the hub.
        is_json: JSON instead of lines.
    """
    import_torch()
    from redraft.engine import inspect_model

    found = inspect_model(model)
    if is_json:
        sys.stdout.write(to_json(found.to_dict()) + "\n")
        return
    shift = ", output shifted by one" if found.is_shifted else ""
    block = f", blocks of {found.block_length}" if found.block_length else ""
    ends = ", ".join(map(str, found.end_token_ids)) or "-"
    lines = {
        "model": found.model,
        "folder": found.folder,
        "family": f"{found.family} ({found.noise} noise, {found.attention} attention{block}{shift})",
        "parameters": "not fetched yet" if found.num_parameters is None else f"{found.num_parameters:,}",
        "on disk": "unknown" if found.size_bytes is None else f"{_size(found.size_bytes)}{_stored(found)}",
        "context": "unknown" if found.context_length is None else f"{found.context_length} positions",
        "special ids": f"mask {'-' if found.mask_token_id is None else found.mask_token_id}, end {ends}",
        "chat template": "yes" if found.has_chat_template else "no",
        "rules": ", ".join(f"{name} {found.rules[name]}" for name in _RULES if name in found.rules),
        "memory needed": ", ".join(f"{name} {_size(size)}" for name, size in found.memory_bytes.items()) or "unknown",
        "available": "unknown" if found.available_bytes is None else _size(found.available_bytes),
        "fits": ", ".join(f"{name} {'yes' if fit else 'no'}" for name, fit in found.fits.items()) or "unknown",
    }
    for name, text in lines.items():
        write_text(f"{name:<14} {text}")


def _stored(found: "Inspection") -> str:
    if not found.is_fetched:
        return " (not fetched yet)"
    return f" ({', '.join(found.stored_as)} in {found.num_files} file{'s' if found.num_files != 1 else ''})"


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
