"""The endless stream of examples, and the batches that are cut from it with little padding.

Nothing is stored: example i is a function of the data seed, i and the progress of the run when its pool was drawn, so
the place in the stream is three numbers.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from redraft.errors import ConfigError
from redraft.tasks import get_task
from redraft.tasks.problem import Split
from redraft.text import Tokenizer, encode_request, lay_out
from redraft.training.ahead import DrawnAhead
from redraft.training.config import DataRecipe
from redraft.training.formed import FormedExamples
from redraft.training.laid import Forms, Laid, stack_forms
from redraft.training.mixture import Mixture
from redraft.types import ContextMask, ContextTokens, TokenMask, Tokens

__all__ = [
    "Batch",
    "BatchStream",
    "Example",
    "ExampleStream",
    "StreamState",
    "collate",
    "cut_into_batches",
    "tokenizer_of",
]

RowMask = Bool[Tensor, " batch"]
"""A claim about each row."""

POOLS_AHEAD = 2
"""Pools that are asked for while one is used."""

LEAST_CUT = 32
"""Positions of the shortest canvas that ends before its text does."""

MAX_ATTEMPTS = 200
"""Draws before an entry whose problems never fit is reported as a fault of the recipe."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One problem as token ids."""

    context: list[int]
    """The prompt's settled segment."""

    answer: list[int]
    """The clean text up to, and without, end of text."""

    canvas_length: int
    """Least length of its canvas, a multiple of ``canvas_multiple``; where it is shorter than the text, the canvas ends
    before it."""

    far_ends: tuple[int, ...]
    """Places in the slack whose end of text is supervised."""

    is_answer_first: bool
    """Whether the first line is the answer, which decoding settles last."""

    entry: int
    """Index of its mixture entry."""

    laid: Laid | None = None
    """What the canvas starts from; None: an open one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Examples of equal canvas length, on the CPU."""

    context: ContextTokens
    """Prompts, padded on the left."""

    context_is_valid: ContextMask
    """False at the padding."""

    canvas: Tokens
    """Clean canvases, filled up with end of text."""

    is_content: TokenMask
    """The answer and its first end of text."""

    is_supervised: TokenMask
    """Positions that the loss scores: the content and a few more ends of text, so that slack doesn't dominate."""

    is_answer_first: RowMask
    """Whether the first line is the answer."""

    entries: tuple[int, ...]
    """Mixture index of each row."""

    forms: Forms | None = None
    """What the rows start from; None: every one from an open canvas."""

    @property
    def num_tokens(self) -> int:
        """Context and canvas positions, padding included."""
        return self.context.numel() + self.canvas.numel()

    @property
    def num_rows(self) -> int:
        """Examples."""
        return len(self.entries)


class ExampleStream:
    """Draws example i."""

    def __init__(self, recipe: DataRecipe, tokenizer: Tokenizer, *, split: Split = "train") -> None:
        self.recipe = recipe
        self.tokenizer = tokenizer
        self.split: Split = split
        self.mixture = Mixture(recipe.mixture, recipe.anneal)
        self.tasks = [get_task(entry.task) for entry in recipe.mixture]
        self.dials = [task.make_dials(**entry.dials) for task, entry in zip(self.tasks, recipe.mixture, strict=True)]
        self.formed = FormedExamples(tokenizer, recipe)

    def example(self, index: int, progress: float) -> Example:
        """Draw one example.

        Args:
            index: Its number in the stream.
            progress: Share of the run that is done, which moves the mixture.

        Returns:
            The example; the same for the same arguments.

        Raises:
            ConfigError: If no problem of the chosen entry fits the canvas and the context.
        """
        rng = random.Random(f"{self.recipe.seed}/{self.split}/{index}")
        entry = self.mixture.choose(rng, progress)
        is_answer_first = rng.random() >= self.recipe.mixture[entry].derivation_first
        for _ in range(MAX_ATTEMPTS):
            example = self._draw(rng, entry, is_answer_first)
            if example is not None:
                return example
        raise ConfigError(
            f"no problem of data.mixture.{entry} ({self.recipe.mixture[entry].task}) fits canvas_length="
            f"{self.recipe.canvas_length} and context_length={self.recipe.context_length}; raise them or ease its dials"
        )

    def draw(self, start: int, stop: int, progress: float) -> list[Example]:
        """The examples with the numbers from ``start`` to before ``stop``."""
        return [self.example(index, progress) for index in range(start, stop)]

    def _draw(self, rng: random.Random, entry: int, is_answer_first: bool) -> Example | None:
        """One attempt; None if the problem is too long."""
        recipe = self.recipe
        order = "answer_first" if is_answer_first else "derivation_first"
        problem = self.tasks[entry].generate(rng, split=self.split, order=order, dials=self.dials[entry])
        laid, sees_prompt = None, True
        if recipe.mixture[entry].form != "answer":
            formed = self.formed.lay(rng, recipe.mixture[entry].form, problem)
            if formed is None:
                return None
            laid, sees_prompt = formed
        context = encode_request(
            self.tokenizer, problem.prompt if sees_prompt else None, None if laid is None else laid.shown
        )
        answer = lay_out(self.tokenizer, problem.fields) if laid is None else laid.target
        length = len(answer) + 1
        if length > recipe.canvas_length or len(context) > recipe.context_length:
            return None
        tight, least = (_rounded_up(one, recipe.canvas_multiple) for one in (length, LEAST_CUT))
        own_share = recipe.mixture[entry].slack_share
        slack_share = recipe.slack_share if own_share is None else own_share
        canvas_length = tight
        if rng.random() < slack_share:
            canvas_length = rng.randrange(tight, recipe.canvas_length + 1, recipe.canvas_multiple)
        slack = range(length + recipe.end_tokens, canvas_length)
        # Drawn only where it is asked for, so that other recipes keep their draws.
        if recipe.cut_share and laid is None and tight > least and rng.random() < recipe.cut_share:
            canvas_length = rng.randrange(least, tight, recipe.canvas_multiple)
            slack = range(0)
        far_ends = tuple(sorted(rng.sample(slack, min(recipe.far_end_tokens, len(slack)))))
        return Example(
            context=context,
            answer=answer,
            canvas_length=canvas_length,
            far_ends=far_ends,
            is_answer_first=is_answer_first,
            entry=entry,
            laid=laid,
        )


def _rounded_up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple


def tokenizer_of(recipe: DataRecipe) -> Tokenizer:
    """The built-in tokenizer, cutting as a recipe wants it."""
    builtin = Tokenizer.builtin()
    match recipe.units:
        case "words":
            return builtin.by_word()
        case "characters":
            return builtin.by_character()
        case _:
            return builtin


def cut_into_batches(sizes: Sequence[tuple[int, int]], batch_tokens: int) -> list[list[int]]:
    """Group examples of like length into batches of nearly equal cost.

    The examples are sorted by length and cut greedily. A last batch with whatever is left would be small, and its
    examples would weigh more than others, so the budget is lowered until the same number of batches comes out even.

    >>> cut_into_batches([(2, 8), (3, 8), (2, 16), (4, 16)], batch_tokens=40)
    [[0, 2], [1, 3]]

    Args:
        sizes: Canvas length and context length of each example, the canvas first.
        batch_tokens: Most positions in a batch, padding included.

    Returns:
        Indices into ``sizes``, every one exactly once.
    """
    order = sorted(range(len(sizes)), key=lambda index: (sizes[index], index))
    best = _cut(order, sizes, batch_tokens)
    low, high = 0, batch_tokens
    while high - low > max(1, batch_tokens // 200):
        middle = (low + high) // 2
        cut = _cut(order, sizes, middle)
        if len(cut) == len(best):
            best, high = cut, middle
        else:
            low = middle
    return best


def _cut(order: Sequence[int], sizes: Sequence[tuple[int, int]], budget: int) -> list[list[int]]:
    batches: list[list[int]] = []
    longest = (0, 0)
    for index in order:
        grown = (max(longest[0], sizes[index][0]), max(longest[1], sizes[index][1]))
        if not batches or (len(batches[-1]) + 1) * sum(grown) > budget:
            batches.append([])
            grown = sizes[index]
        batches[-1].append(index)
        longest = grown
    return batches


def collate(examples: Sequence[Example], tokenizer: Tokenizer, recipe: DataRecipe) -> Batch:
    """Stack examples: prompts padded on the left, canvases filled with end of text to the longest.

    A text that is longer than its canvas shows as much as the longest canvas of the batch has room for.
    """
    special = tokenizer.special
    # At least 1, for a batch of rows without a prompt.
    context_length = max(1, *(len(example.context) for example in examples))
    canvas_length = max(example.canvas_length for example in examples)
    contexts = [[special.null] * (context_length - len(e.context)) + e.context for e in examples]
    canvases = [(e.answer + [special.end_of_text] * canvas_length)[:canvas_length] for e in examples]
    lengths = torch.tensor([len(example.answer) + 1 for example in examples])[:, None]
    context_lengths = torch.tensor([len(example.context) for example in examples])[:, None]
    position = torch.arange(canvas_length)
    is_supervised = position < lengths + recipe.end_tokens
    for row, example in enumerate(examples):
        is_supervised[row, list(example.far_ends)] = True
    forms = stack_forms(canvases, [example.laid for example in examples])
    if forms is not None:
        is_supervised &= forms.may_change
    return Batch(
        context=torch.tensor(contexts),
        context_is_valid=torch.arange(context_length) >= context_length - context_lengths,
        canvas=torch.tensor(canvases),
        is_content=position < lengths,
        is_supervised=is_supervised,
        is_answer_first=torch.tensor([example.is_answer_first for example in examples]),
        entries=tuple(example.entry for example in examples),
        forms=forms,
    )


@dataclass(kw_only=True, slots=True)
class StreamState:
    """Where the stream stands: enough to draw the same batches again."""

    pool_start: int = 0
    """Index of the first example of the pool."""

    pool_progress: float = 0.0
    """Progress of the run when the pool was drawn."""

    next_batch: int = 0
    """Batches of the pool already taken."""

    examples_seen: int = 0
    """Examples in all batches taken."""

    ahead: list[float] = field(default_factory=list)
    """Progress at which the pools behind this one were asked for, the next one first."""


class BatchStream:
    """Yields batch after batch; can be put back to where it was."""

    def __init__(self, examples: ExampleStream) -> None:
        self.examples = examples
        self.recipe = examples.recipe
        self.state = StreamState()
        self._pool: list[Example] = []
        self._batches: list[list[int]] = []
        workers = self.recipe.num_workers
        self._drawn_ahead = DrawnAhead(examples.draw, workers) if workers else None

    def next(self, progress: float) -> Batch:
        """Take the next batch; when a pool is used up, the next is drawn as the curriculum stands at ``progress``."""
        if not self._batches:
            self.state.pool_progress = progress
            self._fill()
        elif self.state.next_batch == len(self._batches):
            self.state.pool_start += self.recipe.pool_examples
            self.state.pool_progress = self.state.ahead.pop(0) if self.state.ahead else progress
            self.state.next_batch = 0
            self._fill()
        self._look_ahead(progress)
        chosen = [self._pool[index] for index in self._batches[self.state.next_batch]]
        self.state.next_batch += 1
        self.state.examples_seen += len(chosen)
        return collate(chosen, self.examples.tokenizer, self.recipe)

    def state_dict(self) -> dict[str, Any]:
        """The place in the stream, ready for JSON."""
        return asdict(self.state)

    def load_state_dict(self, values: Mapping[str, Any]) -> None:
        """Go back to a place in the stream."""
        self.state = StreamState(**values)
        self._batches = []
        if self.state.next_batch:
            self._fill()

    def close(self) -> None:
        """End the processes that draw ahead; a further batch would start them again."""
        if self._drawn_ahead is not None:
            self._drawn_ahead.close()

    def _look_ahead(self, progress: float) -> None:
        """Keep pools coming while this one is used."""
        if self._drawn_ahead is None:
            return
        size, ahead = self.recipe.pool_examples, self.state.ahead
        while len(ahead) < POOLS_AHEAD:
            ahead.append(progress)
        for number, asked_at in enumerate(ahead, start=1):
            start = self.state.pool_start + number * size
            self._drawn_ahead.ask(start, start + size, asked_at)

    def _fill(self) -> None:
        start, progress = self.state.pool_start, self.state.pool_progress
        stop = start + self.recipe.pool_examples
        if self._drawn_ahead is None:
            self._pool = self.examples.draw(start, stop, progress)
        else:
            self._pool = self._drawn_ahead.take(start, stop, progress)
        sizes = [(example.canvas_length, len(example.context)) for example in self._pool]
        self._batches = cut_into_batches(sizes, self.recipe.batch_tokens)
        random.Random(f"{self.recipe.seed}/order/{start}").shuffle(self._batches)
