"""The autoregressive way to edit: read instruction and draft, then write the whole text anew, token by token.

Timed while it writes the right revision: the tokens are handed to it, so that it takes as long as a model of its size
that makes no mistake. A trained arm is asked for its own revision besides.
"""

import time
from dataclasses import dataclass, replace

import torch

from redraft.denoiser import KeyValueCache, Transformer, TransformerConfig
from redraft.denoiser.causal import SlotReader
from redraft.engine import AutoregressiveEngine, Engine, Request, load_engine
from redraft.errors import ConfigError
from redraft.text import Segment, Tokenizer, encode_segment

__all__ = ["Rewriter", "rewriter_for", "rewriting_prompt"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rewriter:
    """The arm."""

    engine: Engine
    """An engine that writes left to right."""
    is_trained: bool
    """Whether its own texts mean anything."""

    def time_writing(self, prompt: str, target: str) -> tuple[int, float]:
        """Write a given text after a prompt.

        Args:
            prompt: What it reads first.
            target: What it writes.

        Returns:
            Passes, one a token and one for the end, and seconds, reading included.
        """
        tokenizer, model = self.engine.tokenizer, _transformer(self.engine)
        assert isinstance(tokenizer, Tokenizer), "a native model has a native tokenizer"
        since = time.perf_counter()
        ids = [*tokenizer.encode(target), tokenizer.special.end_of_text]
        with torch.inference_mode():
            context = model.encode(torch.tensor([encode_segment(tokenizer, Segment("user", prompt))]))
            assert isinstance(context, KeyValueCache), "a native model keeps its own kind"
            reader = SlotReader(model, context, num_rows=1, num_slots=len(ids))
            for before in [tokenizer.special.mask, *ids[:-1]]:
                reader.read(torch.tensor([[before]])).argmax(dim=-1)
        return len(ids), time.perf_counter() - since

    def rewrite(self, prompt: str, seed: int) -> str:
        """The arm's own revision."""
        settings = self.engine.settings()
        return self.engine.generate(Request.from_prompt(prompt, seed=seed, settings=settings)).text


def rewriter_for(arm: str | None, config: TransformerConfig, tokenizer: Tokenizer) -> Rewriter:
    """Open the arm.

    Args:
        arm: Name or path of a causal checkpoint; None for random weights of a model's shape, for its time only.
        config: That shape.
        tokenizer: Its vocabulary is read with where there is no checkpoint, in pieces of words however the model itself
            cuts: a model that writes left to right has no use for more tokens.

    Returns:
        The arm.

    Raises:
        ConfigError: The checkpoint does not write left to right.
    """
    if arm is not None:
        engine = load_engine(arm)
        if not isinstance(engine, AutoregressiveEngine):
            raise ConfigError(f"the model {arm} does not write left to right; name a causal arm")
        return Rewriter(engine=engine, is_trained=True)
    model = Transformer(replace(config, is_causal=True, uses_self_conditioning=False)).eval().requires_grad_(False)
    return Rewriter(
        engine=AutoregressiveEngine.from_transformer(model, tokenizer.by_piece(), name="random"), is_trained=False
    )


def rewriting_prompt(instruction: str, draft: str) -> str:
    """What the arm reads: the instruction, an empty line, the draft."""
    return f"{instruction}\n\n{draft}"


def _transformer(engine: Engine) -> Transformer:
    model = engine.denoiser
    assert isinstance(model, Transformer), "an autoregressive engine takes nothing else"
    return model
