"""The llama.cpp arm, where its bindings are installed: side by side gives what one by one does, and it counts right."""

from pathlib import Path

import pytest

from redraft.denoiser import TransformerConfig
from redraft.denoiser.gguf_llama import LlamaShape
from redraft.errors import DependencyError
from redraft.evaluation.bench import llama_context
from redraft.evaluation.bench.workload import Workload, draw_workload
from redraft.text import Tokenizer


def test_without_the_bindings_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(llama_context, "import_module", missing)
    with pytest.raises(DependencyError, match=r"redraft\[bench\]"):
        llama_context.import_llama()


def test_sequences_side_by_side_read_as_one_by_one(tokenizer: Tokenizer, tmp_path: Path) -> None:
    pytest.importorskip("llama_cpp")
    from redraft.evaluation.bench.llama import LlamaArm

    config = TransformerConfig(vocab_size=tokenizer.vocab_size, width=64, num_heads=2, num_prelude_layers=2)
    arm = LlamaArm(tmp_path, LlamaShape.like(config), tokenizer, num_threads=1)
    assert arm.model.vocab_size == tokenizer.vocab_size
    workload = Workload(tasks=("arithmetic",), count=3, seed=0, prompt="long", long_tokens=120)
    asked = draw_workload(workload, tokenizer)
    alone = arm.answer(asked, effort="", batch=1, seed=0)
    together = arm.answer(asked, effort="", batch=2, seed=0)
    assert alone.completion_tokens == together.completion_tokens == sum(one.num_answer_tokens for one in asked)
    assert len(alone.first_draft_s) == 3
    assert together.first_draft_s == ()
    assert alone.prompt_tokens == together.prompt_tokens
