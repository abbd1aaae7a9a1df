from collections.abc import Callable
from typing import Any

import pytest

from redraft.text import Tokenizer
from redraft.training import Recipe, build_recipe

TINY: dict[str, dict[str, Any]] = {
    "model": {"width": 16, "num_heads": 2, "num_prelude_layers": 1, "context_length": 64, "canvas_length": 48},
    "data": {
        "canvas_length": 48,
        "context_length": 64,
        "batch_tokens": 400,
        "pool_examples": 12,
        "mixture": [
            {"task": "arithmetic", "weight": 1.0, "final_weight": 0.5, "dials": {"min_steps": 1, "max_steps": 2}},
            {"task": "arithmetic", "weight": 0.2, "derivation_first": 1.0, "dials": {"min_steps": 1, "max_steps": 1}},
        ],
    },
    "noise": {"own_predictions_after": 0.2, "uniform_share": 0.05},
    "optimizer": {"warmup_steps": 2},
    "train": {"max_steps": 12, "checkpoint_seconds": 0, "log_seconds": 0, "validate_batches": 1, "plot": "never"},
}


@pytest.fixture
def make_recipe(tokenizer: Tokenizer) -> Callable[..., Recipe]:
    """Return a maker of tiny recipes: ``make_recipe(train={"max_steps": 3})`` changes one key."""

    def make(**sections: dict[str, Any]) -> Recipe:
        table = {name: {**TINY.get(name, {}), **sections.get(name, {})} for name in TINY | sections}
        return build_recipe(table, tokenizer=tokenizer)

    return make
