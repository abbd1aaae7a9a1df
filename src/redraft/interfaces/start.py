"""Brings torch in, as quickly as it goes.

Commands import this first where they need a model; those that don't never pay for it.
"""

import gc
import os
import signal
import threading

from redraft.openmp import wait_awake

__all__ = ["import_torch"]


def import_torch() -> None:
    """Import torch with settings that have to stand before it is loaded."""
    wait_awake(os.environ)
    # Torch's import swallows a Ctrl-C now and then. Nothing is under way yet, so the process may simply end.
    is_main_thread = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, signal.SIG_DFL) if is_main_thread else None
    # Importing makes hundreds of thousands of objects that all stay; collecting in between takes a tenth of the time.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        import torch  # noqa: F401  # pyright: ignore[reportUnusedImport]
    finally:
        if was_enabled:
            gc.enable()
        if handler is not None:
            signal.signal(signal.SIGINT, handler)
    gc.freeze()
