"""A local folder of texts as an endless stream of packed rows.

Nothing is held but where each text lies. Texts come in an order that the seed and the pass over them fix. So the place
in the stream is four numbers, and a stream put back to them gives the same rows.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from redraft.errors import ConfigError
from redraft.training.adapt_config import TextRecipe
from redraft.training.corpus import Corpus
from redraft.training.packing import TextBatch, pack

__all__ = ["Encode", "TextState", "TextStream"]

Encode = Callable[[str], list[int]]
"""From a text to ids of ordinary tokens."""


@dataclass(kw_only=True, slots=True)
class TextState:
    """Where the stream stands: enough to give the same batches again."""

    epoch: int = 0
    """Passes over the texts that are done."""

    pool_start: int = 0
    """Place of the pool's first text in the order of this pass."""

    next_batch: int = 0
    """Batches of the pool already taken."""

    examples_seen: int = 0
    """Rows in all batches taken."""


class TextStream:
    """Yields batch after batch; can be put back to where it was.

    Args:
        corpus: The texts.
        recipe: Shape of the batches, and the seed.
        encode: The tokenizer.
        block_length: Positions of a block.
        end: Id of the end of text.
        indices: Which texts; None takes those for training.
    """

    def __init__(
        self,
        corpus: Corpus,
        recipe: TextRecipe,
        encode: Encode,
        *,
        block_length: int,
        end: int,
        indices: Sequence[int] | None = None,
    ) -> None:
        self.corpus = corpus
        self.recipe = recipe
        self.state = TextState()
        self._encode = encode
        self._block_length = block_length
        self._end = end
        self._indices = corpus.train if indices is None else indices
        self._pool: TextBatch | None = None
        self._order: list[int] = []

    def next(self, progress: float) -> TextBatch:
        """Take the next batch; the run's progress changes nothing here."""
        del progress
        if self._pool is None:
            self._fill()
        elif self.state.next_batch * self.recipe.batch_rows >= len(self._order):
            self.state.next_batch = 0
            self.state.pool_start += self.recipe.pool_documents
            if self.state.pool_start >= len(self._indices):
                self.state.pool_start = 0
                self.state.epoch += 1
            self._fill()
        assert self._pool is not None, "filled just now"
        begin = self.state.next_batch * self.recipe.batch_rows
        chosen = self._order[begin : begin + self.recipe.batch_rows]
        self.state.next_batch += 1
        self.state.examples_seen += len(chosen)
        return self._pool.chosen(chosen)

    def state_dict(self) -> dict[str, Any]:
        """The place in the stream, ready for JSON, and what pins the texts."""
        return {**asdict(self.state), "corpus": self.corpus.digest}

    def load_state_dict(self, values: Mapping[str, Any]) -> None:
        """Go back to a place in the stream.

        Args:
            values: What ``state_dict`` gave.

        Raises:
            ConfigError: The folder holds other texts now.
        """
        values = dict(values)
        if values.pop("corpus") != self.corpus.digest:
            raise ConfigError("the folder of texts has changed since the run began; restore it, or start a new run")
        self.state = TextState(**values)
        self._pool = None
        if self.state.next_batch:
            self._fill()

    def close(self) -> None:
        """Nothing here outlives a batch."""

    def _fill(self) -> None:
        recipe, state = self.recipe, self.state
        order = list(self._indices)
        random.Random(f"{recipe.seed}/texts/{state.epoch}").shuffle(order)
        chosen = order[state.pool_start : state.pool_start + recipe.pool_documents]
        self._pool = pack(
            [self._encode(self.corpus.text(index)) for index in chosen],
            row_length=recipe.row_length,
            block_length=self._block_length,
            end=self._end,
            end_tokens=recipe.end_tokens,
        )
        self._order = list(range(self._pool.num_rows))
        random.Random(f"{recipe.seed}/rows/{state.epoch}/{state.pool_start}").shuffle(self._order)
