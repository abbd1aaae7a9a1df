from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.unit.denoiser.interpreted import Interpreted

from redraft.denoiser import Transformer
from redraft.denoiser.checkpoint import save_checkpoint
from redraft.denoiser.pass_program import ProgramShape
from redraft.engine import Request, load_engine, loading
from redraft.errors import ConfigError
from redraft.text.tokenizer import Tokenizer


@pytest.mark.parametrize("device", ["", "gpu", "cuda:one", "meta", "mps"])
def test_a_device_that_is_not_known_is_refused(tiny_checkpoint: Path, device: str) -> None:
    with pytest.raises(ConfigError, match=f"device={device!r} is not known here; use 'cpu' or 'cuda'"):
        load_engine(str(tiny_checkpoint), device=device)


def test_a_missing_cuda_device_is_one_clear_error(tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="device='cuda:1', but torch finds no CUDA device; use 'cpu'"):
        load_engine(str(tiny_checkpoint), device="cuda:1")


@pytest.mark.parametrize("has_vnni", [False, True])
def test_auto_means_whole_numbers_where_the_processor_is_made_for_them(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, has_vnni: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_vnni_supported", lambda: has_vnni)
    assert load_engine(str(tiny_checkpoint)).dtype == ("int8" if has_vnni else "float32")
    for dtype in ("float32", "int8"):
        assert load_engine(str(tiny_checkpoint), dtype=dtype).dtype == dtype


def test_other_types_are_refused(tiny_checkpoint: Path) -> None:
    with pytest.raises(ConfigError, match=r"takes auto, float32 or int8"):
        load_engine(str(tiny_checkpoint), dtype="bfloat16")


def test_what_writes_left_to_right_takes_no_int8(tiny_model: Transformer, tokenizer: Tokenizer, tmp_path: Path) -> None:
    causal = Transformer(replace(tiny_model.config, is_causal=True))
    save_checkpoint(tmp_path / "arm", model=causal, tokenizer_json=tokenizer.to_json(), card="")
    assert load_engine(str(tmp_path / "arm")).dtype == "float32"
    with pytest.raises(ConfigError, match="dtype='int8' is for diffusion models in float32 on a CPU"):
        load_engine(str(tmp_path / "arm"), dtype="int8")


def test_graphs_without_a_gpu_are_refused(tiny_checkpoint: Path) -> None:
    with pytest.raises(ConfigError, match="uses_graphs needs a GPU, but device='cpu'"):
        load_engine(str(tiny_checkpoint), uses_graphs=True)


def test_compiled_passes_give_the_same_text(tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Interpreted] = []

    def find(shape: ProgramShape, *, tell: Callable[[str], None]) -> Interpreted:
        tell("compiling")
        asked.append(Interpreted(shape))
        return asked[-1]

    monkeypatch.setattr(loading, "find_programs", find)
    said: list[str] = []
    plain = load_engine(str(tiny_checkpoint), dtype="float32")
    compiled = load_engine(str(tiny_checkpoint), dtype="float32", is_compiled=True, tell=said.append)
    assert (plain.is_compiled, compiled.is_compiled, said) == (False, True, ["compiling"])
    for prompt in ("1 + 2", "What is 3 × 4?"):
        texts = [one.generate(Request.from_prompt(prompt, settings=one.settings())).text for one in (plain, compiled)]
        assert texts[0] == texts[1]
    assert asked[0].num_passes > 0


def test_what_can_not_be_compiled_is_refused(
    tiny_model: Transformer,
    tokenizer: Tokenizer,
    tiny_checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, changes in {"causal": {"is_causal": True}, "loops": {"num_loop_layers": 1}}.items():
        other = Transformer(replace(tiny_model.config, **changes))
        save_checkpoint(tmp_path / name, model=other, tokenizer_json=tokenizer.to_json(), card="")
        with pytest.raises(ConfigError, match=f"only diffusion models without loops .* are compiled; .*{name} is none"):
            load_engine(str(tmp_path / name), is_compiled=True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(ConfigError, match="compiled passes are for a CPU, but device='cuda'"):
        load_engine(str(tiny_checkpoint), device="cuda", is_compiled=True)
