"""``redraft models``: what ships. Needs no torch, so it answers at once."""

import sys

from redraft.engine import shipped
from redraft.interfaces.output import to_json

__all__ = ["list_models"]


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
    sys.stdout.write(f"{'model':<{width}}  {'weights':>8}  {'on disk':>8}  {'canvas':>6}  {'context':>7}\n")
    for entry in entries:
        sys.stdout.write(
            f"{entry.name:<{width}}  {entry.num_parameters / 1e6:>6.1f} M  {entry.size_bytes / 1e6:>5.1f} MB  "
            f"{entry.canvas_length:>6}  {entry.context_length:>7}{'  (default)' if entry.is_default else ''}\n"
        )
