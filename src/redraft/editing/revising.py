"""Revises a sheet: passes over what stands there, and where a place needs more room, more on a longer canvas."""

from collections.abc import Generator

from redraft.denoiser import Cache
from redraft.editing.drawing import Drawn, Log, native_tokenizer, steps_of
from redraft.editing.growing import grow, spans_of
from redraft.editing.presets import EditPlan
from redraft.editing.run import Run
from redraft.editing.sheet import Sheet
from redraft.editing.witness import Witness
from redraft.engine import Engine
from redraft.engine.job import ids_of
from redraft.sampler import Step

__all__ = ["revise"]


def revise(engine: Engine, sheet: Sheet, *, context: Cache | None, plan: EditPlan, seed: int, block: int) -> Run[Drawn]:
    """Revise a sheet.

    Args:
        engine: The model at work.
        sheet: The canvas before the first pass.
        context: What ``read_instruction`` returned.
        plan: How to go on.
        seed: Fixes every draw ...
        block: ... together with the number of the canvas.

    Returns:
        A run that yields the loop's steps, of canvases that may get longer, and ends in the last one.
    """
    return Run(_canvases(engine, sheet, context, plan, seed, block))


def _canvases(
    engine: Engine, sheet: Sheet, context: Cache | None, plan: EditPlan, seed: int, block: int
) -> Generator[Step, None, Drawn]:
    tokenizer = native_tokenizer(engine)
    witness = Witness(engine.denoiser, tokenizer.special.mask)
    tokens, settings = list(sheet.tokens), plan.settings
    nfe, seconds = 0, 0.0
    for left in range(plan.num_growths, -1, -1):
        log = Log(sheet)
        steps = steps_of(
            engine,
            sheet,
            tokens,
            denoiser=witness,
            context=context,
            settings=settings,
            seed=seed,
            block=block,
        )
        grown = None
        for step in log.watch(steps):
            yield step
            tokens = ids_of(step.tokens[0])
            # What is open is written first: it may be what another place waits for.
            if left and tokenizer.special.mask not in tokens:
                spans = spans_of(sheet, witness.grows_at(plan.growth_threshold))
                grown = grow(tokenizer, sheet, tokens, spans, plan.settings.canvas_length)
                if grown is not None:
                    break
        nfe, seconds = nfe + log.nfe, seconds + log.seconds
        if grown is None:
            break
        (sheet, tokens), settings = grown, plan.growth_settings
    drawn = log.drawn(witness.probability_of(tokens))
    return Drawn(
        sheet=drawn.sheet,
        tokens=drawn.tokens,
        confidence=drawn.confidence,
        nfe=nfe,
        is_stable=drawn.is_stable,
        seconds=seconds,
    )
