"""The weighted mean of models that one was trained from the other: what a later stage learned, and what it forgot.

``python -m redraft.training.blend OUT nano=0.6 runs/nano-counts/model=0.4`` writes a model folder. A stage that
teaches one thing more costs some of what was known; on the straight line between its start and its end there is often
a point that keeps both (arXiv 2109.01903, figure 1; of several runs: arXiv 2203.05482).
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import torch

from redraft.denoiser.checkpoint import load_checkpoint, save_checkpoint
from redraft.errors import ConfigError, RedraftError
from redraft.training.start import start_folder

__all__ = ["blend", "main"]


@torch.no_grad()
def blend(parts: Sequence[tuple[str, float]], folder: Path) -> str:
    """Average models and write the mean.

    Args:
        parts: Name or path of each model, and its weight. Settings and what is said of the training come from the last.
        folder: Where the mean shall stand.

    Returns:
        Digest of what was written; the configuration names the parts by theirs.

    Raises:
        ConfigError: There is nothing to average, the weights don't add up to 1, or the models differ in shape or words.
        CheckpointError: A model is damaged.
    """
    if len(parts) < 2:
        raise ConfigError(f"a blend takes two models or more; there are {len(parts)}")
    if any(not math.isfinite(share) for _, share in parts) or abs(sum(share for _, share in parts) - 1.0) > 1e-6:
        shares = " + ".join(f"{share:g}" for _, share in parts)
        raise ConfigError(f"the weights of a blend must add up to 1, and {shares} don't")
    loaded = [load_checkpoint(start_folder(name)) for name, _ in parts]
    last = loaded[-1]
    for (name, _), one in zip(parts, loaded, strict=True):
        if one.model.config != last.model.config or one.tokenizer_json != last.tokenizer_json:
            raise ConfigError(f"{name} and {parts[-1][0]} differ in shape or tokenizer; only weights can be averaged")
    shares = [share for _, share in parts]
    states = [one.model.state_dict() for one in loaded]
    mean: dict[str, torch.Tensor] = {}
    for key in states[0]:
        stacked = torch.stack([state[key].double() for state in states], dim=-1)
        mean[key] = (stacked @ torch.tensor(shares, dtype=torch.float64)).float()
    last.model.load_state_dict(mean)
    made_of = [{"digest": one.digest, "weight": share} for one, share in zip(loaded, shares, strict=True)]
    card = "# Model card\n\nThe weighted mean of " + ", ".join(
        f"{share:g} of the model with the digest `{one.digest}`" for one, share in zip(loaded, shares, strict=True)
    )
    return save_checkpoint(
        folder,
        model=last.model,
        tokenizer_json=last.tokenizer_json,
        card=card + ".\n",
        extra_config={**last.extra, "blend": made_of},
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Blend what the command line names.

    Args:
        arguments: Words after the module's name; None takes those of the process.
    """
    parser = argparse.ArgumentParser(prog="python -m redraft.training.blend", description="Average models.")
    parser.add_argument("out", type=Path, help="where the mean shall stand")
    parser.add_argument("parts", nargs="+", metavar="MODEL=WEIGHT", help="name or path, and its weight")
    chosen = parser.parse_args(arguments)
    parts: list[tuple[str, float]] = []
    for part in chosen.parts:
        name, _, share = part.rpartition("=")
        try:
            parts.append((name, float(share)))
        except ValueError:
            raise ConfigError(f"{part!r} is not of the form MODEL=WEIGHT, such as nano=0.5") from None
    print(blend(parts, chosen.out))


if __name__ == "__main__":
    try:
        main()
    except RedraftError as fault:
        raise SystemExit(f"redraft: {fault}") from None
