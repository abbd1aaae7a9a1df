"""The native transformer as two programs that torch can compile: plain operations, every length left open.

The same functions as ``LeanTransformer``'s to within rounding, for one row: a pass over a canvas with a context, and
encoding the first segment of one. Matrices and tables are arguments, so what is compiled serves all models of the same
shape. Letters as in ``redraft.types``; C counts the context's positions, L the canvas's and P those that are scored.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from redraft.denoiser.int8 import quantise_rows
from redraft.denoiser.transformer import Layer, Transformer

__all__ = ["FEWEST", "EncodeProgram", "PassProgram", "ProgramShape", "samples", "tables_of"]

FEWEST = 2
"""Least of each length: a compiler takes a length of one for a constant."""

_MOST = 1 << 16
"""Most of each length."""

# Both numbers stand in other files, too. What was compiled is found again by the hash of this file, so all that is
# computed has to stand in it.
_LEAST_LENGTH = 1e-4
"""As in the transformer: shorter rows are not stretched to full length."""

_LEAST_SIZE = 1e-30
"""As in ``Int8Matrix``: rows that are smaller everywhere count as zero when they are rounded."""

_TOKENS, _SLOTS, _PLACE_VALUES, _COSINES, _SINES, _MATRICES = range(6)
"""Places in the list of tables."""

CanvasIds = Int[Tensor, " canvas"]
"""Token ids, or positions of the whole canvas."""

CanvasWeights = Float[Tensor, " canvas"]
"""A number for each."""

ScoredPlaces = Int[Tensor, " scored"]
"""Indices into the row's canvas as it is given."""

ScoredLogits = Float[Tensor, "scored vocab"]
"""Scores of each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgramShape:
    """What is fixed in a program."""

    num_layers: int
    """Layers, each visited once."""
    num_heads: int
    """Attention heads."""
    width: int
    """Of the residual stream."""
    mlp_width: int
    """Inside the MLP."""
    vocab_size: int
    """Token ids that are scored."""
    is_int8: bool
    """Whether products but attention's are in whole numbers."""

    @classmethod
    def of(cls, model: Transformer, *, is_int8: bool) -> "ProgramShape | None":
        """The shape of a model; None if it has loops or self-conditioning, which no program knows."""
        config = model.config
        if config.is_causal or config.num_loop_layers or config.num_coda_layers or config.uses_self_conditioning:
            return None
        return cls(
            num_layers=config.num_prelude_layers,
            num_heads=config.num_heads,
            width=config.width,
            mlp_width=config.mlp_multiple * config.width,
            vocab_size=config.vocab_size,
            is_int8=is_int8,
        )


def tables_of(model: Transformer, *, is_int8: bool) -> list[Tensor]:
    """What programs read of a model: embeddings, rotations, and the matrices of all layers on top of each other.

    Args:
        model: It has a ``ProgramShape``.
        is_int8: Round matrices, each column with a scale of its own.

    Returns:
        Embeddings of tokens, canvas positions and place values, cosines and sines by place, then matrices, each
        followed by its columns' scales if it is rounded: into attention, into the MLP, out of it, the head, out of
        attention.
    """
    config = model.config
    stretch = math.sqrt(config.width)
    places = torch.arange(config.context_length + config.canvas_length)
    angles = places[:, None].float() * model.rope_frequencies
    size = config.head_width**0.25  # of queries and keys, so that two agree by sqrt(K) at most
    layers = [layer for layer in model.prelude if isinstance(layer, Layer)]
    tables = [table.weight.detach() for table in (model.embedding, model.canvas_position, model.place_value)]
    tables += [angles.cos() * size, angles.sin() * size]
    for weights in (
        [layer.attention.qkv.weight * stretch for layer in layers],
        [layer.mlp_in.weight * stretch for layer in layers],
        [layer.mlp_out.weight for layer in layers],
        [model.head.weight * stretch],
        [layer.attention.out.weight for layer in layers],
    ):
        if is_int8:
            whole, scales = zip(*(quantise_rows(weight.detach()) for weight in weights), strict=True)
            tables += [torch.stack([one.t().contiguous() for one in whole]), torch.stack(scales)]
        else:
            tables.append(torch.stack([weight.detach().t().contiguous() for weight in weights]))
    return tables


class _Layers(nn.Module):
    """What both programs have in common."""

    def __init__(self, shape: ProgramShape) -> None:
        super().__init__()
        self._shape = shape

    def _projected(self, x_LD: Tensor, tables: list[Tensor], layer: int, turn: tuple[Tensor, Tensor]) -> list[Tensor]:
        """Queries ``[L, H, K]``, keys and values ``[H, L, K]`` of a layer."""
        width = tables[_COSINES].shape[1] * 2
        qkv = self._product(_unit(x_LD), tables, 0, layer).view(-1, 3, self._shape.num_heads, width)
        return [_turned(qkv[:, 0], *turn), _turned(qkv[:, 1], *turn).transpose(0, 1), qkv[:, 2].transpose(0, 1)]

    def _finished(
        self, x_LD: Tensor, q_LHK: Tensor, k_HSK: Tensor, v_HSK: Tensor, bias: Tensor, tables: list[Tensor], layer: int
    ) -> Tensor:
        """The residual stream behind attention and MLP."""
        # Scores are bounded by sqrt(K), so no maximum has to be taken off before exp.
        agreement = (torch.bmm(q_LHK.transpose(0, 1), k_HSK.transpose(1, 2)) + bias).exp()
        mixed = torch.bmm(agreement, v_HSK) / agreement.sum(dim=-1, keepdim=True)
        x_LD = x_LD + self._product(mixed.transpose(0, 1).reshape(-1, self._shape.width), tables, 4, layer)
        return x_LD + self._product(self._product(_unit(x_LD), tables, 1, layer).relu().square(), tables, 2, layer)

    def _product(self, x: Tensor, tables: list[Tensor], index: int, layer: int) -> Tensor:
        """Rows times one of a layer's matrices, in whole numbers if it has scales."""
        if not self._shape.is_int8:
            return torch.mm(x, tables[_MATRICES + index][layer])
        whole, scales = tables[_MATRICES + 2 * index : _MATRICES + 2 * index + 2]
        size = x.abs().amax(dim=-1, keepdim=True).clamp_min(_LEAST_SIZE)
        summed = torch.ops.aten._int_mm((x * (127 / size)).round().to(torch.int8), whole[layer])
        return summed.to(torch.float32) * (scales[layer] * (size / 127))


class PassProgram(_Layers):
    """Scores some positions of one row."""

    def forward(
        self,
        tokens: CanvasIds,
        slots: CanvasIds,
        weights: CanvasWeights,
        wanted: ScoredPlaces,
        tables: list[Tensor],
        keys: list[Tensor],
        values: list[Tensor],
    ) -> ScoredLogits:
        """One pass.

        Args:
            tokens: What stands on the canvas ``[L]``.
            slots: Which position of the whole canvas each of them has ``[L]``.
            weights: As how many positions each is attended to ``[L]``.
            wanted: Which of them to score ``[P]``.
            tables: Of ``tables_of``.
            keys: Of the context ``[H, C, K]``, one entry per layer, as ``EncodeProgram`` gives them.
            values: Likewise.

        Returns:
            Logits ``[P, V]``.
        """
        num_seen = keys[0].shape[1]
        turn = (tables[_COSINES][slots + num_seen][:, None], tables[_SINES][slots + num_seen][:, None])
        bias_S = torch.cat([weights.new_zeros(num_seen), weights.log()])
        x_LD = _unit(tables[_TOKENS][tokens] + tables[_SLOTS][slots]) * math.sqrt(self._shape.width)
        for layer in range(self._shape.num_layers):
            q_LHK, k_HLK, v_HLK = self._projected(x_LD, tables, layer, turn)
            if layer == self._shape.num_layers - 1:
                q_LHK, x_LD = q_LHK[wanted], x_LD[wanted]
            k_HSK, v_HSK = torch.cat([keys[layer], k_HLK], dim=1), torch.cat([values[layer], v_HLK], dim=1)
            x_LD = self._finished(x_LD, q_LHK, k_HSK, v_HSK, bias_S, tables, layer)
        return self._product(_unit(x_LD), tables, 3, 0)


class EncodeProgram(_Layers):
    """Takes the first segment of one row into its context."""

    def forward(
        self, tokens: CanvasIds, place_values: CanvasIds, weights: CanvasWeights, tables: list[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Encode.

        Args:
            tokens: The segment ``[C]``.
            place_values: Of ``Transformer.place_values`` ``[C]``.
            weights: As how many positions each is attended to: 0 for what only fills up ``[C]``.
            tables: Of ``tables_of``.

        Returns:
            Keys, axis i beside axis i + K / 2, and values of all layers ``[layers, H, C, K]``.
        """
        length, bias_C = tokens.shape[0], weights.log()
        turn = (tables[_COSINES][:length, None], tables[_SINES][:length, None])
        x_LD = _unit(tables[_TOKENS][tokens] + tables[_PLACE_VALUES][place_values]) * math.sqrt(self._shape.width)
        keys: list[Tensor] = []
        values: list[Tensor] = []
        for layer in range(self._shape.num_layers):
            q_LHK, k_HLK, v_HLK = self._projected(x_LD, tables, layer, turn)
            keys.append(k_HLK)
            values.append(v_HLK)
            # Nobody asks what the last layer makes of a context.
            if layer < self._shape.num_layers - 1:
                x_LD = self._finished(x_LD, q_LHK, k_HLK, v_HLK, bias_C, tables, layer)
        return torch.stack(keys), torch.stack(values)


def _unit(x: Tensor) -> Tensor:
    # One division for a row, since a product for each element takes less time.
    return x * torch.linalg.vector_norm(x, dim=-1, keepdim=True).clamp_min(_LEAST_LENGTH).reciprocal()


def _turned(x_LHK: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Queries or keys of length K^(1/4), rotated by their places (RoPE, arXiv 2104.09864), in halves."""
    first, second = _unit(x_LHK).chunk(2, dim=-1)
    return torch.cat([first * cosines - second * sines, first * sines + second * cosines], dim=-1)


def samples(shape: ProgramShape) -> dict[str, tuple[nn.Module, tuple[Any, ...], tuple[Any, ...]]]:
    """Each program with arguments of the right kinds, all zeros, and which axes of them have no fixed length.

    Args:
        shape: The programs'.

    Returns:
        ``pass`` and ``encode``, each with what ``torch.export`` needs to trace it.
    """
    num_tokens, num_wanted, num_seen = 24, 10, 17
    dims = ("canvas", "scored", "seen", "slots", "place_values", "places")
    canvas, scored, seen, slots, place_values, places = (torch.export.Dim(name, min=FEWEST, max=_MOST) for name in dims)
    tables = _sample_tables(shape)
    of_tables = [{}, {0: slots}, {0: place_values}, {0: places}, {0: places}, *({} for _ in tables[_MATRICES:])]
    context = [torch.zeros(shape.num_heads, num_seen, shape.width // shape.num_heads) for _ in range(shape.num_layers)]
    of_context = [{1: seen} for _ in context]

    def ids(count: int) -> Tensor:
        return torch.zeros(count, dtype=torch.int64)

    on_canvas = (ids(num_tokens), ids(num_tokens), torch.ones(num_tokens), ids(num_wanted))
    of_canvas = ({0: canvas}, {0: canvas}, {0: canvas}, {0: scored})
    values = [torch.zeros_like(keys) for keys in context]
    return {
        "pass": (
            PassProgram(shape),
            (*on_canvas, tables, context, values),
            (*of_canvas, of_tables, of_context, [{1: seen} for _ in values]),
        ),
        "encode": (
            EncodeProgram(shape),
            (ids(num_seen), ids(num_seen), torch.ones(num_seen), tables),
            ({0: seen}, {0: seen}, {0: seen}, of_tables),
        ),
    }


def _sample_tables(shape: ProgramShape) -> list[Tensor]:
    """Zeros, shaped as ``tables_of`` gives them."""
    num_slots, num_place_values, num_places = 100, 5, 300
    head_width = shape.width // shape.num_heads
    tables = [torch.zeros(rows, shape.width) for rows in (shape.vocab_size, num_slots, num_place_values)]
    tables += [torch.zeros(num_places, head_width // 2) for _ in range(2)]
    sizes = [(shape.width, 3 * shape.width), (shape.width, shape.mlp_width), (shape.mlp_width, shape.width)]
    stacks = [(shape.num_layers, size) for size in sizes] + [(1, (shape.width, shape.vocab_size))]
    for count, (rows, columns) in [*stacks, (shape.num_layers, (shape.width, shape.width))]:
        tables.append(torch.zeros(count, rows, columns, dtype=torch.int8 if shape.is_int8 else torch.float32))
        tables += [torch.zeros(count, columns)] if shape.is_int8 else []
    return tables
