"""Brings torch in, as quickly as it goes.

Commands import this first where they need a model; those that don't never pay for it.
"""

import gc
import os

__all__ = ["import_torch"]


def import_torch() -> None:
    """Import torch with settings that have to stand before it is loaded."""
    # Threads that spin while they wait take the other core from whoever needs it, and win nothing at these sizes.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # Importing makes hundreds of thousands of objects that all stay; collecting in between takes a tenth of the time.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        import torch  # noqa: F401  # pyright: ignore[reportUnusedImport]
    finally:
        if was_enabled:
            gc.enable()
    gc.freeze()
