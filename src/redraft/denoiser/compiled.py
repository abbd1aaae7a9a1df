"""A transformer whose passes and prompts go through compiled programs; all else is as in the layout for answering.

A pass of a small model is some three hundred short operations, and calling them takes longer than most of them do.
Compiled they are a few dozen loops and calls (``docs/speed.md``).
"""

import time
from collections import OrderedDict
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from redraft.denoiser.cache import KeyValueCache
from redraft.denoiser.lean import LeanTransformer
from redraft.denoiser.pass_program import FEWEST, ProgramShape, tables_of
from redraft.denoiser.program_store import Programs
from redraft.denoiser.protocol import Places, Sketch, SomeLogits
from redraft.denoiser.threads import ThreadTuner
from redraft.denoiser.transformer import Transformer
from redraft.types import Probs, TokenMask, Tokens

__all__ = ["CompiledTransformer"]

_LEAST_ROWS = 16
"""Shorter prompts are filled up: products of few rows may be taken another way by the number of threads."""

_MAX_CONTEXTS = 32
"""Contexts that are kept in the program's order of axes; each takes as much memory as the context itself."""


_Rows = list[tuple[list[Tensor], list[Tensor]]]
"""Keys and values of each row, as programs take them."""


class CompiledTransformer(LeanTransformer):
    """Answers as a ``LeanTransformer`` does, to within rounding, in about half the time.

    Rows go through the programs one by one, so that none of them gets other bits in company. What no program knows is
    not compiled, in company neither: padding, a pass without a context, a segment behind another one, lengths of one.

    Args:
        model: A transformer that has a ``ProgramShape``.
        programs: Of that shape.
        tuner: Told how long each pass took; None for nobody.
        is_int8: Multiply in whole numbers.
    """

    def __init__(
        self, model: Transformer, programs: Programs, tuner: ThreadTuner | None = None, *, is_int8: bool = False
    ) -> None:
        super().__init__(model, tuner, is_int8=is_int8)
        assert ProgramShape.of(model, is_int8=is_int8) is not None, "no program knows such a model"
        self._programs = programs
        self._tables = tables_of(model, is_int8=is_int8)
        self._contexts: OrderedDict[int, tuple[KeyValueCache, _Rows]] = OrderedDict()

    @torch.no_grad()
    def encode(
        self, tokens: Tokens, cache: KeyValueCache | None = None, *, is_valid: TokenMask | None = None
    ) -> KeyValueCache:
        """Take one settled segment into the context; see ``Denoiser.encode``."""
        if cache is not None or is_valid is not None or tokens.shape[1] < FEWEST:
            return super().encode(tokens, cache, is_valid=is_valid)
        length = tokens.shape[1]
        self._check_context(length)
        filler = max(0, _LEAST_ROWS - length)
        places = F.pad(self._model.place_values(tokens), (0, filler))
        weights = F.pad(torch.ones(length), (0, filler))
        rows = zip(F.pad(tokens, (0, filler)), places, strict=True)
        keys_values = [self._programs.encode(row.contiguous(), place, weights, self._tables) for row, place in rows]
        keys, values = (torch.stack(one, dim=1)[..., :length, :].contiguous() for one in zip(*keys_values, strict=True))
        side_by_side = keys.unflatten(-1, (2, -1)).transpose(-1, -2).flatten(-2)
        made = KeyValueCache(
            keys=side_by_side.unbind(),
            values=values.unbind(),
            is_valid=torch.ones_like(tokens, dtype=torch.bool),
            has_padding=False,
        )
        self._keep(made, keys.unbind(), values.unbind())
        return made

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
        batch, length = canvas.shape
        if cache is None or cache.has_padding or min(cache.length, length) < FEWEST:
            return super().denoise_some(canvas, places, cache, self_conditioning=self_conditioning, sketch=sketch)
        since = time.perf_counter()
        self._check_canvas(length + (0 if sketch is None else len(sketch.places)))
        slots = torch.arange(length)
        wanted = slots.expand(batch, -1) if places is None else places
        weights = torch.ones(length)
        if sketch is not None:
            behind = canvas.new_full((batch, len(sketch.places)), sketch.mask_token_id)
            canvas = torch.cat([canvas, behind], dim=1)
            slots = torch.cat([slots, sketch.places])
            weights = torch.cat([weights, sketch.counts])
        num_wanted = wanted.shape[1]
        if num_wanted < FEWEST:
            wanted = wanted.repeat(1, FEWEST)
        rows: list[Tensor] = []
        for row, (keys, values) in enumerate(self._rows_of(cache)):
            # A program takes it for granted that its arguments are contiguous; what is not would be misread.
            tokens, chosen = canvas[row].contiguous(), wanted[row].contiguous()
            rows.append(self._programs.score(tokens, slots, weights, chosen, self._tables, keys, values)[:num_wanted])
        if self._tuner is not None:
            self._tuner.note(batch * canvas.shape[1], time.perf_counter() - since)
        return rows[0][None] if batch == 1 else torch.stack(rows)

    def _rows_of(self, cache: KeyValueCache) -> _Rows:
        """Keys and values of each row, axis i of the keys beside axis i + K / 2; a context comes many times."""
        known = self._contexts.get(id(cache))  # it is held there, so no other context has its id
        if known is None:
            keys = [torch.cat([layer[..., 0::2], layer[..., 1::2]], dim=-1) for layer in cache.keys]
            return self._keep(cache, keys, [layer.contiguous() for layer in cache.values])
        self._contexts.move_to_end(id(cache))
        return known[1]

    def _keep(self, cache: KeyValueCache, keys: Sequence[Tensor], values: Sequence[Tensor]) -> _Rows:
        of_rows = (zip(*(layer.unbind() for layer in layers), strict=True) for layers in (keys, values))
        rows = [([*of_keys], [*of_values]) for of_keys, of_values in zip(*of_rows, strict=True)]
        self._contexts[id(cache)] = (cache, rows)
        while len(self._contexts) > _MAX_CONTEXTS:
            self._contexts.popitem(last=False)
        return rows
