"""Public masked-diffusion models behind the two calls of ``Denoiser``.

A full-attention family has no exact cache: its context is remembered as tokens and run again with every canvas. A block
family sees its own block and earlier ones, blocks being counted from the first token of the text, so keys and values
of whole settled blocks are exact and kept. What a context leaves over after its last whole block shares a block with
the canvas; it stays a token sequence until the canvas completes it.
"""

import torch
from torch import Tensor, nn

from redraft.denoiser.cache import KeyValueCache
from redraft.denoiser.families.backbone import Backbone, Sight
from redraft.denoiser.families.contexts import BlockContext, FullContext, RowStates
from redraft.denoiser.families.family import FamilySpec
from redraft.denoiser.protocol import Cache
from redraft.errors import ConfigError, ContextLengthError
from redraft.types import (
    ContextMask,
    ContextTokens,
    Hidden,
    Logits,
    Probs,
    ScoredLogits,
    TokenMask,
    Tokens,
)

__all__ = ["BlockDenoiser", "FullAttentionDenoiser", "block_sight"]


class FullAttentionDenoiser(nn.Module):
    """LLaDA, LLaDA-MoE, Dream and its kin: context and canvas in one bidirectional pass."""

    def __init__(self, spec: FamilySpec, backbone: Backbone) -> None:
        super().__init__()
        if spec.attention != "full":
            raise ConfigError(f"the family {spec.name} has {spec.attention} attention; this denoiser takes full ones")
        self.spec = spec
        self.backbone = backbone

    @property
    def vocab_size(self) -> int:
        """Number of token ids that ``denoise`` scores."""
        return self.backbone.config.vocab_size

    def encode(self, tokens: Tokens, cache: Cache | None = None, *, is_valid: TokenMask | None = None) -> FullContext:
        """Append a settled segment; see ``Denoiser.encode``. Costs nothing: the work is done with each canvas.

        Args:
            tokens: The segment.
            cache: The context before it; not changed.
            is_valid: False at padding, on either side; None when there is none.

        Returns:
            The context with the segment in it.
        """
        assert cache is None or isinstance(cache, FullContext), "a full-attention family takes a FullContext"
        has_padding = is_valid is not None and not bool(is_valid.all())
        is_valid = torch.ones_like(tokens, dtype=torch.bool) if is_valid is None else is_valid
        if cache is None:
            return FullContext(tokens=tokens, is_valid=is_valid, has_padding=has_padding)
        return FullContext(
            tokens=torch.cat([cache.tokens, tokens], dim=1),
            is_valid=torch.cat([cache.is_valid, is_valid], dim=1),
            has_padding=has_padding or cache.has_padding,
        )

    def denoise(self, canvas: Tokens, cache: Cache | None = None, *, self_conditioning: Probs | None = None) -> Logits:
        """Score every canvas position; see ``Denoiser.denoise``.

        A shifted family scores a position by the output at its left neighbour, which for the first one is the last
        context token; without a context the first position is scored by its own output, as the published samplers do.

        Args:
            canvas: The tokens as they are now.
            cache: The settled context; not changed.
            self_conditioning: Ignored; these families have none.

        Returns:
            Logits.

        Raises:
            ContextLengthError: If context and canvas outgrow the model.
        """
        del self_conditioning
        assert cache is None or isinstance(cache, FullContext), "a full-attention family takes a FullContext"
        on_canvas = torch.ones_like(canvas, dtype=torch.bool)
        before = 0 if cache is None else cache.length
        tokens = canvas if cache is None else torch.cat([cache.tokens, canvas], dim=1)
        is_valid = on_canvas if cache is None else torch.cat([cache.is_valid, on_canvas], dim=1)
        positions = (is_valid.cumsum(dim=1) - 1).clamp(min=0)
        _check_length(positions, self.backbone.config.context_length)
        sight = _padding_sight(is_valid) if cache is not None and cache.has_padding else None
        hidden, _, _ = self.backbone(tokens, positions, sight=sight)
        scored = hidden[:, before:]
        if self.spec.is_shifted:
            first = scored[:, :1]
            if before:
                last = _last_valid(hidden[:, :before], is_valid[:, :before])
                has_context = is_valid[:, :before].any(dim=1)
                first = torch.where(has_context[:, None, None], last[:, None], first)
            scored = torch.cat([first, scored[:, :-1]], dim=1)
        return self.backbone.score(scored)


class BlockDenoiser(nn.Module):
    """SDAR, LLaDA2.x, Fast-dLLM v2: blocks see themselves and every earlier block."""

    def __init__(self, spec: FamilySpec, backbone: Backbone) -> None:
        super().__init__()
        if spec.attention != "block" or spec.block_length is None:
            raise ConfigError(f"the family {spec.name} has {spec.attention} attention; this denoiser takes blocks")
        self.spec = spec
        self.backbone = backbone

    @property
    def vocab_size(self) -> int:
        """Number of token ids that ``denoise`` scores."""
        return self.backbone.config.vocab_size

    @property
    def block_length(self) -> int:
        """Positions of a block, counted from the first token of each row."""
        assert self.spec.block_length is not None, "checked when this was made"
        return self.spec.block_length

    def encode(self, tokens: Tokens, cache: Cache | None = None, *, is_valid: TokenMask | None = None) -> BlockContext:
        """Take one settled segment into the context; see ``Denoiser.encode``.

        The segment is joined to what was left over before, whole blocks are computed and kept, and the rest waits.
        Here, unlike in the protocol's general promise, a segment longer than a block is causal from block to block:
        that is how these models were trained.

        Args:
            tokens: The segment; any length.
            cache: The context before it; not changed.
            is_valid: False at padding, on either side; None when there is none.

        Returns:
            The context with the segment in it.

        Raises:
            ContextLengthError: If the context would outgrow the model.
        """
        before = self._context(cache, tokens)
        is_valid = torch.ones_like(tokens, dtype=torch.bool) if is_valid is None else is_valid
        joined = torch.cat([before.tail, tokens], dim=1)
        is_valid = torch.cat([before.tail_is_valid, is_valid], dim=1)
        rank = is_valid.cumsum(dim=1)  # from 1
        num_whole = rank[:, -1:] // self.block_length * self.block_length
        whole, whole_is_valid = _left_padded(joined, is_valid & (rank <= num_whole))
        tail, tail_is_valid = _left_padded(joined, is_valid & (rank > num_whole))
        settled, last_hidden = before.settled, before.last_hidden
        if whole.shape[1]:
            hidden, keys, values = self._run(whole, whole_is_valid, before.settled)
            settled = settled.extended(keys, values, whole_is_valid)
            # Padding is on the left, so that a row's last position is padding only if it got no whole block at all.
            last_hidden = torch.where(whole_is_valid[:, -1:], hidden[:, -1], last_hidden)
        return BlockContext(
            settled=settled,
            tail=tail,
            tail_is_valid=tail_is_valid,
            last_hidden=last_hidden,
            has_padding=not bool(settled.is_valid.all() and tail_is_valid.all()),
        )

    def denoise(self, canvas: Tokens, cache: Cache | None = None, *, self_conditioning: Probs | None = None) -> Logits:
        """Score every canvas position; see ``Denoiser.denoise``.

        The canvas continues the context's last block. One that reaches into further blocks is causal from block to
        block. A shifted family scores a position by the output at its left neighbour; the first position of a block
        is scored by the last one of the settled block before it, and by its own output where there is none.

        Args:
            canvas: The tokens as they are now.
            cache: The settled context; not changed.
            self_conditioning: Ignored; these families have none.

        Returns:
            Logits.

        Raises:
            ContextLengthError: If context and canvas outgrow the model.
        """
        del self_conditioning
        before = self._context(cache, canvas)
        on_canvas = torch.ones_like(canvas, dtype=torch.bool)
        is_valid = torch.cat([before.tail_is_valid, on_canvas], dim=1)
        hidden, _, _ = self._run(torch.cat([before.tail, canvas], dim=1), is_valid, before.settled)
        num_tail = before.tail.shape[1]
        scored = hidden[:, num_tail:]
        if self.spec.is_shifted:
            first = torch.where(before.num_settled[:, None] > 0, before.last_hidden, scored[:, 0])
            if num_tail:
                first = torch.where(before.tail_is_valid[:, -1:], hidden[:, num_tail - 1], first)
            scored = torch.cat([first[:, None], scored[:, :-1]], dim=1)
        return self.backbone.score(scored)

    def next_logits(self, context: BlockContext) -> ScoredLogits:
        """What a shifted family says of the first position after the settled blocks, without another pass.

        Fast-dLLM v2 opens every block with the best token of these.

        Args:
            context: Made by ``encode``, with at least one whole block in each row and nothing left over.

        Returns:
            One row of logits per row.
        """
        assert self.spec.is_shifted, f"the family {self.spec.name} is not shifted"
        assert not context.tail.shape[1], "a block is open already"
        return self.backbone.score(context.last_hidden)

    def _context(self, cache: Cache | None, tokens: Tokens) -> BlockContext:
        """The context, an empty one at the start."""
        if cache is not None:
            assert isinstance(cache, BlockContext), "a block family takes a BlockContext"
            return cache
        config, batch = self.backbone.config, tokens.shape[0]
        like = self.backbone.embedding.weight
        nothing = like.new_zeros(batch, config.num_kv_heads, 0, config.head_width)
        no_tokens = tokens[:, :0]
        settled = KeyValueCache(
            keys=(nothing,) * config.num_layers,
            values=(nothing,) * config.num_layers,
            is_valid=torch.zeros_like(no_tokens, dtype=torch.bool),
            has_padding=False,
        )
        return BlockContext(
            settled=settled,
            tail=no_tokens,
            tail_is_valid=settled.is_valid,
            last_hidden=like.new_zeros(batch, config.width),
            has_padding=False,
        )

    def _run(
        self, tokens: Tokens, is_valid: TokenMask, settled: KeyValueCache
    ) -> tuple[Hidden, list[Tensor], list[Tensor]]:
        """Positions after the settled ones, over these and themselves."""
        first = settled.num_valid[:, None]
        positions = (first + is_valid.cumsum(dim=1) - 1).clamp(min=0)
        _check_length(positions, self.backbone.config.context_length)
        block = positions // self.block_length
        if bool(settled.is_valid.all() and is_valid.all() and (block == block[:, :1]).all()):
            return self.backbone(tokens, positions, past=settled)
        own = block_sight(block, block, is_valid)
        own = own | torch.eye(tokens.shape[1], dtype=torch.bool, device=tokens.device)
        earlier = settled.is_valid[:, None, :].expand(-1, tokens.shape[1], -1)
        return self.backbone(tokens, positions, sight=torch.cat([earlier, own], dim=2), past=settled)


def block_sight(query_blocks: Tokens, key_blocks: ContextTokens, key_is_valid: ContextMask) -> Sight:
    """Block-causal sight: a position sees its own block and earlier ones (BD3-LM, arXiv 2503.09573).

    >>> block_sight(torch.tensor([[0, 1]]), torch.tensor([[0, 1]]), torch.tensor([[True, True]])).int().tolist()
    [[[1, 0], [1, 1]]]

    Args:
        query_blocks: Block number of each position that looks.
        key_blocks: Block number of each position that may be seen.
        key_is_valid: False at padding, which nobody sees.

    Returns:
        True where a position may look.
    """
    return (query_blocks[:, :, None] >= key_blocks[:, None, :]) & key_is_valid[:, None, :]


def _padding_sight(is_valid: TokenMask) -> Sight:
    """All see all but padding, which sees itself alone so that its numbers stay finite."""
    itself = torch.eye(is_valid.shape[1], dtype=torch.bool, device=is_valid.device)
    return is_valid[:, None, :] | itself


def _last_valid(hidden: Hidden, is_valid: TokenMask) -> RowStates:
    """The activation of each row's last valid position; of the last position in a row without any."""
    backwards = is_valid.flip(1).int().argmax(dim=1)
    return hidden[torch.arange(hidden.shape[0], device=hidden.device), hidden.shape[1] - 1 - backwards]


def _left_padded(tokens: Tokens, is_chosen: TokenMask) -> tuple[ContextTokens, ContextMask]:
    """The chosen tokens of each row in order, moved to the right end of as few columns as will hold them."""
    width = int(is_chosen.sum(dim=1).max())
    order = is_chosen.int().argsort(dim=1, stable=True)[:, tokens.shape[1] - width :]
    return tokens.gather(1, order), is_chosen.gather(1, order)


def _check_length(positions: Tokens, context_length: int) -> None:
    last = int(positions.max()) + 1 if positions.numel() else 0
    if last > context_length:
        raise ContextLengthError(
            f"context and canvas hold {last} tokens together; this model takes {context_length}; shorten the prompt"
        )
