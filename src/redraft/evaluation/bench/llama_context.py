"""The few calls of llama.cpp that decoding takes, by way of llama-cpp-python's plain bindings.

Its comfortable class draws one sequence at a time and samples in Python; here several sequences share a pass, and the
likeliest token is all that is taken, so that nothing but llama.cpp's own work is timed.
"""

import ctypes
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from redraft.errors import DependencyError, RedraftError

__all__ = ["LLAMA_MISSING", "LlamaContext", "LlamaModel", "import_llama"]

LLAMA_MISSING = "the llama.cpp baseline needs llama-cpp-python: pip install 'redraft[bench]'; --no-llama leaves it out"
"""Said where the bindings are not installed."""


def import_llama() -> ModuleType:
    """Import the bindings.

    Returns:
        Their module.

    Raises:
        DependencyError: They are not installed.
    """
    try:
        return import_module("llama_cpp")
    except ImportError as error:
        raise DependencyError(LLAMA_MISSING) from error


class LlamaModel:
    """A model file in memory.

    Args:
        path: The file.
        num_threads: Threads for its products.

    Raises:
        DependencyError: llama-cpp-python is not installed.
        RedraftError: llama.cpp does not take the file.
    """

    def __init__(self, path: Path, *, num_threads: int) -> None:
        self.api: Any = import_llama()
        # The object must live as long as the library may call it.
        self._silence = self.api.llama_log_callback(lambda level, text, data: None)
        self.api.llama_log_set(self._silence, ctypes.c_void_p(0))
        self.api.llama_backend_init()
        options = self.api.llama_model_default_params()
        options.n_gpu_layers = 0
        self.handle = self.api.llama_model_load_from_file(str(path).encode(), options)
        if not self.handle:
            raise RedraftError("llama.cpp could not load the model that was written for it")
        self.num_threads = num_threads
        self.vocab_size: int = self.api.llama_vocab_n_tokens(self.api.llama_model_get_vocab(self.handle))


class LlamaContext:
    """Room for sequences that are decoded side by side.

    Args:
        model: The model.
        num_sequences: Most sequences.
        length: Most tokens of each, prompt and answer together.

    Raises:
        RedraftError: llama.cpp has no room for it.
    """

    def __init__(self, model: LlamaModel, *, num_sequences: int, length: int) -> None:
        self.api, self.num_sequences, self.length = model.api, num_sequences, length
        self.vocab_size = model.vocab_size
        options = self.api.llama_context_default_params()
        # Each sequence has a part of n_ctx; llama.cpp rounds a part up to 256 by itself.
        options.n_ctx = num_sequences * (length + -length % 256)
        options.n_batch = options.n_ubatch = max(512, length)
        options.n_seq_max = num_sequences
        options.n_threads = options.n_threads_batch = model.num_threads
        self.handle = self.api.llama_init_from_model(model.handle, options)
        if not self.handle:
            raise RedraftError(f"llama.cpp has no room for {num_sequences} sequences of {length} tokens")
        self._memory = self.api.llama_get_memory(self.handle)
        self._capacity = int(options.n_batch)
        self._batch = self.api.llama_batch_init(self._capacity, 0, 1)
        self._used = [0] * num_sequences

    def clear(self) -> None:
        """Forget every sequence."""
        self.api.llama_memory_clear(self._memory, False)
        self._used = [0] * self.num_sequences

    def prefill(self, prompts: Sequence[Sequence[int]]) -> list[int]:
        """Take a prompt per sequence in, as many together as fit a pass; return the likeliest next tokens."""
        chosen: dict[int, int] = {}
        waiting: list[tuple[int, Sequence[int]]] = []
        for row, prompt in enumerate(prompts):
            if sum(len(tokens) for _, tokens in waiting) + len(prompt) > self._capacity:
                chosen |= self._pass(waiting)
                waiting = []
            waiting.append((row, prompt))
        chosen |= self._pass(waiting)
        return [chosen[row] for row in range(len(prompts))]

    def step(self, rows: Sequence[int], tokens: Sequence[int]) -> list[int]:
        """Take one more token in for some sequences; return the likeliest next ones."""
        chosen = self._pass([(row, (token,)) for row, token in zip(rows, tokens, strict=True)])
        return [chosen[row] for row in rows]

    def close(self) -> None:
        """Give the memory back."""
        self.api.llama_batch_free(self._batch)
        self.api.llama_free(self.handle)

    def _pass(self, parts: Sequence[tuple[int, Sequence[int]]]) -> dict[int, int]:
        """One pass over the next tokens of some sequences."""
        batch, at = self._batch, 0
        last: dict[int, int] = {}
        for row, tokens in parts:
            for token in tokens:
                batch.token[at], batch.pos[at], batch.logits[at] = token, self._used[row], False
                batch.n_seq_id[at], batch.seq_id[at][0] = 1, row
                self._used[row] += 1
                at += 1
            batch.logits[at - 1] = True
            last[row] = at - 1
        batch.n_tokens = at
        status = self.api.llama_decode(self.handle, batch)
        if status != 0:
            raise RedraftError(f"llama.cpp gave up on a pass over {at} tokens with status {status}")
        return {row: self._likeliest(index) for row, index in last.items()}

    def _likeliest(self, index: int) -> int:
        logits = self.api.llama_get_logits_ith(self.handle, index)
        return int(np.ctypeslib.as_array(logits, (self.vocab_size,)).argmax())
