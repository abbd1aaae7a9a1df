"""Problems with a draft: the answer is what an edit makes of the text that stands there."""

import time

from redraft.editing.drawing import native_tokenizer
from redraft.editing.edit import edit_text
from redraft.engine import Engine, Request, Result
from redraft.engine.autoregressive import AutoregressiveEngine
from redraft.engine.result import Seconds
from redraft.sampler import SamplerSettings
from redraft.tasks import Problem

__all__ = ["revise_draft"]


def revise_draft(
    engine: Engine, problem: Problem, *, id: str, seed: int, effort: str, settings: SamplerSettings
) -> Result:
    """Edit a problem's draft as its prompt says.

    A model that writes left to right can't start from a draft: it reads instruction and text, and writes all of it.

    Args:
        engine: The model at work.
        problem: It has a draft.
        id: The result's.
        seed: Fixes every draw.
        effort: Preset of the edit.
        settings: How answers are drawn: an edit takes its canvas length from them.

    Returns:
        The revision and its figures. What settled tokens changed are counted as revised; tokens are those of the whole
        text, kept ones included.
    """
    assert problem.draft is not None, "only a draft can be edited"
    if isinstance(engine, AutoregressiveEngine):
        prompt = f"{problem.prompt}\n\n{problem.draft}"
        return engine.generate(Request.from_prompt(prompt, id=id, seed=seed, settings=settings))
    since = time.perf_counter()
    run = edit_text(
        engine, problem.draft, problem.prompt, seed=seed, effort=effort, canvas_length=settings.canvas_length
    )
    revised = sum(int(step.revised.sum()) for step in run)
    edited = run.result
    total = time.perf_counter() - since
    return Result(
        id=id,
        text=edited.text,
        model=engine.name,
        seed=seed,
        finish_reason="stop" if edited.is_stable else "passes",
        prompt_tokens=edited.prompt_tokens,
        completion_tokens=len(native_tokenizer(engine).encode(edited.text)),
        nfe=edited.nfe,
        revised_tokens=revised,
        seconds=Seconds(tokenize=0.0, prefill=0.0, denoise=edited.seconds, filter=0.0, detokenize=0.0, total=total),
    )
