"""What the batching engine may take: rows, positions, memory; and what a request will take of it."""

from dataclasses import dataclass

from redraft.denoiser import Cache
from redraft.engine.contexts import num_bytes
from redraft.engine.desk import Desk
from redraft.engine.job import Job
from redraft.errors import ConfigError, MemoryLimitError

__all__ = ["BatchLimits", "Footprint"]

_MEBI = 1 << 20
_COPIES_OF_SCORES = 4
"""float32 arrays of a canvas by the vocabulary that are alive at once: the denoiser's, ours, their softmax, a spare."""
_COPIES_OF_CONTEXT = 2
"""A request's own context, and the copy in which it lies beside others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchLimits:
    """How much may go on at once."""

    max_rows: int = 16
    """Requests whose canvases are open at once; the others wait, first come first served."""
    max_positions: int = 4096
    """Canvas positions of one pass, though one row always goes; where more are open, rows take turns."""
    max_prefill_tokens: int = 2048
    """Tokens that are encoded between two passes, though one request always is: a long prompt delays others little."""
    max_waiting: int = 4096
    """Requests that may wait; one more is refused."""
    max_bytes: int = 1024 * _MEBI
    """Memory of all open rows; a request that needs more alone is refused, others wait for room."""
    max_cache_bytes: int = 64 * _MEBI
    """Memory of contexts that are kept for requests to come, besides; 0 keeps none."""
    max_unread_frames: int = 1024
    """Frames kept for a watcher that does not read; then the oldest are dropped, as each shows the whole canvas."""
    shares_passes: bool | None = None
    """Whether rows go through the denoiser together. None: where a trial shows that no bit changes by it, with our own
    models; a published one's rows go alone, because experts and other machines' kernels promise nothing."""

    def __post_init__(self) -> None:
        """Check every number.

        Raises:
            ConfigError: One of them leaves nothing to work with.
        """
        for name in (
            "max_rows",
            "max_positions",
            "max_prefill_tokens",
            "max_waiting",
            "max_bytes",
            "max_unread_frames",
        ):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}={getattr(self, name)} is not allowed; use a whole number of at least 1")
        if self.max_cache_bytes < 0:
            raise ConfigError(f"max_cache_bytes={self.max_cache_bytes} is not allowed; use 0 or more")


class Footprint:
    """Tells the memory of a request before it is taken.

    Args:
        desk: The model's.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        # A trial, because what a token of context takes is the family's own affair.
        length = desk.layout.block_length or 8
        trial: Cache = desk.encode([desk.special_ids.end_of_text] * length, None)
        self._bytes_per_token = -(-num_bytes(trial) // length)

    def of(self, job: Job) -> int:
        """Most bytes that a request holds at any time.

        Args:
            job: The request.

        Returns:
            Context and canvas together.
        """
        settings, desk = job.request.settings, self._desk
        context = job.prompt_tokens + desk.room_behind(job)
        scores = settings.canvas_length * desk.denoiser.vocab_size * 4
        return _COPIES_OF_CONTEXT * context * self._bytes_per_token + _COPIES_OF_SCORES * scores

    def require(self, job: Job, limit: int) -> int:
        """The same, for a request that has to fit.

        Args:
            job: The request.
            limit: Bytes that there are.

        Returns:
            The bytes that it needs.

        Raises:
            MemoryLimitError: It will never fit.
        """
        needed = self.of(job)
        if needed > limit:
            settings = job.request.settings
            raise MemoryLimitError(
                f"the request needs {_mebi(needed)} MiB for {job.prompt_tokens} tokens of prompt, "
                f"canvas_length={settings.canvas_length} and max_new_tokens={settings.max_new_tokens}, but the engine "
                f"may take max_bytes={limit} ({_mebi(limit)} MiB) in all; shorten the prompt, lower max_new_tokens, or "
                "allow more"
            )
        return needed


def _mebi(size: int) -> str:
    return f"{size / _MEBI:.1f}"
