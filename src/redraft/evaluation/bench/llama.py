"""The rival: a llama of our model's size in Q8_0 under llama.cpp, one token per sequence and pass, likeliest first.

Its weights are random, so its answers mean nothing: it writes as many tokens as the right answer has. Prompts and
answers go through our own tokenizer, whose time counts, as it does for the other arms.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from redraft.denoiser.gguf_llama import LlamaShape, write_random_llama
from redraft.engine.result import Result, Seconds
from redraft.evaluation.bench.llama_context import LlamaContext, LlamaModel
from redraft.evaluation.bench.turn import Turn, sum_up
from redraft.evaluation.bench.workload import Asked
from redraft.text import Tokenizer, encode_segment

__all__ = ["LlamaArm"]


class LlamaArm:
    """Answers with llama.cpp.

    Args:
        folder: Where the model's file may be written.
        shape: Of the model.
        tokenizer: Our model's.
        num_threads: Threads for its products.

    Raises:
        DependencyError: llama-cpp-python is not installed.
    """

    def __init__(self, folder: Path, shape: LlamaShape, tokenizer: Tokenizer, *, num_threads: int) -> None:
        path = folder / "llama-q8_0.gguf"
        write_random_llama(path, shape)
        self.model = LlamaModel(path, num_threads=num_threads)
        self.tokenizer = tokenizer
        self._context: LlamaContext | None = None

    def answer(self, asked: Sequence[Asked], *, effort: str, batch: int, seed: int) -> Turn:
        """Answer every question; see ``Arm.answer``."""
        del effort, seed
        longest = max(
            sum(len(encode_segment(self.tokenizer, segment)) for segment in question.segments)
            + question.num_answer_tokens
            for question in asked
        )
        context = self._open(batch, longest + 1)
        results: list[Result] = []
        first_s: list[float] = []
        since = time.perf_counter()
        for start in range(0, len(asked), batch):
            answers, first = self._together(asked[start : start + batch], context)
            results += answers
            first_s.append(first)
        wall_s = time.perf_counter() - since
        return sum_up(asked, results, wall_s=wall_s, first_draft_s=first_s if batch == 1 else ())

    def _open(self, batch: int, length: int) -> LlamaContext:
        """A context for so many sequences of such a length; the last one where it will do."""
        if self._context is None or self._context.num_sequences != batch or self._context.length < length:
            if self._context is not None:
                self._context.close()
            self._context = LlamaContext(self.model, num_sequences=batch, length=length)
        return self._context

    def _together(self, asked: Sequence[Asked], context: LlamaContext) -> tuple[list[Result], float]:
        """Answer questions side by side; also the time to the first token."""
        since = time.perf_counter()
        prompts = [
            [token for segment in question.segments for token in encode_segment(self.tokenizer, segment)]
            for question in asked
        ]
        tokenized = time.perf_counter()
        context.clear()
        tokens = context.prefill(prompts)
        prefilled = time.perf_counter()
        answers: list[list[int]] = [[token] for token in tokens]
        # The pass that would find the end of the text is left out, in llama.cpp's favour.
        lasts = [question.num_answer_tokens for question in asked]
        for written in range(1, max(lasts)):
            rows = [row for row, last in enumerate(lasts) if written < last]
            chosen = context.step(rows, [answers[row][-1] for row in rows])
            for row, token in zip(rows, chosen, strict=True):
                answers[row].append(token)
        decoded = time.perf_counter()
        texts = [self.tokenizer.decode(answer) for answer in answers]
        done = time.perf_counter()
        seconds = Seconds(
            tokenize=tokenized - since,
            prefill=prefilled - tokenized,
            denoise=decoded - prefilled,
            filter=0.0,
            detokenize=done - decoded,
            total=done - since,
        )
        results = [_result(*one, seconds) for one in zip(prompts, lasts, texts, strict=True)]
        return results, prefilled - since


def _result(prompt: list[int], num_tokens: int, text: str, seconds: Seconds) -> Result:
    return Result(
        id="",
        text=text,
        model="llama",
        seed=0,
        finish_reason="length",
        prompt_tokens=len(prompt),
        completion_tokens=num_tokens,
        nfe=num_tokens,
        revised_tokens=0,
        seconds=seconds,
    )
