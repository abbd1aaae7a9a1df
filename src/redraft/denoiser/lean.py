"""The native transformer laid out for answering: the same function to within rounding, in half the operations.

``Transformer`` is what is trained and read; this is what the engine asks. A pass here scores only the positions that
somebody wants to know about: the last layer, the head and all that follows leave the others out, which changes no bit
of the scores that are left (``docs/speed.md``). Its contexts hold keys in its own order of axes, so they are no use to
a ``Transformer``, nor its to this.
"""

import math
import time

import torch
from torch import Tensor

from redraft.denoiser.attention import Bias, keep_self_visible, padding_bias
from redraft.denoiser.cache import HeadRows, KeyValueCache, SeenRows
from redraft.denoiser.elementwise import normalised
from redraft.denoiser.int8_matrix import Int8Matrix, Matrix, product
from redraft.denoiser.lean_layer import HeadRotations, LeanLayer, Rows, unit
from redraft.denoiser.protocol import Places, Sketch, SomeLogits
from redraft.denoiser.threads import ThreadTuner
from redraft.denoiser.transformer import Layer, Transformer
from redraft.errors import ContextLengthError
from redraft.types import Logits, Probs, TokenMask, Tokens

__all__ = ["LeanTransformer"]


class LeanTransformer:
    """Answers as a transformer does; implements ``Denoiser`` and ``ScoresSome``.

    Weights are copied: later changes of the model's have no effect here.

    Args:
        model: A transformer that ``fits``.
        tuner: Told how long each pass took; None for nobody.
        is_int8: Multiply in whole numbers, to within a percent of the same scores (``redraft.denoiser.int8_matrix``).
    """

    def __init__(self, model: Transformer, tuner: ThreadTuner | None = None, *, is_int8: bool = False) -> None:
        assert self.fits(model), "this layout is for transformers in float32 that are not causal"
        config = model.config
        self._tuner = tuner
        self._model, self._config = model, config
        prelude, loop, coda = (_lean(part, is_int8) for part in (model.prelude, model.loop, model.coda))
        again = [(layer, place == 0) for place, layer in enumerate(loop)]
        first = [(layer, False) for layer in [*prelude, *loop]]
        self._visits = [*first, *again * (config.num_loops - 1), *((layer, False) for layer in coda)]
        self._num_before_loop = len(prelude)
        head = (model.head.weight.detach() * math.sqrt(config.width)).t().contiguous()
        self._head: Matrix = Int8Matrix.of(head) if is_int8 else head
        places = torch.arange(config.context_length + config.canvas_length, device=head.device)
        angles = places[:, None].float() * model.rope_frequencies
        self._rotations = torch.polar(torch.full_like(angles, (2 * angles.shape[1]) ** 0.25), angles)

    @staticmethod
    def fits(model: Transformer) -> bool:
        """Whether a model can be laid out so."""
        return not model.config.is_causal and model.head.weight.dtype == torch.float32

    @property
    def vocab_size(self) -> int:
        """Number of token ids that ``denoise`` scores."""
        return self._config.vocab_size

    @property
    def uses_self_conditioning(self) -> bool:
        """Whether ``denoise`` makes use of the last pass's probabilities."""
        return self._config.uses_self_conditioning

    @torch.no_grad()
    def encode(
        self, tokens: Tokens, cache: KeyValueCache | None = None, *, is_valid: TokenMask | None = None
    ) -> KeyValueCache:
        """Take one settled segment into the context; see ``Denoiser.encode``.

        Args:
            tokens: The segment.
            cache: The context before it, made here; not changed.
            is_valid: False at padding; None when there is none.

        Returns:
            The context with the segment in it.

        Raises:
            ContextLengthError: If the context would outgrow the model.
        """
        length, num_before = tokens.shape[1], 0 if cache is None else cache.length
        self._check_context(num_before + length)
        valid = torch.ones_like(tokens, dtype=torch.bool) if is_valid is None else is_valid
        seen = None
        if is_valid is not None or (cache is not None and cache.has_padding):
            seen = valid if cache is None else torch.cat([cache.is_valid, valid], dim=1)
        model = self._model
        x_BLD = normalised(model.embedding(tokens) + model.place_value(model.place_values(tokens)))
        sight = _Sight(cache, seen, length, self._rotations, is_segment=True)
        x_ND = self._run(x_BLD.flatten(0, 1), tokens.shape[0], sight)
        # Nobody asks what the last layer makes of a context: its keys and values are all that is needed.
        sight.with_context(*self._visits[-1][0].keys_values(unit(x_ND), sight.rotations, tokens.shape[0]))
        if cache is None:
            keys, values = tuple(sight.keys), tuple(sight.values)
            has_padding = is_valid is not None and not bool(is_valid.all())
            return KeyValueCache(keys=keys, values=values, is_valid=valid, has_padding=has_padding)
        return cache.extended(sight.keys, sight.values, valid)

    def denoise(
        self, canvas: Tokens, cache: KeyValueCache | None = None, *, self_conditioning: Probs | None = None
    ) -> Logits:
        """Score the clean token at every canvas position; see ``Denoiser.denoise``."""
        return self.denoise_some(canvas, None, cache, self_conditioning=self_conditioning)

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
        """Score the clean token at some canvas positions; see ``ScoresSome``.

        Args:
            canvas: The tokens as they are now.
            places: Which positions; None for all.
            cache: The settled context, made here.
            self_conditioning: Probabilities of the pass before, at every position.
            sketch: What is behind the canvas.

        Returns:
            Logits of those positions, in the order of ``places``.
        """
        since = time.perf_counter()
        batch, length = canvas.shape
        if sketch is not None:
            assert self_conditioning is None, "nobody has probabilities of what is sketched"
            places = torch.arange(length, device=canvas.device).expand(batch, -1) if places is None else places
            behind = canvas.new_full((batch, len(sketch.places)), sketch.mask_token_id)
            canvas = torch.cat([canvas, behind], dim=1)
            length = canvas.shape[1]
        seen = None
        if cache is not None and cache.has_padding:
            seen = torch.cat([cache.is_valid, cache.is_valid.new_ones(batch, length)], dim=1)
        sight = _Sight(cache, seen, length, self._rotations, is_segment=False, sketch=sketch)
        x_ND = self._run(self._embed(canvas, self_conditioning, sketch).flatten(0, 1), batch, sight)
        last, _ = self._visits[-1]
        n_ND, rotations = unit(x_ND), sight.rotations
        seen_keys_values = sight.with_context(*last.keys_values(n_ND, rotations, batch))
        if places is not None:
            rows = (places + torch.arange(batch, device=places.device)[:, None] * length).flatten()
            x_ND, n_ND = x_ND[rows], n_ND[rows]
            rotations = rotations.expand(batch, -1, 1, 1, -1).flatten(0, 1)[rows].view(*places.shape, 1, 1, -1)
        x_ND = last.finish_(x_ND, last.queries(n_ND, rotations, batch), *seen_keys_values, sight.bias)
        logits = product(unit(x_ND), self._head).view(batch, -1, self.vocab_size)
        if self._tuner is not None:
            self._tuner.note(batch * length, time.perf_counter() - since)
        return logits

    def _check_context(self, length: int) -> None:
        most = self._config.context_length
        if length > most:
            raise ContextLengthError(
                f"the context would hold {length} tokens; this model takes {most}; shorten the prompt"
            )

    def _check_canvas(self, length: int) -> None:
        if length > self._config.canvas_length:
            raise ContextLengthError(
                f"the canvas has {length} positions; this model takes {self._config.canvas_length}"
            )

    def _embed(self, canvas: Tokens, self_conditioning: Probs | None, sketch: Sketch | None) -> Tensor:
        model = self._model
        self._check_canvas(canvas.shape[1])
        slots = model.canvas_position.weight[: canvas.shape[1]]
        if sketch is not None:
            num_near = canvas.shape[1] - len(sketch.places)
            slots = torch.cat([slots[:num_near], model.canvas_position.weight[sketch.places]])
        x_BCD = model.embedding(canvas) + slots
        if model.self_conditioning is not None and self_conditioning is not None:
            x_BCD = x_BCD + model.self_conditioning(self_conditioning.to(x_BCD.dtype) @ model.embedding.weight)
        return normalised(x_BCD)

    def _run(self, x_ND: Rows, batch: int, sight: "_Sight") -> Rows:
        """All visits but the last layer's own, whose input is returned."""
        injected = None
        for visit, (layer, is_again) in enumerate(self._visits):
            if visit == self._num_before_loop and self._model.loop_injection is not None:
                injected = x_ND.clone()
            if is_again and injected is not None and self._model.loop_injection is not None:
                x_ND.addcmul_(injected, self._model.loop_injection)
            if visit < len(self._visits) - 1:
                q_BHLK, k_BHLK, v_BHLK = layer.queries_keys_values(unit(x_ND), sight.rotations, batch)
                layer.finish_(x_ND, q_BHLK, *sight.with_context(k_BHLK, v_BHLK), sight.bias)
        return x_ND


class _Sight:
    """Who is seen in one call, and what is remembered of it."""

    def __init__(
        self,
        cache: KeyValueCache | None,
        seen: TokenMask | None,
        length: int,
        rotations: Tensor,
        *,
        is_segment: bool,
        sketch: Sketch | None = None,
    ) -> None:
        self._cache = cache
        self.keys: list[HeadRows] = []
        self.values: list[HeadRows] = []
        self.bias: Bias | None = None
        num_seen = length + (0 if cache is None else cache.length)
        if seen is None:
            self.rotations: HeadRotations = rotations[None, num_seen - length : num_seen, None, None]
        else:
            self.rotations = rotations[(seen.cumsum(dim=1)[:, -length:] - 1).clamp_min(0)][:, :, None, None]
            hidden = padding_bias(seen, torch.float32)
            self.bias = keep_self_visible(hidden, length) if is_segment else hidden
        if sketch is not None:
            first = num_seen - length if seen is None else seen[:, :-length].sum(dim=1)[:, None]
            behind = (first + sketch.places).view(-1, len(sketch.places))
            near = self.rotations[:, : length - len(sketch.places)]
            self.rotations = torch.cat([near, rotations[behind][:, :, None, None]], dim=1)
            # exp(score + log n) = n exp(score): as if n equal positions stood there.
            weight = torch.zeros(num_seen, device=rotations.device)
            weight[-len(sketch.places) :] = sketch.counts.log()
            self.bias = weight.view(1, 1, 1, -1) if self.bias is None else self.bias + weight

    def with_context(self, k_BHLK: HeadRows, v_BHLK: HeadRows) -> tuple[SeenRows, SeenRows]:
        """Remember one visit's keys and values; return them behind those of the context."""
        visit = len(self.keys)
        self.keys.append(k_BHLK)
        self.values.append(v_BHLK)
        if self._cache is None:
            return k_BHLK, v_BHLK
        held = self._cache
        return torch.cat([held.keys[visit], k_BHLK], dim=2), torch.cat([held.values[visit], v_BHLK], dim=2)


def _lean(part: torch.nn.ModuleList, is_int8: bool) -> list[LeanLayer]:
    layers: list[LeanLayer] = []
    for layer in part:
        assert isinstance(layer, Layer), f"a part of the transformer is made of layers, not {type(layer).__name__}"
        layers.append(LeanLayer.of(layer, is_int8=is_int8))
    return layers
