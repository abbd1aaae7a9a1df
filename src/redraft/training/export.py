"""Hands the averaged weights over as a model folder that ``generate`` can load, with a plain model card."""

from pathlib import Path

from redraft.denoiser import Transformer
from redraft.denoiser.checkpoint import save_checkpoint
from redraft.text import Tokenizer
from redraft.training.config import Recipe
from redraft.training.recipe import recipe_to_dict

__all__ = ["export_model"]

_KINDS = {
    "diffusion": "A Redraft text diffusion model",
    "causal": "An autoregressive model for comparisons (causal, next token)",
    "prefix": "An autoregressive model for comparisons (next token, the prompt read both ways)",
    "one_shot": "A model for comparisons that settles every token in a single pass,",
}
"""How a model card begins, by arm."""


def export_model(
    folder: Path,
    model: Transformer,
    *,
    tokenizer: Tokenizer,
    recipe: Recipe,
    step: int,
    examples: int,
    figures: dict[str, float],
    start_digest: str = "",
) -> str:
    """Write the model folder, replacing an older one at once.

    Args:
        folder: Where it shall stand.
        model: The weights to write.
        tokenizer: Travels with the model.
        recipe: What the model was trained by.
        step: Steps trained.
        examples: Examples seen.
        figures: The last validation's.
        start_digest: Digest of the model that the run started from; empty: random weights.

    Returns:
        The folder's digest.
    """
    num_weights = sum(weight.numel() for weight in model.parameters())
    tasks = ", ".join(dict.fromkeys(entry.task for entry in recipe.data.mixture))
    lines = [
        "# Model card",
        "",
        f"{_KINDS[recipe.arm.name]} of {num_weights:,} weights, trained for {step:,} steps on {examples:,}",
        f"generated examples of the tasks: {tasks}. Every example was made by a program; no text was collected.",
        "",
        "It answers problems of these kinds only. The full recipe is in `config.json` under `extra`.",
    ]
    if start_digest:
        lines += ["", f"Training started from the weights of `{recipe.train.start_from}` (digest `{start_digest}`)."]
    if figures:
        lines += ["", "| held-out figure, while training | value |", "|---|---|"]
        lines += [f"| {name} | {value:.4f} |" for name, value in sorted(figures.items())]
    training = {"step": step, "examples": examples, "figures": figures, "recipe": recipe_to_dict(recipe)}
    if start_digest:
        training["start_digest"] = start_digest
    # Decode on canvases of the length that was trained; the model itself may have room for longer ones.
    length = recipe.data.canvas_length
    sampler = {"canvas_length": length, "max_new_tokens": length, **recipe.arm.sampler}
    if recipe.data.first_width:
        sampler |= {"follow_end": True, "first_width": recipe.data.first_width}
    extra: dict[str, object] = {"sampler": sampler, "training": training}
    if recipe.data.edit.shows_draft:
        extra["editing"] = {"shows_draft": True}
    return save_checkpoint(
        folder,
        model=model,
        tokenizer_json=tokenizer.to_json(),
        card="\n".join(lines) + "\n",
        extra_config=extra,
    )
