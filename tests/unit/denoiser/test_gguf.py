"""The GGUF file: its bytes say what the format's description says, and a llama weighs what the transformer does."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from redraft.denoiser import Transformer, TransformerConfig
from redraft.denoiser.gguf import BLOCK, F32, Q8_0, quantise_blocks, write_gguf
from redraft.denoiser.gguf_llama import LlamaShape, write_random_llama
from redraft.errors import ConfigError


class Reader:
    """Reads a file of version 3 as its description has it, with nothing taken from the writer."""

    def __init__(self, path: Path) -> None:
        self.data, self.at = path.read_bytes(), 0
        assert self.data[:4] == b"GGUF"
        self.at = 4
        version, num_tensors, num_settings = self.take("IQQ")
        assert version == 3
        self.settings = {self.text(): self.value() for _ in range(num_settings)}
        infos = [self.info() for _ in range(num_tensors)]
        start = self.at + -self.at % 32
        self.tensors = {name: (sizes, kind, start + offset) for name, sizes, kind, offset in infos}

    def take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def text(self) -> str:
        (length,) = self.take("Q")
        self.at += length
        return self.data[self.at - length : self.at].decode()

    def value(self) -> int | float | str:
        (kind,) = self.take("I")
        return self.text() if kind == 8 else self.take({4: "I", 6: "f"}[kind])[0]

    def info(self) -> tuple[str, tuple[int, ...], int, int]:
        name = self.text()
        (num_sizes,) = self.take("I")
        sizes = self.take(f"{num_sizes}Q")
        return name, sizes, *self.take("IQ")


def restored(data: bytes, count: int) -> np.ndarray:
    blocks = np.frombuffer(data, np.dtype([("scale", "<f2"), ("whole", "i1", BLOCK)]), count // BLOCK)
    return (blocks["scale"][:, None].astype(np.float32) * blocks["whole"]).reshape(-1)


def test_blocks_come_back_within_half_a_step() -> None:
    weight = np.random.default_rng(0).standard_normal((3, 64)).astype(np.float32)
    weight[1] = 0
    back = restored(quantise_blocks(weight), weight.size).reshape(weight.shape)
    step = np.abs(weight.reshape(-1, BLOCK)).max(axis=1).repeat(BLOCK).reshape(weight.shape) / 127
    assert (np.abs(back - weight) <= step * 0.5 + np.abs(weight) * 1e-3).all()  # the scale itself is a float16


def test_a_file_holds_what_was_given(tmp_path: Path) -> None:
    tensors = {"odd": ((3,), F32, np.arange(3, dtype="<f4").tobytes()), "q": ((32, 1), Q8_0, b"\1" * 34)}
    write_gguf(tmp_path / "a.gguf", {"name": "质", "count": 7, "base": 1.5}, tensors)
    reader = Reader(tmp_path / "a.gguf")
    assert reader.settings == {"name": "质", "count": 7, "base": 1.5}
    sizes, kind, offset = reader.tensors["odd"]
    assert (sizes, kind, offset % 32) == ((3,), F32, 0)
    assert np.frombuffer(reader.data, "<f4", 3, offset).tolist() == [0, 1, 2]
    sizes, kind, offset = reader.tensors["q"]
    assert (sizes, kind, offset % 32) == ((32, 1), Q8_0, 0)
    assert reader.data[offset : offset + 34] == b"\1" * 34


def test_a_llama_weighs_what_the_transformer_does(tmp_path: Path) -> None:
    config = TransformerConfig(vocab_size=512, width=96, num_heads=3, num_prelude_layers=2, num_loop_layers=1)
    config_with_loops = TransformerConfig.from_dict(config.to_dict() | {"num_loops": 3})
    shape = LlamaShape.like(config)
    ours = sum(weight.numel() for weight in Transformer(config).parameters())
    assert abs(shape.num_parameters / ours - 1) < 0.1
    assert LlamaShape.like(config_with_loops).num_layers == 5, "a loop's work counts as often as it is done"
    write_random_llama(tmp_path / "a.gguf", shape, seed=3)
    write_random_llama(tmp_path / "b.gguf", shape, seed=3)
    assert (tmp_path / "a.gguf").read_bytes() == (tmp_path / "b.gguf").read_bytes()
    reader = Reader(tmp_path / "a.gguf")
    assert reader.settings["llama.block_count"] == 3
    assert len(reader.tensors) == 2 + 3 * 7 + 7
    sizes, kind, offset = reader.tensors["blk.2.ffn_down.weight"]
    assert (sizes, kind) == ((shape.hidden_width, 96), Q8_0)
    weight = restored(reader.data[offset:], 96 * shape.hidden_width)
    assert weight.std() == pytest.approx(shape.hidden_width**-0.5, rel=0.05)


def test_a_width_that_fills_no_blocks_is_refused() -> None:
    config = TransformerConfig(vocab_size=8, width=48, num_heads=2, num_prelude_layers=1)
    with pytest.raises(ConfigError, match="multiple of 32"):
        LlamaShape.like(config)
