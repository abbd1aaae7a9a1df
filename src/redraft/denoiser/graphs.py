"""Passes that are recorded once and replayed: CUDA graphs for a small model.

A pass of a small model is some hundred kernels, each over before the next one can be launched from Python. A recorded
graph launches them all at once (https://pytorch.org/blog/accelerating-pytorch-with-cuda-graphs). It reads and writes
fixed memory, so what a pass is given is first copied to where the graph looks for it; and it is for one shape, so
contexts are filled up with padding to a multiple of ``CONTEXT_MULTIPLE``.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor

from redraft.denoiser.cache import KeyValueCache
from redraft.denoiser.lean import LeanTransformer
from redraft.denoiser.protocol import Places, Sketch, SomeLogits
from redraft.denoiser.transformer import Transformer
from redraft.types import Probs, Tokens

__all__ = ["CudaRecorder", "GraphedTransformer", "Recorder"]

CONTEXT_MULTIPLE = 32
"""Contexts of how many lengths share a graph; padding costs attention a little and nothing else."""

MAX_SHAPES = 128
"""Shapes that are remembered, least recently used out first; each graph holds the activations of one pass."""

Run = Callable[[], Tensor]
"""A pass over fixed memory."""


@runtime_checkable
class Recorder(Protocol):
    """Turns a pass into one that is replayed."""

    def record(self, run: Run) -> Run:
        """Record it.

        Args:
            run: Reads the same memory each time, and neither waits for the device nor looks at values.

        Returns:
            Does the same again; its result is overwritten by the next replay of any pass of this recorder.
        """
        ...


class CudaRecorder:
    """Records CUDA graphs, which share one pool of memory as only one of them runs at a time."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool: Any = None

    def record(self, run: Run) -> Run:
        """Run the pass twice, since libraries set themselves up in first calls, then record it."""
        with torch.cuda.device(self._device):
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                run()
                run()
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
                output = run()
            self._pool = self._pool or graph.pool()

        def replay() -> Tensor:
            graph.replay()
            return output

        return replay


class GraphedTransformer(LeanTransformer):
    """Answers as a ``LeanTransformer`` does, with contexts filled up; what it encodes is its own, as there.

    A shape is recorded when it comes for the second time. With self-conditioning or a sketch nothing is.

    Args:
        model: A transformer that ``fits``.
        recorder: Records passes.
    """

    def __init__(self, model: Transformer, recorder: Recorder) -> None:
        super().__init__(model)
        self._recorder = recorder
        self._passes: OrderedDict[tuple[int | None, ...], _Pass | None] = OrderedDict()
        # Two threads may ask at once, and the memory that a graph reads is shared.
        self._lock = threading.Lock()

    @torch.no_grad()
    def denoise_some(
        self,
        canvas: Tokens,
        places: Places | None,
        cache: KeyValueCache | None = None,
        *,
        self_conditioning: Probs | None = None,
        sketch: Sketch | None = None,
    ) -> SomeLogits:
        """Score the clean token at some canvas positions; see ``ScoresSome``."""
        if self_conditioning is not None or sketch is not None:
            return super().denoise_some(canvas, places, cache, self_conditioning=self_conditioning, sketch=sketch)
        num_places = None if places is None else places.shape[1]
        shape = (*canvas.shape, num_places, None if cache is None else _filled_length(cache.length))
        with self._lock:
            is_known = shape in self._passes
            recorded = self._passes.setdefault(shape, None)
            self._passes.move_to_end(shape)
            while len(self._passes) > MAX_SHAPES:
                self._passes.popitem(last=False)
            if not is_known:
                # Filled up in any case: whether a pass is recorded must not change a bit of it.
                return super().denoise_some(canvas, places, None if cache is None else _filled(cache))
            if recorded is None:
                recorded = self._passes[shape] = _Pass(super().denoise_some, self._recorder, canvas, places, cache)
            return recorded(canvas, places, cache)


class _Pass:
    """One recorded pass and the memory that it reads."""

    def __init__(
        self,
        score: Callable[[Tokens, Places | None, KeyValueCache | None], SomeLogits],
        recorder: Recorder,
        canvas: Tokens,
        places: Places | None,
        cache: KeyValueCache | None,
    ) -> None:
        # Under inference mode these would be tensors that nobody outside of it may write to.
        with torch.inference_mode(mode=False):
            self._canvas = canvas.clone()
            self._places = None if places is None else places.clone()
            self._cache = None if cache is None else _filled(cache)
        self._held: KeyValueCache | None = None
        self._replay = recorder.record(lambda: score(self._canvas, self._places, self._cache))

    def __call__(self, canvas: Tokens, places: Places | None, cache: KeyValueCache | None) -> SomeLogits:
        """Bring the inputs to their places, replay, and give away a copy of what comes out."""
        self._canvas.copy_(canvas)
        if self._places is not None and places is not None:
            self._places.copy_(places)
        # A context is never changed in place, so the one that is there already need not be copied again.
        if cache is not None and cache is not self._held:
            self._take(cache)
        return self._replay().clone()

    def _take(self, cache: KeyValueCache) -> None:
        assert self._cache is not None, "a pass that was recorded without a context is asked with one"
        for ours, theirs in zip((*self._cache.keys, *self._cache.values), (*cache.keys, *cache.values), strict=True):
            # What stays behind it of an earlier context is finite and hidden.
            ours[:, :, : cache.length].copy_(theirs)
        self._cache.is_valid.fill_(value=False)
        self._cache.is_valid[:, : cache.length].copy_(cache.is_valid)
        self._held = cache


def _filled_length(length: int) -> int:
    return -(-length // CONTEXT_MULTIPLE) * CONTEXT_MULTIPLE


def _filled(cache: KeyValueCache) -> KeyValueCache:
    """A copy of a context with padding behind it."""
    missing = _filled_length(cache.length) - cache.length
    return KeyValueCache(
        keys=tuple(F.pad(keys, (0, 0, 0, missing)) for keys in cache.keys),
        values=tuple(F.pad(values, (0, 0, 0, missing)) for values in cache.values),
        is_valid=F.pad(cache.is_valid, (0, missing), value=False),
        has_padding=True,
    )
