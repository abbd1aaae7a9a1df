"""Compares a model with its traced self, scores and gradients.

A program of its own, because types can't be checked within a trace.
"""

import torch

from redraft.denoiser import Transformer, TransformerConfig


def main() -> None:
    torch.manual_seed(0)
    model = Transformer(
        TransformerConfig(
            vocab_size=40, width=16, num_heads=2, num_prelude_layers=2, context_length=16, canvas_length=16
        )
    )
    # Traced and differentiated as for training, without the C++ behind it.
    compiled = torch.compile(model, dynamic=True, backend="aot_eager")
    for rows, before, length in ((2, 5, 8), (3, 7, 12)):
        context, canvas = torch.randint(40, (rows, before)), torch.randint(40, (rows, length))
        valid = torch.arange(before) >= torch.randint(before, (rows, 1))
        found: list[list[torch.Tensor]] = []
        for forward in (model, compiled):
            model.zero_grad()
            logits = forward(context, canvas, context_is_valid=valid)
            logits.square().sum().backward()
            found.append([logits.detach(), *(w.grad for w in model.parameters() if w.grad is not None)])
        assert len(found[0]) == len(found[1]) > 8, "scores, and a gradient of every weight"
        for plain, other in zip(*found, strict=True):
            torch.testing.assert_close(other, plain, rtol=1e-3, atol=1e-4)
    print("equal")


if __name__ == "__main__":
    main()
