"""The mean of models: weight by weight, named by its parts, and only of models that fit together."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from redraft.denoiser import Transformer
from redraft.denoiser.checkpoint import load_checkpoint, save_checkpoint
from redraft.engine import Request, load_engine
from redraft.errors import ConfigError
from redraft.text.tokenizer import Tokenizer
from redraft.training.blend import blend, main


def save(folder: Path, model: Transformer, tokenizer: Tokenizer, *, seed: int) -> Path:
    model.reset_parameters(torch.Generator().manual_seed(seed))
    extra = {"sampler": {"max_steps": seed}, "training": {"step": seed}}
    save_checkpoint(folder, model=model, tokenizer_json=tokenizer.to_json(), card="", extra_config=extra)
    return folder


@pytest.fixture
def parts(tiny_model: Transformer, tokenizer: Tokenizer, tmp_path: Path) -> list[Path]:
    return [save(tmp_path / f"part-{seed}", Transformer(tiny_model.config), tokenizer, seed=seed) for seed in (5, 6, 7)]


def test_each_weight_is_the_mean(parts: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(tmp_path / "out"), *(f"{part}={share}" for part, share in zip(parts, (0.5, 0.3, 0.2), strict=True))])
    loaded, states = load_checkpoint(tmp_path / "out"), [load_checkpoint(part).model.state_dict() for part in parts]
    assert capsys.readouterr().out.strip() == loaded.digest
    for key, value in loaded.model.state_dict().items():
        expected = 0.5 * states[0][key] + 0.3 * states[1][key] + 0.2 * states[2][key]
        torch.testing.assert_close(value, expected)
    digests = [load_checkpoint(part).digest for part in parts]
    assert [(one["digest"], one["weight"]) for one in loaded.extra["blend"]] == [
        *zip(digests, (0.5, 0.3, 0.2), strict=True)
    ]
    assert (loaded.extra["sampler"], loaded.extra["training"]) == ({"max_steps": 7}, {"step": 7}), "of the last one"
    assert all(digest in (tmp_path / "out" / "README.md").read_text(encoding="utf-8") for digest in digests)
    assert "blend" in json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))["extra"]
    engine = load_engine(str(tmp_path / "out"))
    engine.generate(Request.from_prompt("1 + 2", settings=engine.settings()))


def test_a_blend_with_itself_is_itself(parts: list[Path], tmp_path: Path) -> None:
    blend([(str(parts[0]), 0.25), (str(parts[0]), 0.75)], tmp_path / "out")
    for key, value in load_checkpoint(tmp_path / "out").model.state_dict().items():
        assert torch.equal(value, load_checkpoint(parts[0]).model.state_dict()[key])


def test_what_does_not_fit_together_is_refused(
    parts: list[Path], tiny_model: Transformer, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    first, second, _ = (str(part) for part in parts)
    out = tmp_path / "out"
    with pytest.raises(ConfigError, match="takes two models or more; there are 1"):
        blend([(first, 1.0)], out)
    for shares in ((0.5, 0.6), (float("nan"), 1.0)):
        with pytest.raises(ConfigError, match="must add up to 1"):
            blend([*zip((first, second), shares, strict=True)], out)
    other = save(tmp_path / "other", Transformer(replace(tiny_model.config, canvas_length=16)), tokenizer, seed=1)
    with pytest.raises(ConfigError, match="differ in shape or tokenizer"):
        blend([(first, 0.5), (str(other), 0.5)], out)
    with pytest.raises(ConfigError, match="neither a shipped model nor a model folder"):
        blend([(first, 0.5), ("no-such", 0.5)], out)
    for word in (first, "nano=much", f"{first}="):
        with pytest.raises(ConfigError, match="is not of the form MODEL=WEIGHT"):
            main([str(out), word])
    assert not out.exists()
