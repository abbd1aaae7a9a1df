"""The programs of a shape as they are written, for tests that need no compiler."""

from typing import Any

from torch import Tensor

from redraft.denoiser.pass_program import EncodeProgram, PassProgram, ProgramShape
from redraft.denoiser.program_store import Programs

__all__ = ["Interpreted"]


class Interpreted(Programs):
    """The programs as they are written, without a compiler; what would be misread once compiled is refused."""

    def __init__(self, shape: ProgramShape) -> None:
        self._pass, self._prompt = PassProgram(shape), EncodeProgram(shape)
        self.num_passes = 0

    def score(self, *arguments: Any) -> Tensor:
        self.num_passes += 1
        assert all(one.is_contiguous() for one in _flat(arguments))
        assert min(len(arguments[0]), len(arguments[3]), arguments[5][0].shape[1]) >= 2
        return self._pass(*arguments)

    def encode(self, *arguments: Any) -> tuple[Tensor, Tensor]:
        assert all(one.is_contiguous() for one in _flat(arguments))
        assert len(arguments[0]) >= 16
        return self._prompt(*arguments)


def _flat(arguments: tuple[Any, ...]) -> list[Tensor]:
    return [one for part in arguments for one in (part if isinstance(part, list) else [part])]
