"""DiffusionGemma: transformers' own class behind our two calls.

One set of weights is used in two ways. As an *encoder* it reads settled text causally and writes keys and values; as a
*decoder* it scores a canvas, bidirectional inside and seeing the whole context (in layers with a sliding window W, the
last W - 1 context tokens, for each canvas position alike). Nothing of the network is written anew here: this module
keeps the context, says who sees whom and where tokens stand, and asks ``DiffusionGemmaForBlockDiffusion``.

Text only: images would go through a part of the encoder that is dropped after loading.
"""

from typing import Any

import torch
from torch import Tensor

from redraft.denoiser.families.encoder_cache import EncoderCache, LayerShape
from redraft.denoiser.protocol import Cache
from redraft.types import ContextMask, ContextTokens, Logits, Probs, TokenMask, Tokens

__all__ = ["DiffusionGemmaDenoiser"]

_CHUNK = 1024  # tokens that the encoder takes at once: a mask over a chunk and its context stays small


class DiffusionGemmaDenoiser:
    """Scores canvases with a loaded DiffusionGemma.

    A segment is read causally, as the published model reads it, not bidirectionally as the protocol allows. Rows of a
    batch may differ in length, with padding anywhere; a row's tokens are numbered from 0, padding left out, so it
    scores as it would alone, up to rounding.

    Args:
        model: A ``DiffusionGemmaForBlockDiffusion`` in evaluation mode, with sdpa attention.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        text = model.config.text_config
        self._shapes = tuple(
            LayerShape(
                num_heads=text.per_layer_config[index].num_key_value_heads,
                head_width=text.per_layer_config[index].head_dim,
                window=text.sliding_window if kind == "sliding_attention" else None,
            )
            for index, kind in enumerate(text.layer_types)
        )
        self._window: int = text.sliding_window
        self._vocab_size: int = text.vocab_size

    @property
    def uses_self_conditioning(self) -> bool:
        """That it wants its last probabilities back: those at the temperature of the draw, as ``generate`` does it."""
        return True

    @property
    def vocab_size(self) -> int:
        """Number of token ids that ``denoise`` scores."""
        return self._vocab_size

    @property
    def canvas_length(self) -> int:
        """Canvas positions that the model was trained on."""
        return self.model.config.canvas_length

    @property
    def context_length(self) -> int:
        """Positions that the model knows, the canvas included."""
        return self.model.config.text_config.max_position_embeddings

    @property
    def device(self) -> torch.device:
        """Where the model lives."""
        return self.model.model.decoder.embed_tokens.weight.device

    @torch.no_grad()
    def encode(
        self, tokens: ContextTokens, cache: Cache | None = None, *, is_valid: ContextMask | None = None
    ) -> EncoderCache:
        """Take one settled segment, or finished canvas, into the context.

        Args:
            tokens: The segment.
            cache: The context before it; None at the start. It is not changed.
            is_valid: False at padding, which nobody sees; None when there is none.

        Returns:
            The context with the segment in it.
        """
        held = self._cache(cache, len(tokens))
        if is_valid is None:
            is_valid = torch.ones_like(tokens, dtype=torch.bool)
        # Causal, so a long segment may come in pieces.
        for start in range(0, tokens.shape[1], _CHUNK):
            piece = slice(start, start + _CHUNK)
            held = self._encode_piece(tokens[:, piece], held, is_valid[:, piece])
        return held

    @torch.no_grad()
    def denoise(self, canvas: Tokens, cache: Cache | None = None, *, self_conditioning: Probs | None = None) -> Logits:
        """Score the clean token at every canvas position.

        Args:
            canvas: The tokens as they are now, random where open.
            cache: The settled context; None when there is none. It is not changed.
            self_conditioning: The last pass's probabilities at its temperature; None at the first pass.

        Returns:
            Logits in float32, after the model's soft cap.
        """
        held = self._cache(cache, len(canvas))
        masks: dict[str, Tensor | None] = {"full_attention": None, "sliding_attention": None}
        positions = torch.arange(canvas.shape[1], device=canvas.device).unsqueeze(0) + held.length
        if held.has_padding:
            seen = torch.cat([held.is_valid, torch.ones_like(canvas, dtype=torch.bool)], dim=1)
            near = min(held.length, self._window - 1) + canvas.shape[1]
            masks = {
                "full_attention": seen[:, None, None, :],
                "sliding_attention": seen[:, None, None, seen.shape[1] - near :],
            }
            positions = positions - (held.length - held.num_valid).unsqueeze(1)
        # The class takes logits and begins with their softmax; that of log p is p.
        last = None if self_conditioning is None else self_conditioning.log()
        scores = self.model(
            decoder_input_ids=canvas,
            self_conditioning_logits=last,
            decoder_attention_mask=masks,
            decoder_position_ids=positions,
            cache=_as_published(held),
        )
        return scores.logits

    def _cache(self, cache: Cache | None, batch: int) -> EncoderCache:
        if cache is None:
            return EncoderCache.empty(self._shapes, batch, dtype=self.model.dtype, device=self.device)
        assert isinstance(cache, EncoderCache), f"DiffusionGemma takes an EncoderCache, not {type(cache).__name__}"
        return cache

    def _encode_piece(self, tokens: Tokens, held: EncoderCache, is_valid: TokenMask) -> EncoderCache:
        """Take a piece of a segment into the context."""
        is_known = torch.cat([held.is_valid, is_valid], dim=1)
        # Rows without padding are all alike, so one serves for all of them.
        alike = is_known[:1] if bool(is_known.all()) else is_known
        positions = alike.long().cumsum(dim=1) - 1
        own = positions[:, held.length :]
        # 1. Who sees whom: earlier tokens and oneself. Padding sees itself too, because seeing nobody gives no number.
        distance = own.unsqueeze(2) - positions.unsqueeze(1)
        rows = torch.arange(own.shape[1], device=tokens.device)
        itself = torch.zeros_like(distance, dtype=torch.bool)
        itself[:, rows, held.length + rows] = True
        seen = (alike.unsqueeze(1) & (distance >= 0)) | itself
        near = (seen & (distance < self._window)) | itself
        columns = min(held.length, self._window - 1) + own.shape[1]
        # 2. Let the encoder append the piece's keys and values to a copy of the context.
        published = _as_published(held)
        self.model.model.encoder(
            input_ids=tokens,
            attention_mask={
                "full_attention": seen.unsqueeze(1),
                "sliding_attention": near.unsqueeze(1)[..., near.shape[2] - columns :],
            },
            position_ids=own.clamp_min(0),
            cache=published,
        )
        # 3. Keep what later tokens may see.
        return held.replaced(
            [layer.keys for layer in published.layers], [layer.values for layer in published.layers], is_known
        )


def _as_published(held: EncoderCache) -> Any:
    """The context as the class wants it. It appends by making new tensors, so what is held here stays as it is."""
    from transformers.cache_utils import Cache as PublishedCache
    from transformers.cache_utils import DynamicLayer

    layers: list[Any] = []
    for keys, values in zip(held.keys, held.values, strict=True):
        layer = DynamicLayer()
        layer.lazy_initialization(keys, values)
        layer.keys, layer.values = keys, values
        layers.append(layer)
    return PublishedCache(layers=layers)
