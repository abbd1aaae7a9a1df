"""Revises a sheet: looks at what stands there, and where a place needs room, fills a gap beside it and looks again."""

from collections.abc import Generator
from dataclasses import replace

from redraft.denoiser import Cache
from redraft.editing.drawing import Drawn, Log, draw, native_tokenizer, steps_of
from redraft.editing.growing import grown, open_places, places_of
from redraft.editing.presets import EditPlan
from redraft.editing.run import Run
from redraft.editing.sheet import Sheet
from redraft.editing.witness import Witness
from redraft.engine import Engine
from redraft.sampler import Step
from redraft.sampler.canvas import ids_of

__all__ = ["revise"]


def revise(engine: Engine, sheet: Sheet, *, context: Cache | None, plan: EditPlan, seed: int, block: int) -> Run[Drawn]:
    """Revise a sheet.

    Args:
        engine: The model at work.
        sheet: The canvas before the first pass.
        context: What ``read_context`` returned.
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
    tokenizer, length = native_tokenizer(engine), plan.settings.canvas_length
    witness = Witness(engine.denoiser, tokenizer.special.insert)
    tokens = list(sheet.tokens)
    nfe, seconds = 0, 0.0
    for left in range(plan.num_growths, -1, -1):
        log = Log(sheet)
        steps = steps_of(
            engine,
            sheet,
            tokens,
            denoiser=witness,
            context=context,
            settings=plan.settings,
            seed=seed,
            block=block,
        )
        opening = None
        for step in log.watch(steps):
            yield step
            tokens = ids_of(step.tokens[0])
            if left:
                places = places_of(sheet, witness.growth(), plan.growth_threshold)
                opening = open_places(tokenizer, sheet, tokens, places, length)
                if opening is not None:
                    break
        nfe, seconds = nfe + log.nfe, seconds + log.seconds
        if opening is None:
            break
        filling = draw(engine, opening.sheet, context=context, settings=plan.growth_settings, seed=seed, block=block)
        yield from filling
        filled = filling.result
        nfe, seconds = nfe + filled.nfe, seconds + filled.seconds
        sheet, tokens = grown(tokenizer, sheet, tokens, opening, filled.tokens, length)
    return replace(log.drawn(witness.probability_of(tokens)), nfe=nfe, seconds=seconds)
