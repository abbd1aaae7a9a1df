"""The loop: one for every family, every rule and every job.

It yields a ``Step`` per pass. Whoever wants to watch, measure or test reads those; nobody repeats the loop. What a pass
does stands in ``redraft.sampler.drawing``.
"""

from collections.abc import Iterator

from redraft.denoiser.protocol import Cache, Denoiser, ScoresSome
from redraft.sampler.canvas import Canvas, SpecialIds
from redraft.sampler.drawing import Drawing
from redraft.sampler.guidance import Scorer, is_self_conditioned
from redraft.sampler.settings import SamplerSettings
from redraft.sampler.step import Step
from redraft.types import WholePerRow

__all__ = ["sample"]


def sample(
    denoiser: Denoiser,
    *,
    context: Cache | None,
    canvas: Canvas,
    settings: SamplerSettings,
    special: SpecialIds,
    seeds: WholePerRow,
    block: int = 0,
    unconditional: Cache | None = None,
) -> Iterator[Step]:
    """Redraft a canvas until every row is finished.

    A row's bytes depend on its own context, canvas and seed, never on its batch mates: rows are scored in groups of
    equal width, and each draw is a function of (seed, block, step, position). They are the same to the bit wherever the
    denoiser's own scores of a row are.

    Args:
        denoiser: Scores the canvas.
        context: Its settled context, one row per canvas row; None for none.
        canvas: Where to start.
        settings: How to go on; ``canvas_length`` and ``max_new_tokens`` are the caller's affair.
        special: Ids that are no text.
        seeds: One per row.
        block: Which canvas of the request this is.
        unconditional: Context for guidance to push away from; None for none at all.

    Yields:
        One record per pass, at least one. If there is nothing to do, a record of the canvas as it is, with no pass.
    """
    drawing = Drawing(
        canvas,
        settings=settings,
        special=special,
        seeds=seeds,
        block=block,
        vocab_size=denoiser.vocab_size,
        is_self_conditioned=is_self_conditioned(denoiser),
        takes_sketches=isinstance(denoiser, ScoresSome),
    )
    scorer = Scorer(
        denoiser,
        context=context,
        unconditional=unconditional,
        guidance_scale=settings.guidance_scale,
        special=special,
        num_rows=canvas.batch,
        device=canvas.tokens.device,
    )
    if drawing.is_done:
        yield drawing.standing()
    while not drawing.is_done:
        step = drawing.advance(
            scorer(ask.tokens, ask.rows, ask.last_probs, ask.selection, ask.sketch) for ask in drawing.asks()
        )
        scorer.keep_only(drawing.rows)
        yield step
