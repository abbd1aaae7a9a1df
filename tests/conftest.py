"""What many tests need: a tiny checkpoint with random weights, which answers nonsense but answers."""

from pathlib import Path

import pytest
import torch

from redraft.denoiser import Transformer, TransformerConfig
from redraft.denoiser.checkpoint import save_checkpoint
from redraft.engine import Engine, load_engine
from redraft.text import Tokenizer

# Each of their tests is quick, but there are hundreds of them: they are left out of the fast subset as a whole.
_SLOW_FOLDERS = ("tests/parity/families", "tests/property")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    folders = [config.rootpath / folder for folder in _SLOW_FOLDERS]
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in folders):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return Tokenizer.builtin()


@pytest.fixture(scope="session")
def tiny_model(tokenizer: Tokenizer) -> Transformer:
    """Return a transformer with random weights everywhere, so that its answers differ by prompt and by position."""
    config = TransformerConfig(
        vocab_size=tokenizer.vocab_size,
        width=32,
        num_heads=2,
        num_prelude_layers=2,
        canvas_length=24,
        context_length=256,
        digit_token_ids=tokenizer.digit_token_ids,
    )
    model = Transformer(config).eval().requires_grad_(False)
    rng = torch.Generator().manual_seed(0)
    for name, weight in model.named_parameters():
        weight.normal_(0.0, 0.4 if name == "head.weight" else 0.5, generator=rng)
    return model


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_model: Transformer, tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    save_checkpoint(folder, model=tiny_model, tokenizer_json=tokenizer.to_json(), card="# Tiny\n")
    return folder


@pytest.fixture(scope="session")
def tiny_engine(tiny_checkpoint: Path) -> Engine:
    return load_engine(str(tiny_checkpoint))
