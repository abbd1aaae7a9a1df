"""Contexts that are kept, so that a prompt's beginning is computed once for all requests that share it.

A settled segment never sees what comes after it, so what was computed for one request is exact for every other one that
begins with the same segments. Contexts are never changed, so requests and this cache hold the same tensors.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence

from redraft.denoiser import Cache
from redraft.engine.contexts import num_bytes

__all__ = ["PrefixCache"]

Segments = Sequence[Sequence[int]]
"""Settled segments as token ids, the oldest first."""

_Key = tuple[tuple[int, ...], ...]


class PrefixCache:
    """Contexts by the segments in them; the one that was used least recently goes first.

    >>> from redraft.denoiser import FakeDenoiser
    >>> import torch
    >>> fake = FakeDenoiser(vocab_size=9, logits_of=lambda canvas, context: canvas)
    >>> prefixes = PrefixCache(lambda segment, context: fake.encode(torch.tensor([segment]), context), max_bytes=1000)
    >>> first, second = prefixes.context_of([[1, 2], [3]]), prefixes.context_of([[1, 2], [4]])
    >>> prefixes.num_hits, prefixes.num_misses
    (1, 3)

    Args:
        encode: Takes one segment into a context.
        max_bytes: Most that is kept; requests under way keep what they use in any case. 0 keeps nothing.
    """

    def __init__(self, encode: Callable[[list[int], Cache | None], Cache], *, max_bytes: int) -> None:
        self._encode = encode
        self._max_bytes = max_bytes
        self._kept: OrderedDict[_Key, tuple[Cache, int]] = OrderedDict()
        self.num_bytes = 0
        self.num_hits = 0
        self.num_misses = 0

    def __len__(self) -> int:
        return len(self._kept)

    def num_missing(self, segments: Segments) -> int:
        """Tokens that would have to be encoded now.

        Args:
            segments: A request's.

        Returns:
            The length of what lies behind the longest beginning that is kept.
        """
        known = self._num_known(_key_of(segments))
        return sum(len(segment) for segment in segments[known:])

    def context_of(self, segments: Segments) -> Cache | None:
        """The context of some segments; what is missing is encoded and kept.

        Args:
            segments: A request's.

        Returns:
            One row; None for no segments.
        """
        key = _key_of(segments)
        known = self._num_known(key)
        context = self._kept[key[:known]][0] if known else None
        self.num_hits, self.num_misses = self.num_hits + known, self.num_misses + len(key) - known
        for end in range(known + 1, len(key) + 1):
            context = self._encode([*key[end - 1]], context)
            self._keep(key[:end], context)
        # The shortest is the youngest, because most requests share that.
        for end in range(len(key), 0, -1):
            if key[:end] in self._kept:
                self._kept.move_to_end(key[:end])
        return context

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self.num_bytes = 0

    def _num_known(self, key: _Key) -> int:
        return next((end for end in range(len(key), 0, -1) if key[:end] in self._kept), 0)

    def _keep(self, key: _Key, context: Cache) -> None:
        size = num_bytes(context)
        if size > self._max_bytes:
            return
        while self.num_bytes + size > self._max_bytes:
            _, (_, freed) = self._kept.popitem(last=False)
            self.num_bytes -= freed
        self._kept[key] = (context, size)
        self.num_bytes += size


def _key_of(segments: Segments) -> _Key:
    return tuple(tuple(segment) for segment in segments)
