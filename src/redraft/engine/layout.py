"""How a request is laid over a model's context and canvases, which differs between our own models and published ones.

Our own model takes one segment per turn, each behind its role's marker, and a finished canvas as a turn of the
assistant. A published model takes the conversation as its chat template writes it, and a finished canvas as it is.
Where such a model counts blocks from the first token of the text, a canvas is one of those blocks: what the prompt
leaves over after its last whole block stands on the first canvas, pinned.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from redraft.engine.request import Request
from redraft.sampler import SamplerSettings, SpecialIds
from redraft.text import PublishedTokenizer, Tokenizer, encode_segment

__all__ = ["Layout", "NativeLayout", "Opening", "PublishedLayout", "Reader"]


@runtime_checkable
class Reader(Protocol):
    """Reads tokens: what our own tokenizer and a published one have in common."""

    @property
    def vocab_size(self) -> int:
        """Number of ids that it knows."""
        ...

    @property
    def special(self) -> Any:
        """Special ids; ``ends`` among them are all that end a text."""
        ...

    def is_control(self, token_id: int) -> bool:
        """Whether an id is no text."""
        ...

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some ids, control tokens left out."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """Where a request begins."""

    segments: list[list[int]]
    """What goes into the context, settled segment by settled segment; none of them is empty."""
    given: list[int]
    """What stands pinned at the beginning of the first canvas."""


@runtime_checkable
class Layout(Protocol):
    """Lays a request out."""

    @property
    def special_ids(self) -> SpecialIds:
        """What the sampler has to know of the ids."""
        ...

    @property
    def block_length(self) -> int | None:
        """What every canvas has to measure; None for any length."""
        ...

    @property
    def opens_with_likeliest(self) -> bool:
        """Whether a canvas behind whole blocks begins with the likeliest next token, settled before the first pass."""
        ...

    def open(self, request: Request) -> Opening:
        """Encode a request's turns.

        Args:
            request: What is asked.

        Returns:
            Its tokens, by where they go.
        """
        ...

    def num_canvases(self, settings: SamplerSettings, num_given: int) -> int:
        """Most canvases of a request.

        Args:
            settings: How its answer is drawn.
            num_given: Pinned tokens on its first canvas.

        Returns:
            At least 1.
        """
        ...

    def room(self, settings: SamplerSettings, num_canvases: int) -> int:
        """Positions behind the opening's segments that count against the model's context.

        Args:
            settings: How an answer is drawn.
            num_canvases: Most canvases of it.

        Returns:
            The positions.
        """
        ...

    def settled(self, canvas: list[int]) -> list[int]:
        """A finished canvas as the next one sees it.

        Args:
            canvas: Its tokens.

        Returns:
            The segment that goes into the context.
        """
        ...


class NativeLayout:
    """Our own models: a segment per turn behind its role's marker.

    Args:
        tokenizer: The model's.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self.block_length: int | None = None
        self.opens_with_likeliest = False
        special = tokenizer.special
        self.special_ids = SpecialIds(
            mask=special.mask,
            end_of_text=special.end_of_text,
            null=special.null,
            forbidden=tuple(id for id in special.ids if id not in (special.mask, special.end_of_text, special.null)),
        )

    def open(self, request: Request) -> Opening:
        """Encode a request's turns; see ``Layout.open``."""
        return Opening(segments=[encode_segment(self._tokenizer, segment) for segment in request.segments], given=[])

    def num_canvases(self, settings: SamplerSettings, num_given: int) -> int:
        """Most canvases of a request; see ``Layout.num_canvases``."""
        return -(-(num_given + settings.max_new_tokens) // settings.canvas_length)

    def room(self, settings: SamplerSettings, num_canvases: int) -> int:
        """Each finished canvas before the last one and a role marker; the open canvas has room of its own."""
        return (num_canvases - 1) * (settings.canvas_length + 1)

    def settled(self, canvas: list[int]) -> list[int]:
        """A finished canvas as a turn of the assistant."""
        return [self._tokenizer.special.assistant, *canvas]


class PublishedLayout:
    """Published models: a conversation as the checkpoint's template writes it.

    Args:
        tokenizer: The checkpoint's.
        is_masked: Whether the model has a mask; a uniform one must not hear of a mask that only its tokenizer has.
        block_length: Positions of a block, where the model counts those from the first token; else None.
        opens_with_likeliest: Whether a block begins with the likeliest next token.
        adds_bos: Whether a plain text begins with the tokenizer's own first token. Templates write it themselves.
    """

    def __init__(
        self,
        tokenizer: PublishedTokenizer,
        *,
        is_masked: bool,
        block_length: int | None = None,
        opens_with_likeliest: bool = False,
        adds_bos: bool = False,
    ) -> None:
        self._tokenizer = tokenizer
        self.block_length = block_length
        self.opens_with_likeliest = opens_with_likeliest
        special = tokenizer.special
        self._before = [special.bos] if adds_bos and special.bos is not None else []
        # Nothing is forbidden but the mask, as in the published samplers: their models say control tokens where due.
        self.special_ids = SpecialIds(
            mask=special.mask if is_masked else None,
            end_of_text=special.end_of_text,
            null=None,
            other_ends=special.ends[1:],
        )

    def open(self, request: Request) -> Opening:
        """Encode a conversation; see ``Layout.open``. A base model without a template goes on from the only turn."""
        if self._tokenizer.has_template or len(request.segments) != 1:
            ids = self._tokenizer.encode_chat(request.segments)
        else:
            ids = [*self._before, *self._tokenizer.encode(request.segments[0].text)]
        num_whole = len(ids) if self.block_length is None else len(ids) // self.block_length * self.block_length
        return Opening(segments=[ids[:num_whole]] if num_whole else [], given=ids[num_whole:])

    def num_canvases(self, settings: SamplerSettings, num_given: int) -> int:
        """Most canvases of a request; see ``Layout.num_canvases``."""
        return -(-(num_given + settings.max_new_tokens) // settings.canvas_length)

    def room(self, settings: SamplerSettings, num_canvases: int) -> int:
        """All canvases: the model numbers their positions on from the prompt's."""
        return num_canvases * settings.canvas_length

    def settled(self, canvas: list[int]) -> list[int]:
        """A finished canvas, as it is."""
        return canvas
