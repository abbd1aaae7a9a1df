"""Adapting a public block-diffusion model to texts: what a run trains when its recipe says ``train.start_from``."""

import json
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from redraft.denoiser.carried import carried_files
from redraft.denoiser.families import (
    BlockDenoiser,
    FamilySpec,
    build_denoiser,
    detect_family,
    parameter_shapes,
    published_names,
)
from redraft.denoiser.planned import planned_weight
from redraft.denoiser.published import Published, open_published
from redraft.denoiser.publishing import write_published
from redraft.errors import ConfigError
from redraft.noise import LossParts, denoising_loss
from redraft.text import PublishedTokenizer
from redraft.training.adapt_config import AdaptRecipe
from redraft.training.block_copies import score_copies
from redraft.training.block_noise import NoisedCopies, draw_masks
from redraft.training.corpus import Corpus
from redraft.training.hardware import autocast
from redraft.training.packing import TextBatch
from redraft.training.recipe import recipe_to_dict
from redraft.training.texts import TextStream

__all__ = ["BlockLearner"]

RECORD_NAME = "adaptation.json"
"""Beside the exported weights: the recipe, the step and the last figures."""


class BlockLearner:
    """A backbone with block attention on a folder of texts.

    Args:
        recipe: The run.
        device: Where the model lives.
        dtype: In which type it multiplies; its weights are float32 while they are trained.

    Raises:
        ConfigError: The start is no block-diffusion model that this can train, or does not fit the recipe.
        CheckpointError: The start is damaged.
    """

    def __init__(self, recipe: AdaptRecipe, device: torch.device, dtype: torch.dtype) -> None:
        self.recipe = recipe
        self.start_digest = ""
        self.device = device
        self.dtype = dtype
        self.start = open_published(Path(recipe.train.start_from))
        self.spec = _spec_of(self.start, recipe)
        denoiser = build_denoiser(self.spec, self.start.config, self.start.weights(torch.float32))
        assert isinstance(denoiser, BlockDenoiser), "block families have block denoisers"
        self.model = denoiser.backbone
        shape = self.model.config
        if shape.mixture is not None or shape.has_fused_qkv:
            raise ConfigError(f"{self.spec.name} has mixtures or joined matrices, which are not trained here")
        if recipe.data.row_length > shape.context_length:
            raise ConfigError(
                f"data.row_length={recipe.data.row_length} is longer than the model's {shape.context_length} positions"
            )
        for weight in self.model.parameters():
            weight.data = weight.data.to(device, copy=True)  # mapped weights would change with the start's files
        self.model.requires_grad_(True).train()
        self.forward: nn.Module = self.model
        if recipe.train.compile:
            self.forward = torch.compile(self.model, dynamic=True)  # pyright: ignore[reportAttributeAccessIssue]
        corpus = Corpus(Path(recipe.data.folder), recipe.data.held_out_share)
        self.stream = self._stream(corpus)
        dev = self._stream(corpus, is_held_out=True)
        num_held_out = recipe.train.validate_batches if corpus.dev else 0
        self.held_out = [dev.next(1.0) for _ in range(num_held_out)]

    def warm_start(self) -> None:
        """Nothing to do: the weights were read with the shape."""

    def losses(self, batch: TextBatch, rng: torch.Generator, progress: float) -> Iterator[LossParts]:
        """Score a batch in parts of ``train.micro_rows`` rows, whose losses add up to the mean over the batch."""
        del progress
        noised = draw_masks(batch, self.recipe.noise, rng)
        num_scored = max(1, int(noised.is_scored.sum()))
        for part, copies in self._parts(batch, noised):
            parts = self._score(part, copies)
            share = int(parts.num_corrupted) / num_scored
            yield LossParts(
                total=parts.total * share,
                corrupted_nats=parts.corrupted_nats * share,
                clean_nats=parts.clean_nats,
                num_corrupted=parts.num_corrupted,
                num_clean=parts.num_clean,
            )

    def flops(self, batch: TextBatch) -> float:
        """Six operations per weight and position of every copy, attention left out; the head scores each token once."""
        copies = 3 if self.recipe.noise.is_complementary else 2
        shapes = parameter_shapes(self.model.config)
        inner = sum(shape[0] * shape[1] for name, shape in shapes.items() if name.startswith("layers") and shape[1:])
        head = self.model.config.vocab_size * self.model.config.width
        return 6.0 * batch.num_tokens * (copies * inner + head)

    @torch.no_grad()
    def measure(self) -> dict[str, float]:
        """Score held-out texts with whole blocks hidden, and with each half of them hidden.

        Returns:
            ``all_mask_nats`` and ``half_mask_nats`` per supervised token; nothing without held-out texts.
        """
        rng = torch.Generator().manual_seed(self.recipe.data.seed)
        sums = {"all_mask_nats": 0.0, "half_mask_nats": 0.0}
        count = 0
        for batch in self.held_out:
            half = torch.rand(batch.tokens.shape, generator=rng) < 0.5
            masks = {"all_mask_nats": torch.ones_like(half)[None], "half_mask_nats": torch.stack([half, ~half])}
            count += int(batch.is_supervised.sum())
            for name, is_masked in masks.items():
                noised = NoisedCopies(is_masked=is_masked, is_scored=is_masked & batch.is_supervised)
                for part, copies in self._parts(batch, noised):
                    parts = self._score(part, copies)
                    sums[name] += float(parts.corrupted_nats) * int(parts.num_corrupted)
        return {name: total / count for name, total in sums.items()} if count else {}

    def export(self, folder: Path, *, step: int, examples: int, figures: dict[str, float]) -> None:
        """Write the weights in the start's layout and type, with its tokenizer, and say what was done to them."""
        shape = self.model.config
        weights = dict(self.model.named_parameters())
        names = published_names(self.spec, shape)
        kinds = {name: self.start.tensors[published].dtype for name, published in names.items()}
        tensors = [
            planned_weight(names[name], tuple(weight.shape), kinds[name] or torch.float32, lambda weight=weight: weight)
            for name, weight in weights.items()
        ]
        record = {"step": step, "rows": examples, "figures": figures, "recipe": recipe_to_dict(self.recipe)}
        files = carried_files(self.start.folder) | {
            "config.json": (json.dumps(self.start.config, indent=2, ensure_ascii=False) + "\n").encode(),
            RECORD_NAME: (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode(),
            "README.md": _card(self.spec, step, examples * self.recipe.data.row_length).encode(),
        }
        write_published(folder, tensors, files, is_replacing=True)

    def _stream(self, corpus: Corpus, *, is_held_out: bool = False) -> TextStream:
        vocab_size = self.model.config.vocab_size
        # Fast-dLLM v2 names an end that a smaller vocabulary lacks.
        ends = tuple(token for token in self.spec.end_token_ids if token < vocab_size)
        tokenizer = PublishedTokenizer.load(
            self.start.folder, mask_token_id=self.spec.mask_token_id, end_token_ids=ends
        )
        return TextStream(
            corpus,
            self.recipe.data,
            tokenizer.encode,
            block_length=self.recipe.noise.block_length,
            end=tokenizer.special.end_of_text,
            indices=corpus.dev if is_held_out else corpus.train,
        )

    def _parts(self, batch: TextBatch, noised: NoisedCopies) -> Iterator[tuple[TextBatch, NoisedCopies]]:
        step = self.recipe.train.micro_rows or batch.num_rows
        for begin in range(0, batch.num_rows, step):
            copies = NoisedCopies(
                is_masked=noised.is_masked[:, begin : begin + step], is_scored=noised.is_scored[:, begin : begin + step]
            )
            if bool(copies.is_scored.any()):  # rarely, a part without complement hides nothing
                yield batch.rows(begin, begin + step), copies

    def _score(self, batch: TextBatch, noised: NoisedCopies) -> LossParts:
        assert self.spec.mask_token_id is not None and self.spec.block_length is not None  # noqa: PT018
        on_device = batch.to(self.device)
        copies = NoisedCopies(is_masked=noised.is_masked.to(self.device), is_scored=noised.is_scored.to(self.device))
        with autocast(self.device, self.dtype):
            logits = score_copies(
                self.forward,  # pyright: ignore[reportArgumentType]
                on_device,
                copies,
                mask_token_id=self.spec.mask_token_id,
                block_length=self.spec.block_length,
                is_shifted=self.spec.is_shifted,
            )
        targets = on_device.tokens.expand(copies.is_scored.shape)[copies.is_scored]
        return denoising_loss(logits, targets, torch.ones_like(targets, dtype=torch.bool))


def _spec_of(start: Published, recipe: AdaptRecipe) -> FamilySpec:
    """The start's family, which must be one that this can train and agree with the recipe."""
    spec = detect_family(
        start.config, tokenizer_config=start.tokenizer_config, generation_config=start.generation_config
    )
    if spec.attention != "block" or spec.noise != "masked":
        raise ConfigError(
            f"train.start_from is a {spec.name} with {spec.attention} attention; block-diffusion models with a mask "
            "are trained here: make one of a Qwen or Llama with redraft convert --to block-diffusion"
        )
    if spec.block_length != recipe.noise.block_length:
        raise ConfigError(
            f"noise.block_length={recipe.noise.block_length}, and the checkpoint's blocks have {spec.block_length} "
            "positions; let them agree (redraft convert --block-length)"
        )
    if spec.mask_token_id is None:
        raise ConfigError("train.start_from names no mask token; convert it again with --to block-diffusion")
    return spec


def _card(spec: FamilySpec, step: int, num_tokens: int) -> str:
    return (
        "# Model card\n\n"
        f"A block-diffusion model of the family {spec.name}, blocks of {spec.block_length}, trained with Redraft from\n"
        f"another checkpoint for {step:,} steps on about {num_tokens:,} tokens, padding included. What it was trained\n"
        f"on and how is in `{RECORD_NAME}`. The licence and the limits of the checkpoint that it was made from hold\n"
        "for it too.\n"
    )
